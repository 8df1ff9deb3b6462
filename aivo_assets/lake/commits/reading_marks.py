"""When somebody last began to read the lake. Belongs here: leaving that mark and reading it; nothing is removed.

Files that no manifest names any more may be removed at once where nobody reads, and only later where somebody does. A
reader leaves its mark before it looks at a manifest, so a writer that looks for marks after the manifest was replaced
sees every reader that could hold the old one.
"""

import time
from typing import Final

from aivo_assets.lake.commits.manifest import GRACE_SECONDS
from aivo_assets.lake.storage.storage import Storage

MARK: Final = ".locks/read"
_LEAVE_AGAIN_SECONDS = GRACE_SECONDS / 3


class ReadingMarks:
    """The marks of one lake.

    Args:
        storage: Where.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._left_at = float("-inf")

    def leave(self) -> None:
        """Say that somebody reads now; a mark of this process holds for a while, so most calls cost nothing."""
        now = time.monotonic()
        if now - self._left_at > _LEAVE_AGAIN_SECONDS and self._storage.touch(MARK):
            self._left_at = now

    def last(self) -> float:
        """When somebody last began to read at the latest, seconds since the epoch."""
        at = self._storage.touched_at(MARK)
        return float("-inf") if at is None else at + _LEAVE_AGAIN_SECONDS
