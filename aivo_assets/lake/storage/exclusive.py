"""An exclusive lock for all machines that write to a lake. Belongs here: the lock; no work is done.

In a folder it is a file lock, which the kernel releases however its holder ends. In an object store it is a lease: an
object that its holder rewrites every few seconds. A process that has seen it unchanged for longer than that takes it
over; only time that passed is compared, so clocks need not agree.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from aivo_assets.errors import LakeError
from aivo_assets.lake.file_lock import LockHeldError, held
from aivo_assets.lake.storage.folder_storage import LOCKS, FolderStorage
from aivo_assets.lake.storage.storage import Document, Storage

_RENEW_SECONDS = 5.0
_DEAD_AFTER_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.2


@contextmanager
def exclusive(storage: Storage, what: str, holder: str, *, wait_seconds: float) -> Iterator[None]:
    """Be the only one who does something; wait for the present holder.

    Args:
        storage: The lake's.
        what: What is done: `landing`.
        holder: Who wants to, for the message of those who wait.
        wait_seconds: How long to wait.

    Raises:
        LakeError: It was not to be had in time, or was lost to another because this process stood still.
    """
    named = f"{holder} (process {os.getpid()} on {socket.gethostname()})"
    if isinstance(storage, FolderStorage):
        try:
            with held(storage.lock(what), wait_seconds=wait_seconds, holder=named):
                yield
        except LockHeldError as error:
            raise _busy(what, error.holder, wait_seconds) from error
        return
    lease = _Lease(storage, f"{LOCKS}/{what}.json", named)
    lease.take(what, wait_seconds)
    try:
        yield
    finally:
        lost = lease.give_back()
    if lost:
        raise LakeError(
            f"The lease on {what} was taken by another process because this one stood still",
            fix="Run this again: what was written counts, what was not is done then.",
        )


def _busy(what: str, holder: str, waited: float) -> LakeError:
    return LakeError(
        f"{what} has been held by {holder or 'another process'} for more than {waited:.0f} s",
        fix="Wait until it has ended, or end it, and run this again.",
    )


class _Lease:
    """An object that says who holds something."""

    def __init__(self, storage: Storage, path: str, holder: str) -> None:
        self._storage, self._path, self._holder = storage, path, holder
        self._token = secrets.token_hex(8)
        self._content = b""
        self._over = Event()
        self._lost = False
        self._thread = Thread(target=self._renew, name=f"lease {path}", daemon=True)

    def take(self, what: str, wait_seconds: float) -> None:
        """Wait for it and have it."""
        deadline = time.monotonic() + wait_seconds
        seen: tuple[str, float] | None = None
        while True:
            document = self._storage.read(self._path)
            if seen is None or document is None or document.tag != seen[0]:
                seen = None if document is None else (document.tag, time.monotonic())
            stale = seen is not None and time.monotonic() - seen[1] > _DEAD_AFTER_SECONDS
            if (document is None or stale or _is_free(document)) and self._write(document):
                self._thread.start()
                return
            if time.monotonic() > deadline:
                raise _busy(what, "" if document is None else json.loads(document.content)["holder"], wait_seconds)
            time.sleep(_LOOK_AGAIN_SECONDS)

    def give_back(self) -> bool:
        """Let others have it; returns whether one had taken it already."""
        self._over.set()
        self._thread.join()
        document = self._storage.read(self._path)
        if self._lost or document is None or document.content != self._content:
            return True
        free = json.dumps({"holder": "", "token": self._token}).encode()
        self._storage.swap(self._path, free, document.tag)
        return False

    def _renew(self) -> None:
        while not self._over.wait(_RENEW_SECONDS):
            document = self._storage.read(self._path)
            if document is None or document.content != self._content or not self._write(document):
                self._lost = True
                return

    def _write(self, before: Document | None) -> bool:
        content = json.dumps({"holder": self._holder, "token": self._token, "at": time.time()}).encode()
        if not self._storage.swap(self._path, content, None if before is None else before.tag):
            present = self._storage.read(self._path)
            if present is None or present.content != content:
                return False
        self._content = content
        return True


def _is_free(document: Document) -> bool:
    return not json.loads(document.content)["holder"]
