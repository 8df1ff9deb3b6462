"""The audit log: who looked at whose name, when, on which page. Belongs here: appending, reading, ageing.

A file of JSON lines a UTC day, `AIVO_HOME/audit/2026-03-01.jsonl`, to which is only ever appended. People are
pseudonyms in it, those who look as well as those who are looked at. Files older than the setting says are removed.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from aivo_assets.errors import ServiceError


@dataclass(frozen=True)
class Look:
    """One look.

    Attributes:
        at: When, UTC, ISO 8601.
        who: Pseudonym of the account, `local`, or `command`.
        role: In which role.
        page: Address or command, without names.
        whose: Pseudonyms of the people whose names were shown, ascending.
    """

    at: str
    who: str
    role: str
    page: str
    whose: tuple[str, ...]


class AuditLog:
    """Appends to and reads the log of one AIVO_HOME.

    Args:
        home: AIVO_HOME.
        keep_days: Days that a file is kept.
        now: Tells the present instant, UTC.
    """

    def __init__(self, home: Path, keep_days: int, now: Callable[[], datetime]) -> None:
        self._folder, self._keep_days, self._now = home.absolute() / "audit", keep_days, now

    def keep(self, *, who: str, role: str, page: str, whose: Sequence[str]) -> None:
        """Append a look; nothing where nobody was looked at.

        Raises:
            ServiceError: It cannot be written: then no name may be shown.
        """
        if not whose:
            return
        at = self._now()
        look = Look(at.isoformat(timespec="seconds"), who, role, page, tuple(sorted(set(whose))))
        line = json.dumps(asdict(look), ensure_ascii=True) + "\n"
        path = self._folder / f"{at.date()}.jsonl"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = not path.exists()
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode())
            finally:
                os.close(handle)
        except OSError as error:
            raise ServiceError(
                f"The audit log {path} cannot be written ({error.strerror}), so no name is shown",
                fix="Make room, or give the folder to the account that runs the service.",
            ) from error
        if fresh:
            self._age(at.date())

    def looks(self, first: date | None = None, last: date | None = None) -> Iterator[Look]:
        """Looks of some days, both included, the newest first."""
        for path in sorted(self._folder.glob("*.jsonl"), reverse=True):
            day = date.fromisoformat(path.stem)
            if (first is None or day >= first) and (last is None or day <= last):
                for line in reversed(path.read_text(encoding="ascii").splitlines()):
                    held = json.loads(line)
                    yield Look(**{**held, "whose": tuple(held["whose"])})

    def _age(self, today: date) -> None:
        for path in self._folder.glob("*.jsonl"):
            if date.fromisoformat(path.stem) < today - timedelta(days=self._keep_days):
                path.unlink(missing_ok=True)
