"""Reading datasets. Belongs here: which files count, what they hold and their versions; nothing is written.

Every reader leaves a mark first (`ReadingMarks`), so that files it is about to open are not removed under it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final

import polars as pl
from upath import UPath

from aivo_assets.lake.commits.manifest import Entry, Manifest, content_of, digest, parsed
from aivo_assets.lake.commits.reading_marks import ReadingMarks
from aivo_assets.lake.dataset import Dataset, shard_folder
from aivo_assets.lake.storage.storage import Storage

MANIFEST: Final = "_manifest.json"


class LakeReader:
    """What can be asked of a lake.

    Args:
        root: Its root.
        storage: Where that is.
        shards: Shards that a day is split into.
        layout: Number of the layout of shards; a lake whose number of shards was changed has another.
    """

    def __init__(self, root: UPath, storage: Storage, *, shards: int, layout: int) -> None:
        self.root, self.storage, self.shards, self.layout = root, storage, shards, layout
        self.marks = ReadingMarks(storage)

    def begin_reading(self) -> None:
        """Say that somebody reads now."""
        self.marks.leave()

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
        return self.scan_files(dataset, self.files(dataset, days=days, until=until, shards=shards))

    def files(
        self,
        dataset: Dataset,
        *,
        days: Iterable[date] | None = None,
        until: date | None = None,
        shards: Iterable[int] | None = None,
    ) -> list[str]:
        """Paths of the Parquet files that `scan` reads, in the order of their units."""
        self.begin_reading()
        wanted = None if shards is None else {shard_folder(shard) for shard in shards}
        paths = []
        for folder, manifest in self._manifests(dataset, days=days, until=until):
            for entry in manifest["files"]:
                place = _name(folder) if dataset.unit == "shard" else str(entry["path"]).split("/", 1)[0]
                if wanted is None or place in wanted:
                    paths.append(self.storage.location(f"{folder}/{entry['path']}"))
        return paths

    def entries(self, dataset: Dataset) -> dict[str, Entry]:
        """The files of a dataset that count, by path below its folder: path within the unit, rows and bytes of each."""
        self.begin_reading()
        below = len(dataset.path) + 1
        return {
            f"{folder}/{entry['path']}"[below:]: entry
            for folder, manifest in self._manifests(dataset)
            for entry in manifest["files"]
        }

    def days(self, dataset: Dataset) -> list[date]:
        """Days that a dataset holds, ascending."""
        return [_day(folder) for folder, _ in self._manifests(dataset)]

    def days_back(self, dataset: Dataset, *, until: date | None = None) -> Iterator[date]:
        """Days that a dataset holds, the newest first; manifests are read as far back as is asked for."""
        for day in reversed(self.days_named(dataset)):
            if (until is None or day <= until) and self.manifest(dataset, day=day) is not None:
                yield day

    def newest_days(self, dataset: Dataset, count: int, *, until: date | None = None) -> list[date]:
        """The newest days that a dataset holds, ascending, at most so many; however long it is, no more is read."""
        return list(islice(self.days_back(dataset, until=until), count))[::-1]

    def days_named(self, dataset: Dataset) -> list[date]:
        """Days that a dataset has a folder for, ascending, from one listing; one that was taken away may be there."""
        return [_day(name) for name in self.storage.folders(dataset.path, "day=")]

    def version(self, dataset: Dataset, *, days: Iterable[date] | None = None, until: date | None = None) -> str:
        """Hash of the content of a dataset, or of some of its days; equal content has an equal version."""
        units = self._manifests(dataset, days=days, until=until)
        return digest("\n".join(f"{_name(folder)}:{manifest['version']}" for folder, manifest in units).encode())

    def manifest(
        self, dataset: Dataset, *, day: date | None = None, shard: int | None = None, batch: str | None = None
    ) -> Manifest | None:
        """Manifest of one unit (`version`, `rows`, `files`, `made_by`), or None where nothing is kept."""
        place = self.place(dataset, dataset.folder(day=day, shard=shard, batch=batch))
        document = self.storage.read(place)
        return None if document is None else _shown(parsed(document.content, place))

    def units(self, dataset: Dataset) -> dict[str, Manifest]:
        """Manifests of all units of a dataset by the names of their folders, ascending."""
        return {_name(folder): manifest for folder, manifest in self._manifests(dataset)}

    def parts(self, dataset: Dataset, *, until: date | None = None) -> dict[int, dict[date, tuple[str, int]]]:
        """Version and rows of each day's part of each shard, from the manifests alone: shard to day to (version, rows).

        A shard without rows on a day has none there.
        """
        by_shard: dict[int, dict[date, tuple[str, int]]] = {shard: {} for shard in range(self.shards)}
        for folder, manifest in self._manifests(dataset, until=until):
            for entry in manifest["files"]:
                path = str(entry["path"])
                shard = int(path.split("/", 1)[0].removeprefix("shard="))
                by_shard.setdefault(shard, {})[_day(folder)] = (content_of(path), int(entry["rows"]))
        return by_shard

    def place(self, dataset: Dataset, folder: str) -> str:
        """Path of a unit's manifest."""
        return f"{folder}/{manifest_name(self.layout if dataset.by_shard else 1)}"

    def scan_files(self, dataset: Dataset, files: list[str]) -> pl.LazyFrame:
        """Some files of a dataset as a lazy frame of its columns."""
        if not files:
            return dataset.empty().lazy()
        return pl.scan_parquet(
            files,
            schema=dict(dataset.schema),
            missing_columns="insert",
            extra_columns="ignore",
            hive_partitioning=False,
            glob=False,
            storage_options=polars_options(self.storage),
        )

    def read_entries(self, dataset: Dataset, folder: str, entries: Iterable[Entry]) -> pl.DataFrame:
        """The rows of some of a unit's files."""
        files = [self.storage.location(f"{folder}/{entry['path']}") for entry in entries]
        return self.scan_files(dataset, files).collect()

    def _manifests(
        self, dataset: Dataset, *, days: Iterable[date] | None = None, until: date | None = None
    ) -> list[tuple[str, Manifest]]:
        folders = self._folders(dataset, days, until)
        places = [self.place(dataset, folder) for folder in folders]
        documents = zip(folders, places, self.storage.read_many(places), strict=True)
        read = (
            (folder, _shown(parsed(document.content, place)))
            for folder, place, document in documents
            if document is not None
        )
        return [(folder, manifest) for folder, manifest in read if manifest is not None]

    def _folders(self, dataset: Dataset, days: Iterable[date] | None, until: date | None) -> list[str]:
        if dataset.unit == "layers":
            raise ValueError(f"{dataset.path} is kept in layers: read and write it by `Layers`")
        if dataset.unit == "whole":
            return [dataset.path]
        if dataset.unit != "day":
            names = self.storage.folders(dataset.path, f"{dataset.unit}=")
            return [f"{dataset.path}/{name}" for name in names]
        if days is not None:
            return [dataset.folder(day=day) for day in sorted(set(days)) if until is None or day <= until]
        folders = [f"{dataset.path}/{name}" for name in self.storage.folders(dataset.path, "day=")]
        return [folder for folder in folders if until is None or _day(folder) <= until]


def manifest_name(layout: int) -> str:
    """What the manifests of a layout are called; those of the first have no number."""
    return MANIFEST if layout == 1 else f"_manifest-{layout}.json"


def _shown(manifest: Manifest) -> Manifest | None:
    """A manifest without what is the business of commits; None of a unit that was taken away."""
    if manifest.get("removed"):
        return None
    return {name: value for name, value in manifest.items() if name != "superseded"}


def polars_options(storage: Storage) -> dict[str, Any] | None:
    """What polars needs to read from a storage."""
    given: Mapping[str, Any] | None = storage.polars_options
    return None if given is None else dict(given)


def _name(folder: str) -> str:
    return folder.rsplit("/", 1)[-1]


def _day(folder: str) -> date:
    return date.fromisoformat(_name(folder).removeprefix("day="))
