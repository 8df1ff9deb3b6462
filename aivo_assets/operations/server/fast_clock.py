"""A clock that begins in the past and runs fast. Belongs here: its arithmetic; the machine's time is passed in.

Every process of a platform has to agree on the present. So the instant of the machine at which the clock was set going
is kept in AIVO_HOME, once, and the rest is arithmetic. `aivo up` sets it going; until then it stands, so that the
platform begins where its history ends, however long that takes to make.
"""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from aivo_assets.errors import SettingsError
from aivo_assets.lake.atomic_file import write_once
from aivo_assets.settings import ClockSettings, Settings

BEGINNING = "clock.json"


@dataclass(frozen=True)
class FastClock:
    """From the machine's time to the platform's.

    It never goes back, never passes the machine's clock, and goes on with it once it has caught up.

    Attributes:
        start: What it showed before it was set going, UTC.
        began: When that was by the machine's clock, UTC.
        speed: Its seconds in one of the machine's.
    """

    start: datetime
    began: datetime
    speed: float

    def at(self, instant: datetime) -> datetime:
        """What it shows at an instant of the machine's clock, UTC."""
        present = instant.astimezone(UTC)
        passed = max(0.0, (present - self.began).total_seconds()) * self.speed
        if passed >= (present - self.start).total_seconds():
            return present
        return self.start + timedelta(seconds=passed)


def platform_time(settings: Settings, instant: datetime) -> datetime:
    """What the platform's clock shows at an instant of the machine's clock.

    Args:
        settings: `home` and `clock` are read.
        instant: The present by the machine's clock, with a time zone.

    Raises:
        SettingsError: The clock is to begin later than the machine's, its beginning cannot be read, or it was set going
            with other settings.
    """
    if settings.clock.start is None:
        return instant
    start = _start(settings.clock.start, instant)
    path = settings.home / BEGINNING
    if not path.exists():
        return start
    return FastClock(start, _beginning(path, settings.clock), settings.clock.speed).at(instant)


def set_going(settings: Settings, instant: datetime) -> None:
    """Let the platform's clock run from an instant of the machine's on; one that runs already goes on as it does.

    Raises:
        SettingsError: As for `platform_time`, or its beginning cannot be written.
    """
    if settings.clock.start is None:
        return
    _start(settings.clock.start, instant)
    path = settings.home / BEGINNING
    try:
        if not path.exists():
            beginning = {"began": instant.astimezone(UTC).isoformat(), **settings.clock.model_dump(mode="json")}
            write_once(path, json.dumps(beginning).encode())
    except OSError as error:
        raise _unusable(path, error) from error


def _start(day: date, instant: datetime) -> datetime:
    start = datetime.combine(day, time(0), UTC)
    if start > instant:
        raise SettingsError(
            f"AIVO_CLOCK_START={day} lies in the future, and a clock that is ahead cannot be waited for",
            fix="Name a day that is past, or leave it out for the machine's clock.",
        )
    return start


def _beginning(path: Path, clock: ClockSettings) -> datetime:
    try:
        beginning = json.loads(path.read_text())
        began, set_to = (
            datetime.fromisoformat(beginning["began"]),
            ClockSettings(start=beginning["start"], speed=beginning["speed"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(path, error) from error
    if set_to != clock:
        raise SettingsError(
            f"The clock of this AIVO_HOME was set going at {set_to.start} with speed {set_to.speed:g}; from "
            f"{clock.start} with speed {clock.speed:g} it would jump, perhaps back",
            fix="Set AIVO_CLOCK_START and AIVO_CLOCK_SPEED as they were, or take a new AIVO_HOME.",
        )
    return began


def _unusable(path: Path, error: Exception) -> SettingsError:
    return SettingsError(
        f"The beginning of the platform's clock, {path}, cannot be read or written: {error}",
        fix="Make AIVO_HOME writable, or take a new one; without AIVO_CLOCK_START the machine's clock is used.",
    )
