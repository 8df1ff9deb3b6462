"""Writing datasets, whole or not at all. Belongs here: staging and committing units; reading is `lake_reader.py`'s.

A unit's folder holds Parquet files and one `_manifest.json` that lists the files which count. A write puts its files
first and swaps the manifest last, in one step, so a reader sees the old unit or the new one. Writing the same content
again changes nothing. Two writers of one unit: each replaces its part of what the other left (`units.py`), so the
last one wins a part as a whole; who adds to what stands there does it by `update` and never loses the other's rows.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import polars as pl
from upath import UPath

from aivo_assets.errors import LakeError
from aivo_assets.lake.commits.manifest import Manifest, Written, paths_of, written
from aivo_assets.lake.commits.staging import Staged, refuse_other_columns, write_part
from aivo_assets.lake.commits.units import Units, in_part, standing
from aivo_assets.lake.dataset import Dataset, shard_folder
from aivo_assets.lake.lake_reader import LakeReader
from aivo_assets.lake.layout.made_with import MadeWith, Value, Values
from aivo_assets.lake.storage.exclusive import exclusive
from aivo_assets.lake.storage.storage import S3Access, open_storage
from aivo_assets.lake.storage.swapping import Compose, ConflictError, swap_document

Change = Callable[[pl.DataFrame], pl.DataFrame]
Notes = Mapping[str, Any] | None


class Lake(LakeReader):
    """All datasets below one root.

    Args:
        root: Folder, or `s3://bucket/prefix`.
        shards: Shards that a day is split into.
        access: How to reach an S3 store.
        made_with: What else must be the same for as long as the lake lives; see `made_with.py`.

    Raises:
        LakeError: The lake was made with other shards or other values.

    Example:
        >>> import tempfile
        >>> from datetime import date
        >>> import polars as pl
        >>> from aivo_assets.lake import Dataset, Lake
        >>> marks = Dataset("marts/marks", {"learner": pl.String, "mark": pl.Int8}, unit="day")
        >>> lake = Lake(tempfile.mkdtemp(), shards=4)
        >>> frame = pl.DataFrame({"learner": ["ada", "ben"], "mark": [5, 3]}, schema=marks.schema)
        >>> lake.write(marks, frame, day=date(2026, 3, 2)).changed
        True
        >>> lake.write(marks, frame, day=date(2026, 3, 2)).changed  # equal content is not written again
        False
        >>> lake.scan(marks, days=[date(2026, 3, 2)]).filter(pl.col("mark") > 3).collect().rows()
        [('ada', 5)]
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        shards: int,
        access: S3Access | None = None,
        made_with: Values | None = None,
    ) -> None:
        opened, storage = open_storage(UPath(root), access)
        self._access = access
        self._made_with = MadeWith(storage, shards, made_with or {})
        super().__init__(opened, storage, shards=shards, layout=self._made_with.layout)
        self._units = Units(storage, self.marks, self._made_with.keep)

    def prepare(self) -> None:
        """Write down what the lake is made with, if nobody has; every write begins with it."""
        self._made_with.keep()

    def begin_reading(self) -> None:
        """Say that somebody reads now, unless the lake has another layout by now.

        Raises:
            LakeError: It was moved to another number of shards since it was opened.
        """
        self._made_with.refuse_moved()
        super().begin_reading()

    def beside(self, shards: int) -> "Lake":
        """The next layout of this lake, which does not count yet; for `reshard`."""
        target = Lake(str(self.root), shards=self.shards, access=self._access, made_with=self._made_with.values)
        target._made_with.is_target = True
        target.shards, target.layout = shards, self.layout + 1
        return target

    def kept_value(self, name: str) -> str | int | None:
        """Something that the lake was made with; None where it does not say."""
        return self._made_with.value(name)

    def keep_value(self, name: str, value: Value) -> None:
        """Keep something that the lake is made with from now on.

        Raises:
            LakeError: It was made with another.
        """
        self._made_with.add(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (str(self.root), self.shards, self._access, self._made_with.values)

    def write(
        self,
        dataset: Dataset,
        frame: pl.DataFrame,
        *,
        day: date | None = None,
        shard: int | None = None,
        batch: str | None = None,
        made_by: Notes = None,
    ) -> Written:
        """Replace one unit with `frame`, atomically.

        Args:
            dataset: What is written; `frame` must have exactly its columns.
            frame: The unit's rows, in the order in which they are to be kept.
            day: Which day, for a dataset that is replaced by day.
            shard: Which shard, for a dataset that is replaced by shard.
            batch: Which batch, for a dataset that is replaced by batch.
            made_by: Provenance kept in the manifest: data versions, code version, parameters. JSON values.

        Raises:
            LakeError: The columns are not the dataset's.
        """
        refuse_other_columns(dataset, frame)
        folder = dataset.folder(day=day, shard=shard, batch=batch)
        parts = _parts(frame, dataset.sharded and day is not None)
        return self._write(dataset, folder, None, parts, made_by or {})

    def write_by_shard(
        self, dataset: Dataset, frames: Iterable[tuple[int, pl.DataFrame]], *, day: date, made_by: Notes = None
    ) -> Written:
        """Replace a day with its shards as they come, ascending; in one commit, and with one of them in memory.

        The same as `write` of all rows at once.
        """

        def parts() -> Iterator[tuple[str, pl.DataFrame]]:
            for shard, frame in frames:
                refuse_other_columns(dataset, frame)
                if frame.height:
                    yield f"{shard_folder(shard)}/", frame

        return self._write(dataset, dataset.folder(day=day), None, parts(), made_by or {})

    def replace_shard(
        self, dataset: Dataset, frame: pl.DataFrame, *, day: date, shard: int, made_by: Notes = None
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
        part = f"{shard_folder(shard)}/"
        return self._write(dataset, dataset.folder(day=day), part, _one(part, frame), made_by)

    def update(
        self,
        dataset: Dataset,
        change: Change,
        *,
        day: date | None = None,
        shard: int | None = None,
        batch: str | None = None,
        made_by: Notes = None,
    ) -> Written:
        """Replace one unit, or one shard of a day, with what `change` makes of the rows that stand there.

        Where another writer was first, `change` is asked again with what that one wrote: no row is lost.

        Args:
            dataset: What is changed.
            change: From present rows to next ones, of the dataset's columns; equal rows change nothing. Pure.
            day: As for `write`.
            shard: As for `write`; beside a day, that shard of it.
            batch: As for `write`.
            made_by: As for `write`, or for `replace_shard`.
        """
        part = None if day is None or shard is None else f"{shard_folder(shard)}/"
        folder = dataset.folder(day=day, shard=shard if day is None else None, batch=batch)
        place = self.place(dataset, folder)
        self.begin_reading()
        while True:
            document = self.storage.read(place)
            present = standing(document, place)
            entries = [] if present is None else [e for e in present["files"] if in_part(str(e["path"]), part)]
            before = self.read_entries(dataset, folder, entries)
            after = change(before)
            refuse_other_columns(dataset, after)
            noted = part is None or made_by is None or (present or {"made_by": {}})["made_by"].get(part[:-1]) == made_by
            if present is not None and noted and after.equals(before):
                return written(present, changed=False)
            split = _one(part, after) if part else _parts(after, dataset.sharded and day is not None)
            staged = self._staged(folder, place, part, split, made_by if part else made_by or {}, present)
            try:
                return self._units.commit([staged], known=document, only_over={str(entry["path"]) for entry in entries})
            except ConflictError:
                self.storage.remove(f"{folder}/{path}" for path in staged.own)

    def stage(
        self, dataset: Dataset, frame: pl.DataFrame, *, day: date, shard: int | None = None, made_by: Notes = None
    ) -> Staged:
        """Write the files of a day, or of one shard of it, for another process to commit; nothing reads them before.

        Args:
            dataset: One of days.
            frame: The rows.
            day: Which day.
            shard: Only this shard of it.
            made_by: As for `write`, or for `replace_shard`.
        """
        refuse_other_columns(dataset, frame)
        folder = dataset.folder(day=day)
        part = None if shard is None else f"{shard_folder(shard)}/"
        split = _one(part, frame) if part else _parts(frame, dataset.sharded)
        return self._staged(folder, self.place(dataset, folder), part, split, made_by if part else made_by or {}, None)

    def commit(self, staged: Iterable[Staged], *, whole: bool = False, made_by: Notes = None) -> dict[str, Written]:
        """Bring staged parts into force, each unit in one step; the same again changes nothing.

        Args:
            staged: What `stage` gave, of any units; of a part that is given twice the last one counts.
            whole: The parts of a unit are all of it: what else stands there goes.
            made_by: Provenance of each unit.

        Returns:
            By the unit's folder what was written.

        Raises:
            LakeError: A staged file is not there any more.
        """
        by_place: dict[str, list[Staged]] = {}
        for one in staged:
            by_place.setdefault(one.place, []).append(one)
        done = {}
        for parts in by_place.values():
            folder = parts[0].folder
            gone = self.storage.missing(
                [f"{folder}/{path}" for one in parts for path in paths_of({"files": one.files})]
            )
            if gone:
                raise LakeError(f"The staged file {gone[0]} is gone", fix="Stage it again: run this step once more.")
            done[folder] = self._units.commit(parts, whole=whole, made_by=made_by)
        return done

    def remove(self, dataset: Dataset, *, day: date) -> None:
        """Take one day away: first its manifest, so that no reader begins, then its files."""
        folder = dataset.folder(day=day)
        self._units.remove(folder, self.place(dataset, folder))

    def tidy(self, dataset: Dataset) -> int:
        """Remove files that units keep for readers of before, where these have had their time.

        A commit removes what the commit before it dropped; of units that are written no more this does it.

        Returns:
            Files that were removed.
        """
        folders = self._folders(dataset, None, None)
        places = [self.place(dataset, folder) for folder in folders]
        documents = zip(folders, places, self.storage.read_many(places), strict=True)
        return sum(
            self._units.tidy(folder, place, document) for folder, place, document in documents if document is not None
        )

    def write_bytes(self, path: str, content: bytes) -> UPath:
        """Write a document that one writer owns (a report, a receipt) below the root, and return where it is."""
        self._made_with.keep()
        self.storage.put(path, content)
        return self.root / path

    def read_document(self, path: str) -> bytes | None:
        """A document that lies below the root; None where there is none."""
        document = self.storage.read(path)
        return None if document is None else document.content

    def change_document(self, path: str, compose: Compose) -> bytes | None:
        """Replace a document that several may write by what follows from it; see `swap_document`."""
        self._made_with.keep()
        return swap_document(self.storage, path, compose)

    def exclusive(self, what: str, holder: str, *, wait_seconds: float = 1800.0) -> AbstractContextManager[None]:
        """Be the only one on all machines who does something; see `exclusive.py`."""
        self._made_with.keep()
        return exclusive(self.storage, what, holder, wait_seconds=wait_seconds)

    def _write(
        self,
        dataset: Dataset,
        folder: str,
        part: str | None,
        parts: Iterable[tuple[str, pl.DataFrame]],
        made_by: Notes,
    ) -> Written:
        place = self.place(dataset, folder)
        while True:
            document = self.storage.read(place)
            staged = self._staged(folder, place, part, parts, made_by, standing(document, place))
            try:
                return self._units.commit([staged], known=document)
            except ConflictError:
                if not isinstance(parts, list):  # what came one by one cannot be written once more
                    raise

    def _staged(
        self,
        folder: str,
        place: str,
        part: str | None,
        parts: Iterable[tuple[str, pl.DataFrame]],
        made_by: Notes,
        present: Manifest | None,
    ) -> Staged:
        self.prepare()
        done = [write_part(self.storage, folder, name, frame, present) for name, frame in parts]
        reused = frozenset(str(entry["path"]) for entry, stood in done if stood)
        return Staged(folder, place, part, tuple(entry for entry, _ in done), reused, made_by)


def _opened(root: str, shards: int, access: S3Access | None, values: Values) -> Lake:
    return Lake(root, shards=shards, access=access, made_with=values)


def _one(part: str, frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    return [(part, frame)] if frame.height else []


def _parts(frame: pl.DataFrame, sharded: bool) -> list[tuple[str, pl.DataFrame]]:
    if not sharded:
        return [("", frame)]
    return [
        (f"{shard_folder(shard)}/", frame.filter(pl.col("shard") == shard))
        for shard in sorted(frame["shard"].unique().to_list())
    ]
