"""Sessions and one-time links. Belongs here: making them, telling whose they are, ending them.

A browser holds a random id under a signature, and nothing of a person. Who is meant stands in a file of
`AIVO_HOME/people`, named by the id's hash: a session whose file is gone (ended, run out) is refused whoever replays it.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from itsdangerous import BadSignature, Signer

from aivo_assets.errors import SettingsError

Way = Literal["oidc", "link", "local"]
SHORTEST_KEY: Final = 32


@dataclass(frozen=True)
class Session:
    """Somebody who is signed in, or may sign in by a link.

    Attributes:
        person: Their id in the roster.
        role: In which role.
        way: How they signed in.
        ends: Until when, UTC.
    """

    person: str = field(repr=False)
    role: str
    way: Way
    ends: datetime


class Sessions:
    """Sessions or links of one AIVO_HOME.

    Args:
        home: AIVO_HOME.
        what: `sessions` or `links`.
        hours: How long each holds.
        now: Tells the machine's time, UTC.
    """

    def __init__(
        self, home: Path, what: Literal["sessions", "links"], hours: float, now: Callable[[], datetime]
    ) -> None:
        self._folder = home.absolute() / "people" / what
        self._hours, self._now = hours, now
        self._signer = Signer(_key(home.absolute() / "secrets" / "session.key"), salt=f"aivo {what}")

    def make(self, person: str, role: str, way: Way) -> str:
        """A new one; returns what the browser or the person is given."""
        self._remove_ended()
        session = Session(person, role, way, self._now() + timedelta(hours=self._hours))
        id_ = secrets.token_urlsafe(32)
        held = {**asdict(session), "ends": session.ends.isoformat()}
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(self._path(id_), json.dumps(held).encode())
        return self._signer.sign(id_).decode()

    def find(self, given: str) -> Session | None:
        """Whose it is; None where it is forged, ended or has run out."""
        path = self._meant(given)
        session = None if path is None else _read(path)
        return session if session is not None and session.ends > self._now() else None

    def end(self, given: str) -> Session | None:
        """End it; returns it to the one caller who ended it, so that a link serves once."""
        session, path = self.find(given), self._meant(given)
        if session is None or path is None:
            return None
        try:
            path.unlink()
        except FileNotFoundError:
            return None
        return session

    def _meant(self, given: str) -> Path | None:
        try:
            return self._path(self._signer.unsign(given).decode())
        except (BadSignature, UnicodeError):
            return None

    def _path(self, id_: str) -> Path:
        return self._folder / f"{hashlib.sha256(id_.encode()).hexdigest()}.json"

    def _remove_ended(self) -> None:
        if self._folder.is_dir():
            for path in self._folder.glob("*.json"):
                session = _read(path)
                if session is not None and session.ends <= self._now():
                    path.unlink(missing_ok=True)


def _read(path: Path) -> Session | None:
    try:
        held: dict[str, Any] = json.loads(path.read_bytes())
        return Session(**{**held, "ends": datetime.fromisoformat(held["ends"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write_new(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, content)
    finally:
        os.close(handle)


def _key(path: Path) -> bytes:
    """The secret of signatures, made where there is none.

    Raises:
        SettingsError: The file holds none that can be used.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        _write_new(part, secrets.token_hex(32).encode())
        try:
            os.link(part, path)
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            part.unlink()
    key = path.read_bytes().strip()
    if len(key) < SHORTEST_KEY:
        raise SettingsError(
            f"{path} holds fewer than {SHORTEST_KEY} characters",
            fix="Remove it: another is made, and all sign in again.",
        )
    return key
