"""A lake in a folder. Belongs here: documents and files of a local file system, and the locks that guard swaps."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from upath import UPath

from aivo_assets.lake.atomic_file import write_whole
from aivo_assets.lake.file_lock import held
from aivo_assets.lake.storage.storage import Document

LOCKS = ".locks"
_STRIPES = 64
"""Files that guard all documents between them: a lock is held for one compare and one rename, so few suffice."""


class FolderStorage:
    """A folder.

    Args:
        root: Of the lake.
    """

    is_folder = True
    polars_options: Mapping[str, Any] | None = None

    def __init__(self, root: UPath) -> None:
        self._root = Path(root.path)

    def location(self, path: str) -> str:
        """How polars calls a file."""
        return str(self._root / path)

    def read(self, path: str) -> Document | None:
        """A document, or None where there is none."""
        try:
            content = (self._root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Document(content, _tag(content))

    def read_many(self, paths: Sequence[str]) -> list[Document | None]:
        """Several documents, one after the other: a disk is not faster at once."""
        return [self.read(path) for path in paths]

    def swap(self, path: str, content: bytes, expected: str | None) -> bool:
        """Replace a document if it still has this tag (None: if there is none)."""
        with held(self.lock(f"{crc32(path.encode()) % _STRIPES:02d}")):
            present = self.read(path)
            if (None if present is None else present.tag) != expected:
                return False
            self.put(path, content)
            return True

    def put(self, path: str, content: bytes) -> None:
        """Write a file whole, whatever stands there."""
        write_whole(self._root / path, content)

    def link(self, path: str, to: str) -> None:
        """Give a file a second name; where the file system has no hard links, a copy."""
        target = self._root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self._root / path, target)
        except OSError:
            shutil.copy2(self._root / path, target)

    def content(self, path: str) -> tuple[str, int] | None:
        """Hash and size of a file."""
        try:
            with (self._root / path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()[:32], file.seek(0, os.SEEK_END)
        except FileNotFoundError:
            return None

    def is_whole(self, path: str, size: int) -> bool:
        """Whether a file is there in its full length."""
        try:
            return (self._root / path).stat().st_size == size
        except FileNotFoundError:
            return False

    def missing(self, paths: Sequence[str]) -> list[str]:
        """Of some files those that are not there."""
        return [path for path in paths if not (self._root / path).exists()]

    def remove(self, paths: Iterable[str]) -> None:
        """Take files away; one that is not there is fine."""
        for path in paths:
            (self._root / path).unlink(missing_ok=True)

    def folders(self, path: str, prefix: str) -> list[str]:
        """Names of the folders below a path that begin with a prefix, ascending."""
        try:
            return sorted(name for name in os.listdir(self._root / path) if name.startswith(prefix))
        except FileNotFoundError:
            return []

    def files(self, path: str, prefix: str) -> list[str]:
        """Names of the files directly in a folder that begin with a prefix, ascending."""
        return [name for name in self.folders(path, prefix) if (self._root / path / name).is_file()]

    def refuse_without_preconditions(self) -> None:
        """A folder's locks do."""

    def touch(self, path: str) -> bool:
        """Set the time of a file to now; who may only read the lake cannot, and goes on."""
        file = self._root / path
        try:
            os.utime(file)
        except FileNotFoundError:
            if not self._root.is_dir():  # nothing was written yet, and a reader makes no lake
                return False
            self._make(file)
        except PermissionError:
            pass
        return True

    def touched_at(self, path: str) -> float | None:
        """When a file was last touched."""
        try:
            return (self._root / path).stat().st_mtime
        except FileNotFoundError:
            return None

    def lock(self, name: str) -> Path:
        """The file of a lock."""
        return self._root / LOCKS / f"{name}.lock"

    @staticmethod
    def _make(file: Path) -> None:
        try:
            file.parent.mkdir(exist_ok=True)
            file.touch()
        except PermissionError:
            pass


def _tag(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
