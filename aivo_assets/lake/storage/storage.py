"""Where the lake's bytes are. Belongs here: what any place must be able to do, and the choice of it; no manifests.

A place swaps a small document only if it is still the one that was read (compare-and-swap). All safety of the lake
rests on that: a folder does it under a file lock, an S3 store by preconditions (`If-Match`, `If-None-Match`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from upath import UPath

from aivo_assets.errors import LakeError


@dataclass(frozen=True)
class Document:
    """A small document as it was read.

    Attributes:
        content: Its bytes.
        tag: Another one where the content is another.
    """

    content: bytes
    tag: str


@dataclass(frozen=True)
class S3Access:
    """How to reach an S3 store; what is None is taken from the environment (`AWS_…`).

    Attributes:
        endpoint: URL of the server; None: that of AWS.
        key: Access key.
        secret: Its secret.
        region: Region.
    """

    endpoint: str | None = None
    key: str | None = None
    secret: str | None = None
    region: str | None = None

    def __repr__(self) -> str:
        return f"S3Access(endpoint={self.endpoint!r}, key=<hidden>)"


class Storage(Protocol):
    """A place. All paths are relative to the lake's root."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of this machine: files may be damaged there, and other programs read them."""

    @property
    def polars_options(self) -> Mapping[str, Any] | None:
        """What polars needs to read from here."""

    def location(self, path: str) -> str:
        """How polars calls a file."""

    def read(self, path: str) -> Document | None:
        """A document, or None where there is none."""

    def read_many(self, paths: Sequence[str]) -> list[Document | None]:
        """Several documents at once."""

    def swap(self, path: str, content: bytes, expected: str | None) -> bool:
        """Replace a document if it still has this tag (None: if there is none).

        Returns:
            Whether it was replaced. A False may hide a success whose answer was lost: read again to know.
        """

    def put(self, path: str, content: bytes) -> None:
        """Write a file whole, whatever stands there."""

    def link(self, path: str, to: str) -> None:
        """Give a file a second name, under which it stays when another takes the first; no bytes come this way."""

    def content(self, path: str) -> tuple[str, int] | None:
        """What a file holds, as a hash that another content does not have, and its size; None where there is none."""

    def is_whole(self, path: str, size: int) -> bool:
        """Whether a file that was written is still there in its full length; an object store keeps objects whole."""

    def missing(self, paths: Sequence[str]) -> list[str]:
        """Of some files those that are not there."""

    def remove(self, paths: Iterable[str]) -> None:
        """Take files away; one that is not there is fine."""

    def folders(self, path: str, prefix: str) -> list[str]:
        """Names of the folders below a path that begin with a prefix, ascending."""

    def files(self, path: str, prefix: str) -> list[str]:
        """Names of the files directly in a folder that begin with a prefix, ascending."""

    def refuse_without_preconditions(self) -> None:
        """Make sure that a swap is what it says, once for each lake.

        Raises:
            LakeError: It is not.
        """

    def touch(self, path: str) -> bool:
        """Set the time of a file to now, best effort; False where there is no lake yet, so it is to be tried again."""

    def touched_at(self, path: str) -> float | None:
        """When a file was last touched, seconds since the epoch; None where it never was."""


def open_storage(root: UPath, access: S3Access | None) -> tuple[UPath, Storage]:
    """The place of a root, and the root as that place wants it read.

    Raises:
        LakeError: Two writers could hurt a lake there.
    """
    if root.protocol in ("", "file", "local"):
        from aivo_assets.lake.storage.folder_storage import FolderStorage  # noqa: PLC0415 - only one of them is needed

        return root, FolderStorage(root)
    if root.protocol in ("s3", "s3a"):
        from aivo_assets.lake.storage.s3_storage import S3Storage, s3_root  # noqa: PLC0415 - loads slowly

        opened = s3_root(str(root), access or S3Access())
        return opened, S3Storage(opened, access or S3Access())
    raise LakeError(
        f"A lake at {root} could not tell two writers apart: {root.protocol} is neither a folder nor S3",
        fix="Set AIVO_LAKE_URL to a folder or to s3://bucket/prefix of a store that honours If-Match.",
    )
