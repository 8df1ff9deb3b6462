"""Reading and writing datasets, whole or not at all. Belongs here: manifests, atomic replacement, content versions.

A unit's folder holds Parquet files named by the hash of their bytes and one `_manifest.json` that lists the files
which count. A write puts its files first and replaces the manifest last, in one step, so a reader sees the old unit
or the new one. Writing the same content again changes nothing. The files of the manifest before stay until the next
write, for readers that had already begun.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import get_ident
from typing import Any

import polars as pl
from upath import UPath

from aivo_assets.errors import LakeError
from aivo_assets.lake.dataset import Dataset

MANIFEST = "_manifest.json"


@dataclass(frozen=True)
class Written:
    """What a write left behind.

    Attributes:
        version: Hash of the content; equal content has an equal version.
        rows: Rows in the unit.
        bytes: Size of its Parquet files.
        changed: Whether the content differs from what stood there before.
    """

    version: str
    rows: int
    bytes: int
    changed: bool


class Lake:
    """All datasets below one root.

    Args:
        root: Folder or fsspec URL.
        shards: Shards that a day is split into.
    """

    def __init__(self, root: str | os.PathLike[str], *, shards: int) -> None:
        self.root = UPath(root)
        self.shards = shards

    def write(
        self,
        dataset: Dataset,
        frame: pl.DataFrame,
        *,
        day: date | None = None,
        shard: int | None = None,
        made_by: Mapping[str, Any] | None = None,
    ) -> Written:
        """Replace one unit with `frame`, atomically.

        Args:
            dataset: What is written; `frame` must have exactly its columns.
            frame: The unit's rows, in the order in which they are to be kept.
            day: Which day, for a dataset that is replaced by day.
            shard: Which shard, for a dataset that is replaced by shard.
            made_by: Provenance kept in the manifest: data versions, code version, parameters. JSON values.

        Raises:
            LakeError: The columns are not the dataset's.
        """
        refuse_other_columns(dataset, frame)
        parts = _parts(frame, dataset.sharded and day is not None)
        return self._write_parts(self.root / dataset.folder(day=day, shard=shard), parts, made_by)

    def write_by_shard(
        self,
        dataset: Dataset,
        frames: Iterable[tuple[int, pl.DataFrame]],
        *,
        day: date,
        made_by: Mapping[str, Any] | None = None,
    ) -> Written:
        """Replace a day with its shards as they come, ascending; in one commit, and with one of them in memory.

        The same as `write` of all rows at once.
        """

        def parts() -> Iterator[tuple[str, pl.DataFrame]]:
            for shard, frame in frames:
                refuse_other_columns(dataset, frame)
                if frame.height:
                    yield f"shard={shard:04d}/", frame

        return self._write_parts(self.root / dataset.folder(day=day), parts(), made_by)

    def _write_parts(
        self, folder: UPath, parts: Iterable[tuple[str, pl.DataFrame]], made_by: Mapping[str, Any] | None
    ) -> Written:
        files = [write_part(folder, name, part) for name, part in parts]
        version = _digest("".join(str(entry["path"]) for entry in files).encode())
        rows = sum(int(entry["rows"]) for entry in files)
        manifest = {"version": version, "rows": rows, "files": files, "made_by": dict(made_by or {})}
        return self._replace(folder, manifest, _read_manifest(folder))

    @staticmethod
    def _replace(folder: UPath, manifest: dict[str, Any], before: dict[str, Any] | None) -> Written:
        """Put a manifest in the place of the one before."""
        changed = before is None or before["version"] != manifest["version"]
        if before is None or changed or before["made_by"] != manifest["made_by"]:
            write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
        if changed:
            _remove_unlisted(folder, [manifest, before or {"files": []}])
        size = sum(int(entry["bytes"]) for entry in manifest["files"])
        return Written(version=manifest["version"], rows=manifest["rows"], bytes=size, changed=changed)

    def replace_shard(
        self, dataset: Dataset, frame: pl.DataFrame, *, day: date, shard: int, made_by: Mapping[str, Any] | None = None
    ) -> Written:
        """Replace one shard of a day, atomically; the day's other shards stay as they are.

        Args:
            dataset: One of days, split by shard.
            frame: The shard's rows; none take the shard away.
            day: Which day.
            shard: Which shard.
            made_by: Provenance of this shard, kept in the manifest under the shard's folder name.

        Raises:
            LakeError: The columns are not the dataset's.
        """
        refuse_other_columns(dataset, frame)
        folder, name = self.root / dataset.folder(day=day), f"shard={shard:04d}"
        before = _read_manifest(folder)
        kept = before or {"version": None, "files": [], "made_by": {}}
        files = [entry for entry in kept["files"] if not str(entry["path"]).startswith(f"{name}/")]
        if frame.height:
            files.append(write_part(folder, f"{name}/", frame))
        files.sort(key=lambda entry: str(entry["path"]))
        manifest = {
            "version": _digest("".join(str(entry["path"]) for entry in files).encode()),
            "rows": sum(int(entry["rows"]) for entry in files),
            "files": files,
            "made_by": {**kept["made_by"], **({name: dict(made_by)} if made_by is not None else {})},
        }
        return self._replace(folder, manifest, before)

    def parts(self, dataset: Dataset, *, until: date | None = None) -> dict[int, dict[date, tuple[str, int]]]:
        """Version and rows of each day's part of each shard, from the manifests alone: shard to day to (version, rows).

        A shard without rows on a day has none there.
        """
        found: dict[int, dict[date, tuple[str, int]]] = {shard: {} for shard in range(self.shards)}
        for folder, manifest in self._manifests(dataset, until=until):
            day = date.fromisoformat(folder.name.removeprefix("day="))
            for entry in manifest["files"]:
                shard, file = str(entry["path"]).split("/", 1)
                part = (file.removesuffix(".parquet"), int(entry["rows"]))
                found.setdefault(int(shard.removeprefix("shard=")), {})[day] = part
        return found

    def scan(
        self,
        dataset: Dataset,
        *,
        days: Iterable[date] | None = None,
        until: date | None = None,
        shards: Iterable[int] | None = None,
    ) -> pl.LazyFrame:
        """The rows of a dataset as a lazy frame of its columns; an empty one where nothing is kept.

        Units may have been written when the dataset had other columns: those that a unit lacks are null in its rows,
        and those that the dataset no longer has are not read. A column whose type has changed makes polars raise a
        `SchemaError` that names it: re-materialise the days from before.

        Args:
            dataset: What to read.
            days: Only these days; days that hold nothing are passed over.
            until: Only days up to and including this one.
            shards: Only these shards.
        """
        files = self.files(dataset, days=days, until=until, shards=shards)
        if not files:
            return dataset.empty().lazy()
        return pl.scan_parquet(
            files,
            schema=dict(dataset.schema),
            missing_columns="insert",
            extra_columns="ignore",
            hive_partitioning=False,
            glob=False,
        )

    def files(
        self,
        dataset: Dataset,
        *,
        days: Iterable[date] | None = None,
        until: date | None = None,
        shards: Iterable[int] | None = None,
    ) -> list[str]:
        """Paths of the Parquet files that `scan` reads, in the order of their units."""
        wanted = None if shards is None else {f"shard={shard:04d}" for shard in shards}
        found = []
        for folder, manifest in self._manifests(dataset, days=days, until=until):
            for entry in manifest["files"]:
                unit_shard = folder.name if dataset.unit == "shard" else str(entry["path"]).split("/", 1)[0]
                if wanted is None or unit_shard in wanted:
                    found.append(str(folder / entry["path"]))
        return found

    def days(self, dataset: Dataset) -> list[date]:
        """Days that a dataset holds, ascending."""
        return sorted(
            date.fromisoformat(folder.name.removeprefix("day="))
            for folder in _folders(self.root / dataset.path, "day=")
            if (folder / MANIFEST).exists()
        )

    def version(self, dataset: Dataset, *, days: Iterable[date] | None = None, until: date | None = None) -> str:
        """Hash of the content of a dataset, or of some of its days; equal content has an equal version."""
        parts = [
            f"{folder.name}:{manifest['version']}"
            for folder, manifest in self._manifests(dataset, days=days, until=until)
        ]
        return _digest("\n".join(parts).encode())

    def manifest(self, dataset: Dataset, *, day: date | None = None, shard: int | None = None) -> dict[str, Any] | None:
        """Manifest of one unit (`version`, `rows`, `files`, `made_by`), or None where nothing is kept."""
        return _read_manifest(self.root / dataset.folder(day=day, shard=shard))

    def remove(self, dataset: Dataset, *, day: date) -> None:
        """Take one day away: first its manifest, so that no reader begins, then its files."""
        folder = self.root / dataset.folder(day=day)
        (folder / MANIFEST).unlink(missing_ok=True)
        _remove_unlisted(folder, [{"files": []}])

    def write_bytes(self, path: str, content: bytes) -> UPath:
        """Write a document (a report, a receipt) below the root, atomically, and return where it is."""
        target = self.root / path
        write_atomically(target, content)
        return target

    def _manifests(
        self, dataset: Dataset, *, days: Iterable[date] | None = None, until: date | None = None
    ) -> list[tuple[UPath, dict[str, Any]]]:
        base = self.root / dataset.path
        if dataset.unit == "layers":
            raise ValueError(f"{dataset.path} is kept in layers: read and write it by `Layers`")
        if dataset.unit == "whole":
            folders = [base]
        elif dataset.unit == "shard":
            folders = _folders(base, "shard=")
        else:
            chosen = self.days(dataset) if days is None else sorted(set(days))
            folders = [base / f"day={day}" for day in chosen if until is None or day <= until]
        read = ((folder, _read_manifest(folder)) for folder in folders)
        return [(folder, manifest) for folder, manifest in read if manifest is not None]


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


def _parts(frame: pl.DataFrame, sharded: bool) -> list[tuple[str, pl.DataFrame]]:
    if not sharded:
        return [("", frame)]
    return [
        (f"shard={shard:04d}/", frame.filter(pl.col("shard") == shard))
        for shard in sorted(frame["shard"].unique().to_list())
    ]


def write_part(folder: UPath, prefix: str, part: pl.DataFrame) -> dict[str, str | int]:
    """Write one Parquet file named by its content below a folder; returns its entry for a manifest."""
    buffer = io.BytesIO()
    # Pages follow chunks, and a version must say what a frame holds, not how it came about.
    part.rechunk().write_parquet(buffer, compression="zstd", compression_level=1)
    content = buffer.getvalue()
    path = f"{prefix}{_digest(content)}.parquet"
    if not is_whole(folder / path, len(content)):
        write_atomically(folder / path, content)
    return {"path": path, "rows": part.height, "bytes": len(content)}


def is_whole(path: UPath, size: int) -> bool:
    """Whether a file is there in its full length; one that was cut short does not hold what its name says."""
    try:
        return int(path.stat().st_size) == size
    except FileNotFoundError:
        return False


def write_atomically(path: UPath, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one."""
    if path.protocol not in ("", "file", "local"):
        path.fs.pipe_file(path.path, content)  # object stores show an object only once it is complete
        return
    target = Path(path.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.{get_ident()}.tmp")
    try:
        with beside.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)  # a full disk must not fill up with what could not be written


def read_json(path: UPath) -> dict[str, Any] | None:
    """A manifest, or None where there is none.

    Raises:
        LakeError: It is not JSON.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise LakeError(f"The manifest {path} is not JSON: {error}", fix="Re-materialise this partition.") from error
    return content


def _read_manifest(folder: UPath) -> dict[str, Any] | None:
    return read_json(folder / MANIFEST)


def _remove_unlisted(folder: UPath, manifests: Sequence[Mapping[str, Any]]) -> None:
    listed = {str(entry["path"]) for manifest in manifests for entry in manifest["files"]}
    for file in folder.glob("**/*.parquet"):
        if file.relative_to(folder).as_posix() not in listed:
            file.unlink(missing_ok=True)


def _folders(base: UPath, prefix: str) -> list[UPath]:
    if not base.exists():
        return []
    return sorted((entry for entry in base.iterdir() if entry.name.startswith(prefix)), key=lambda entry: entry.name)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
