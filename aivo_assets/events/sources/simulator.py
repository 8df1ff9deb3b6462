"""The simulated school as a source. Belongs here: its calendar and the present; not the school itself."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from aivo_assets.errors import SettingsError
from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.lake.atomic_file import write_once
from aivo_assets.settings import Settings, SimulatorSettings
from aivo_assets.simulation import PARAMETERS, Disturbance, School

CALENDAR = "simulator.json"
ROWS_AN_EXTRACT = 200_000


class SimulatorSource:
    """Events of the simulated school up to the present.

    The first use in an AIVO_HOME fixes the first school day such that `days` whole days lie before the present day.
    From then on the school goes on in real time.

    Args:
        settings: All settings; `simulator` and `home` are read.
        now: The present instant; later events have not happened.

    Raises:
        SettingsError: The calendar in AIVO_HOME cannot be used.
    """

    name = "simulator"
    window_applies = True

    def __init__(self, settings: Settings, now: datetime) -> None:
        self._settings = settings.simulator
        self._now = now.astimezone(UTC)
        self._start = first_school_day(settings.simulator, settings.home, self._now)

    def fingerprint(self) -> str:
        """Hash of the school, not of how far it has come: rows that are there stay, later ones are added."""
        parts = (
            self._settings.model_dump(mode="json", exclude={"start", "days"}),
            self._start.isoformat(),
            repr(PARAMETERS),
        )
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        """The school's rows by day, several days an extract, in the order in which they happened.

        Args:
            window: Days wanted; None: from the first school day to the present.
            cursor: Not used; the school is read by window.
        """
        del cursor
        today = self._now.date()
        first = max(window.first, self._start) if window else self._start
        last = min(window.last, today) if window else today
        if last < first:
            return
        frames: list[pl.DataFrame] = []
        for day, frame in self._school().days(first, last, until=self._now):
            frames.append(_located(day, frame))
            if day == last or sum(each.height for each in frames) >= ROWS_AN_EXTRACT:
                yield Extract(frame=pl.concat(frames), broken=broken_rows(self.name, []))
                frames = []

    def how_read(self) -> tuple[str, ...]:
        """Nothing: what it makes is ours already."""
        return ()

    def learners(self) -> pl.DataFrame:
        """The learner table of who has enrolled by now."""
        table = self._school().learners(self._now)
        return table.with_columns(
            pl.lit(f"{self.name}, learners").alias("_location"),
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"),
        )

    def _school(self) -> School:
        return School.build(self._settings, self._start, disturbances=_dated(self._settings, self._start))


def _dated(settings: SimulatorSettings, start: date) -> tuple[Disturbance, ...]:
    """The disturbances of the settings, which count school days, in dates."""
    return tuple(
        Disturbance(
            first=start + timedelta(days=each.after_days),
            last=None if each.for_days is None else start + timedelta(days=each.after_days + each.for_days - 1),
            **each.model_dump(exclude={"after_days", "for_days"}),
        )
        for each in settings.disturbances
    )


def first_school_day(settings: SimulatorSettings, home: Path, now: datetime) -> date:
    """First day of the school: the setting, else what the calendar in `home` says, which is written at first use.

    Args:
        settings: `start` and `days`.
        home: AIVO_HOME.
        now: The present instant; at first use `days` days end on the day before.

    Raises:
        SettingsError: The calendar cannot be read or written.
    """
    if settings.start is not None:
        return settings.start
    calendar = home / CALENDAR
    try:
        if not calendar.exists():
            start = now.date() - timedelta(days=settings.days)
            write_once(calendar, json.dumps({"start": start.isoformat()}).encode())
        return date.fromisoformat(json.loads(calendar.read_text())["start"])
    except OSError as error:
        raise SettingsError(
            f"The simulated school's calendar {calendar} cannot be read or written: {error}.",
            fix="Make AIVO_HOME writable, or set AIVO_SIMULATOR_START.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f'The simulated school\'s calendar {calendar} is not {{"start": "YYYY-MM-DD"}}: {error}.',
            fix="Set AIVO_SIMULATOR_START to the first day of the events in the lake, or begin in a new AIVO_HOME.",
        ) from error


def _located(day: date, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit(f"simulator, {day.isoformat()}").alias("_location"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_row"),
    )
