"""The clock of a replay: it stands until it is told the next instant. Nothing else about time belongs here."""

from datetime import UTC, datetime


class ReplayClock:
    """A clock that is moved by hand and never goes back.

    Args:
        start: Its first instant; with a time zone.
    """

    def __init__(self, start: datetime) -> None:
        self._instant = start.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was moved to last, UTC."""
        return self._instant

    def advance(self, instant: datetime) -> None:
        """Move it on.

        Raises:
            ValueError: The instant lies before the present one.
        """
        moved = instant.astimezone(UTC)
        if moved < self._instant:
            raise ValueError(f"a replay's clock at {self._instant} cannot go back to {moved}")
        self._instant = moved
