"""A file lock with one holder, across threads and processes. The kernel releases it however a process ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_LOOK_AGAIN_SECONDS = 0.05


class LockHeldError(Exception):
    """Somebody else has held the lock for longer than was waited.

    Attributes:
        path: The lock's file.
        holder: What the holder wrote about itself; empty where nothing.
    """

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is held by {holder or 'another process'}")
        self.path, self.holder = path, holder


@contextmanager
def held(path: Path, *, wait_seconds: float | None = None, holder: str | None = None) -> Iterator[None]:
    """Hold the lock of a file, which is made where it is absent. Not to be nested.

    Args:
        path: The file.
        wait_seconds: How long to wait for the holder; None: for ever.
        holder: What others read of who holds it.

    Raises:
        LockHeldError: It was not to be had in time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as handle:
        if wait_seconds is None:
            take_lock(handle)
        else:
            _wait(handle, path, time.monotonic() + wait_seconds)
        if holder is not None:
            _write(handle, holder)
        try:
            yield
        finally:
            if holder is not None:
                _write(handle, "")


def take_lock(handle: IO[str] | int, *, shared: bool = False) -> None:
    """Wait for the lock of an open file, for as long as it takes; it lasts until the file is closed."""
    fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def try_lock(handle: IO[str] | int, *, shared: bool = False) -> bool:
    """Take the lock of an open file at once or not at all; it lasts until the file is closed."""
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(handle: IO[str], path: Path, deadline: float) -> None:
    while not try_lock(handle):
        if time.monotonic() >= deadline:
            raise LockHeldError(path, path.read_text())
        time.sleep(_LOOK_AGAIN_SECONDS)


def _write(handle: IO[str], text: str) -> None:
    handle.truncate(0)
    handle.write(text)
    handle.flush()
