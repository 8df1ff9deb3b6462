"""Files that appear in one step. Belongs here: writing beside and putting in place."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, also after a crash.

    Raises:
        OSError: The folder cannot be written to; what stood there stays.
    """
    with _written_beside(path, content) as beside:
        beside.replace(path)


def write_once(path: Path, content: bytes) -> None:
    """Write a file whole unless another process was first; then its file stays.

    Raises:
        OSError: The folder cannot be written to.
    """
    with _written_beside(path, content) as beside, suppress(FileExistsError):
        path.hardlink_to(beside)


@contextmanager
def _written_beside(path: Path, content: bytes) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        yield beside
    finally:
        beside.unlink(missing_ok=True)  # a full disk must not fill up with what could not be written
