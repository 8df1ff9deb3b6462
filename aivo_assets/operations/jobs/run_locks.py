"""Whether the process of a run still exists. Belongs here: the run's file lock; no run is ended here.

The kernel releases a lock however a process ends, so a process that gets the lock of a run knows that its process is
gone. The lock is kept until then, and not given back when the work is done: a run is over only once its end is
recorded.
"""

import os
from pathlib import Path

from aivo_assets.lake.file_lock import take_lock, try_lock

FOLDER = "held"  # below the instance's
MOST_OF_A_PROCESS = 64
"""A process that does run after run (a replay) keeps the locks of so many; the runs before have long ended."""

_held: dict[str, int] = {}


def hold(path: Path) -> None:
    """Hold the file of a run until this process ends. Only for a run that is done in one process from first to last."""
    name = str(path)
    if name in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    take_lock(descriptor, shared=True)
    _held[name] = descriptor
    while len(_held) > MOST_OF_A_PROCESS:
        os.close(_held.pop(next(iter(_held))))


def is_let_go(path: Path) -> bool:
    """Whether the file is there and nobody holds it."""
    try:
        with path.open() as file:
            return try_lock(file)
    except OSError:  # gone, held, or another account's that may not even be read
        return False
