"""Files that are written before anything lists them. Belongs here: writing parts and what is told of them; no commit.

A part is one Parquet file, named by the hash of its bytes and a few letters of its own: no other writer names a file
alike, so none removes it as its own. A part that stands there already with the same content is not written again.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from aivo_assets.errors import LakeError
from aivo_assets.lake.commits.manifest import Entry, Manifest, content_of, digest, new_path, prefix_of
from aivo_assets.lake.dataset import Dataset
from aivo_assets.lake.storage.storage import Storage


@dataclass(frozen=True)
class Staged:
    """Parts of one unit that wait to be committed. It is small and may be sent to another process.

    Attributes:
        folder: The unit's folder below the lake's root.
        place: Path of its manifest.
        part: The folder of the part that it replaces (`shard=0003/`); None: the whole unit.
        files: Entries for the manifest.
        reused: Paths of those that another commit wrote; all others are this one's own.
        made_by: Provenance of what is replaced; None leaves what stands there.
    """

    folder: str
    place: str
    part: str | None
    files: tuple[Entry, ...]
    reused: frozenset[str] = field(default=frozenset())
    made_by: Mapping[str, Any] | None = None

    @property
    def own(self) -> list[str]:
        """Paths of the files that were written for this."""
        return [path for path in (str(entry["path"]) for entry in self.files) if path not in self.reused]


def write_part(
    storage: Storage, folder: str, prefix: str, part: pl.DataFrame, present: Manifest | None
) -> tuple[Entry, bool]:
    """Write one Parquet file below a folder.

    Args:
        storage: Where.
        folder: The unit's.
        prefix: Folder below it, with its slash; or empty.
        part: The rows.
        present: The unit's manifest, if known: a file of it with the same content is taken as it is.

    Returns:
        The entry for the manifest, and whether a file of the present manifest is taken for it.
    """
    buffer = io.BytesIO()
    # Pages follow chunks, and a version must say what a frame holds, not how it came about.
    part.rechunk().write_parquet(buffer, compression="zstd", compression_level=1)
    content = buffer.getvalue()
    name = digest(content)
    for entry in () if present is None else present["files"]:
        path = str(entry["path"])
        if (
            prefix_of(path) == prefix
            and content_of(path) == name
            and storage.is_whole(f"{folder}/{path}", len(content))
        ):
            return entry, True
    path = new_path(prefix, name)
    storage.put(f"{folder}/{path}", content)
    return {"path": path, "rows": part.height, "bytes": len(content)}, False


def refuse_other_columns(dataset: Dataset, frame: pl.DataFrame) -> None:
    """Refuse a frame that has not exactly the dataset's columns.

    Raises:
        LakeError: It has others; the message names every difference.
    """
    expected = dict(dataset.empty().schema)
    actual = dict(frame.schema)
    if expected == actual and list(expected) == list(actual):
        return
    differing = [
        f"{name}: expected {expected.get(name, 'absent')}, got {actual.get(name, 'absent')}"
        for name in sorted(expected.keys() | actual.keys())
        if expected.get(name) != actual.get(name)
    ]
    raise LakeError(
        f"{dataset.path} cannot take this frame: {'; '.join(differing) or 'its columns are in another order'}",
        fix="Bring the frame to the dataset's schema, or change the schema and re-materialise the dataset.",
    )
