"""The one place that reads the machine's time. Everything else is given a clock, so that a replay can bring its own."""

from datetime import UTC, datetime
from typing import Protocol

from aivo_assets.operations.server.fast_clock import platform_time
from aivo_assets.settings import Settings


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)


class PlatformClock:
    """The clock of the settings: the machine's, unless `AIVO_CLOCK_START` lets it begin in the past.

    Args:
        settings: `clock` and `home` are read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def now(self) -> datetime:
        """The platform's present instant, aware, UTC."""
        return self.at(SystemClock().now())

    def at(self, instant: datetime) -> datetime:
        """The platform's instant at an instant of the machine, such as that of a schedule's tick; UTC."""
        return platform_time(self._settings, instant).astimezone(UTC)


class FixedClock:
    """A clock that stands still, for tests and replays."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was made with."""
        return self._instant
