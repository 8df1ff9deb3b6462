"""Moving a lake to another number of shards. Belongs here: splitting the rows and the switch; no dataset's meaning.

Every day that is split by shard is written a second time under the manifests of a new layout, one day in memory at a
time. The old layout serves until all of them are there. Then the lake is closed to writers for some seconds, what
changed meanwhile is moved as well, and `lake.json` is swapped: from then on the new layout counts. A day that was moved
says what it was made from, so what was begun goes on where it ended.

What is kept in layers is not moved: it is folded from the days again by the next check. What the layout before leaves
behind is taken away when no reader can have it open any more (`left_over.py`).
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from aivo_assets.errors import LakeError
from aivo_assets.lake.catalogue import Held, datasets
from aivo_assets.lake.commits.layers import Layered
from aivo_assets.lake.commits.manifest import Manifest, digest
from aivo_assets.lake.dataset import Dataset, shard_folder
from aivo_assets.lake.lake_reader import polars_options
from aivo_assets.lake.layout.made_with import CHECK_AGAIN_SECONDS, is_sealed, left_layouts, reopened, sealed, switched
from aivo_assets.lake.shards import shard_of
from aivo_assets.lake.storage.exclusive import exclusive
from aivo_assets.lake.store import Lake

MOVED_FROM: Final = "moved from"
Notes = Callable[[list[Mapping[str, Any]]], Mapping[str, Any]]
"""From the notes of the shards that a new one takes learners from to its own."""


@dataclass(frozen=True)
class Moved:
    """What was done.

    Attributes:
        days: Days of all datasets that were moved now.
        rows: Their rows.
    """

    days: int
    rows: int

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(self.days + other.days, self.rows + other.rows)


@dataclass(frozen=True)
class Move:
    """A move of one lake.

    Attributes:
        lake: As it is; it cannot be used afterwards.
        target: As it is to be.
        layered: What is kept in layers.
        notes: Makes the notes of a new shard.
        say: Is told of each dataset.
    """

    lake: Lake
    target: Lake
    layered: tuple[Layered, ...]
    notes: Notes
    say: Callable[[str], None]

    def all_days(self) -> Moved:
        """Move every day that was not moved as it is now, and take away those that are gone."""
        done = Moved(0, 0)
        for held in datasets(self.lake, self.layered):
            if held.kind == "day" and held.sharded:
                done += self._dataset(held)
        return done

    def whole_units(self, shards: int) -> None:
        """Give the learners of datasets that are replaced as a whole their shard; the same again changes nothing."""
        for held in datasets(self.lake, self.layered):
            if held.kind != "whole":
                continue
            schema = self._schema(held)
            if not {"learner", "shard"} <= schema.keys():
                continue
            dataset = Dataset(held.path, schema)
            rows = self.target.scan(dataset).with_columns(shard_of(pl.col("learner"), shards)).collect()
            manifest = self.target.manifest(dataset)
            self.target.write(dataset, rows, made_by=None if manifest is None else manifest["made_by"])

    def _dataset(self, held: Held) -> Moved:
        dataset = Dataset(held.path, {}, unit="day", sharded=True)
        days = [date.fromisoformat(unit.removeprefix("day=")) for unit in held.units]
        for gone in set(self.target.days(dataset)) - set(days):
            self.target.remove(dataset, day=gone)
        moved = [rows for day in days if (rows := self._day(dataset, day)) is not None]
        if moved:
            self.say(f"{held.path}: {len(moved)} of {len(days)} days moved, {sum(moved):,} rows")
        return Moved(len(moved), sum(moved))

    def _day(self, dataset: Dataset, day: date) -> int | None:
        """Move one day, unless that was done; returns its rows."""
        manifest, there = self.lake.manifest(dataset, day=day), self.target.manifest(dataset, day=day)
        if manifest is None:
            return None
        mark = _mark(manifest, self.target.shards)
        if there is not None and there["made_by"].get(MOVED_FROM) == mark:
            return None
        folder, storage = dataset.folder(day=day), self.lake.storage
        places = [storage.location(f"{folder}/{entry['path']}") for entry in manifest["files"]]
        parts = [_read(self.lake, place) for place in places]
        made_by = self._made_by(manifest) | {MOVED_FROM: mark}
        if not parts:
            self.target.write_by_shard(dataset, [], day=day, made_by=made_by)
            return 0
        by_learner = all(part["learner"].is_sorted() for part in parts)
        rows = pl.concat(parts).with_columns(shard_of(pl.col("learner"), self.target.shards))
        if by_learner:
            rows = rows.sort("learner", maintain_order=True)
        schema = Dataset(dataset.path, dict(rows.schema), unit="day", sharded=True)
        self.target.write(schema, rows, day=day, made_by=made_by)
        return rows.height

    def _made_by(self, manifest: Manifest) -> dict[str, Any]:
        """Provenance of the day as it stands; of each new shard, what follows from those it takes learners from."""
        notes = {name: value for name, value in manifest["made_by"].items() if name != MOVED_FROM}
        by_shard = [value for name, value in notes.items() if name.startswith("shard=")]
        notes = {name: value for name, value in notes.items() if not name.startswith("shard=")}
        if by_shard:
            notes |= {shard_folder(shard): dict(self.notes(by_shard)) for shard in range(self.target.shards)}
        return notes

    def _schema(self, held: Held) -> dict[str, Any]:
        files = self.lake.files(Dataset(held.path, {}))
        if not files:
            return {}
        how = {"glob": False, "storage_options": polars_options(self.lake.storage)}
        return dict(pl.scan_parquet(files, **how).collect_schema())  # type: ignore[arg-type]


def reshard(
    lake: Lake,
    shards: int,
    layered: Iterable[Layered],
    notes: Notes,
    say: Callable[[str], None],
    *,
    last_step: Callable[[], AbstractContextManager[None]],
) -> Moved:
    """Move a lake to another number of shards.

    Args:
        lake: As it is; it cannot be used afterwards.
        shards: How many it is to have.
        layered: What is kept in layers.
        notes: Makes the notes of a new shard.
        say: Is told of each dataset.
        last_step: What is held while the lake is closed to writers, so that none of them is cut off half-way.

    Raises:
        LakeError: The lake has that many already, or somebody else moves it.
    """
    if shards == lake.shards:
        raise LakeError(f"The lake at {lake.root} has {shards} shards already", fix="There is nothing to do.")
    with exclusive(lake.storage, "reshard", f"aivo lake reshard {shards}", wait_seconds=1):
        move = Move(lake, lake.beside(shards), tuple(layered), notes, say)
        if is_sealed(lake.storage):  # whoever closed it was killed, for we are the only one who moves it
            move.whole_units(lake.shards)
            reopened(lake.storage)
        done = move.all_days()
        with last_step():
            sealed(lake.storage, shards)
            try:
                time.sleep(2 * CHECK_AGAIN_SECONDS)  # until every writer has seen it
                done += move.all_days()
                move.whole_units(shards)
                left = left_layouts(lake.storage) | {str(lake.layout): time.time()}
            except BaseException:
                move.whole_units(lake.shards)
                reopened(lake.storage)
                raise
            switched(lake.storage, shards, move.target.layout, left)
    return done


def _mark(manifest: Manifest, shards: int) -> str:
    """What a moved day was made from: content and notes of the old one, and into how many shards."""
    return digest(json.dumps([manifest["version"], manifest["made_by"], shards], sort_keys=True).encode())


def _read(lake: Lake, place: str) -> pl.DataFrame:
    return pl.read_parquet(place, hive_partitioning=False, glob=False, storage_options=polars_options(lake.storage))
