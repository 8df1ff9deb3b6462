"""One platform a home. Belongs here: who runs it, and the refusal of a second one; no process is started or ended."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aivo_assets.errors import ServiceError

LOCK = "up.lock"


@contextmanager
def only_platform(home: Path) -> Iterator[None]:
    """Be the only platform of a home for as long as this is open.

    The kernel takes the lock back however a process ends: a file that a killed platform left behind blocks nobody.

    Raises:
        ServiceError: Another one runs; it names its process.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise ServiceError(
                f"The platform of {home} is already running, as process {pid}",
                fix=f"Use that one, end it (kill {pid}), or take another AIVO_HOME.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
