"""The secret of the pseudonyms: what it is and where it comes from. Belongs here: the key; no pseudonym is made here.

The key is looked for in `AIVO_PSEUDONYM_KEY`, then in `AIVO_HOME/secrets/pseudonym.key`. Only the demo may make one.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import NoReturn, final

from aivo_assets.errors import PrivacyError
from aivo_assets.settings import Settings

MINIMUM_CHARACTERS = 32
VARIABLE = "AIVO_PSEUDONYM_KEY"
_READABLE_BY_OTHERS = 0o077


@final
class PseudonymKey:
    """The secret under which identifiers become pseudonyms. It is never shown, stored or sent by this class.

    Args:
        secret: At least 32 characters; surrounding white space is not part of it.

    Raises:
        PrivacyError: The secret is too short to withstand guessing.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        stripped = secret.strip()
        if len(stripped) < MINIMUM_CHARACTERS:
            raise PrivacyError(
                f"The pseudonym key has {len(stripped)} characters; {MINIMUM_CHARACTERS} are the least",
                fix=f"Make one with `openssl rand -hex 32`, set {VARIABLE} to it and keep a copy in a safe place.",
            )
        self._secret = stripped.encode()

    def keyed_hash(self) -> hmac.HMAC:
        """A fresh HMAC-SHA256 under this key, to be copied and fed."""
        return hmac.new(self._secret, digestmod=hashlib.sha256)

    @property
    def fingerprint(self) -> str:
        """16 hex characters that tell two keys apart and say nothing of either; kept as provenance."""
        keyed = self.keyed_hash()
        keyed.update(b"fingerprint of the pseudonym key")
        return keyed.hexdigest()[:16]

    def __repr__(self) -> str:
        return "PseudonymKey(<hidden>)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PseudonymKey) and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> NoReturn:
        raise PrivacyError(
            "The pseudonym key was about to be pickled, which would write it down",
            fix="Pass the settings to the other process and call load_key there.",
        )


def key_path(home: Path) -> Path:
    """Where the key made by the demo lies."""
    return home / "secrets" / "pseudonym.key"


def load_key(settings: Settings, *, create: bool) -> PseudonymKey:
    """Find the pseudonym key.

    Args:
        settings: `pseudonym_key` wins over the file below `home`.
        create: Make the file when there is no key. Only the demo may ask for that: a key made in passing elsewhere
            would part the same learner into two pseudonyms.

    Raises:
        PrivacyError: There is no key, it is too short, or its file is readable by others.
    """
    if settings.pseudonym_key is not None:
        return PseudonymKey(settings.pseudonym_key.get_secret_value())
    path = key_path(settings.home)
    if create and not path.exists():
        _make(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise PrivacyError(
            f"There is no pseudonym key: {VARIABLE} is not set and {path} does not exist",
            fix=f"Set {VARIABLE} to at least {MINIMUM_CHARACTERS} secret characters (`openssl rand -hex 32`), "
            "the same ones for as long as the lake lives; `make demo` makes a key of its own.",
        ) from None
    if mode & _READABLE_BY_OTHERS:
        raise PrivacyError(
            f"The pseudonym key {path} may be read by others (mode {mode & 0o777:04o})",
            fix=f"Run `chmod 600 {path}`; if others could have read it, make a new key and re-materialise the lake.",
        )
    return PseudonymKey(path.read_text())


def _make(path: Path) -> None:
    """Write a new key beside its place and link it there: whole, private from the start, never over another."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_hex(32) + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        path.hardlink_to(beside)
    except FileExistsError:
        pass  # another process was faster; its key counts
    finally:
        beside.unlink()
