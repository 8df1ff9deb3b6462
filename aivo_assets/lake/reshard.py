"""Moving a lake to another number of shards. Belongs here: parting the rows anew and the switch; no dataset's meaning.

Every day that is split by shard is written a second time under the manifests of a new layout, one day in memory at a
time. The old layout serves until all of them are there. Then the lake is closed to writers for some seconds, what
changed meanwhile is moved as well, and `lake.json` is swapped: from then on the new layout counts. A day that was moved
says which version it was made from, so what was begun goes on where it ended.

What is kept in layers is not moved: it is folded from the days again by the next check.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from aivo_assets.errors import LakeError
from aivo_assets.lake.catalogue import Held, datasets
from aivo_assets.lake.dataset import Dataset, shard_folder
from aivo_assets.lake.layers import Layered
from aivo_assets.lake.made_with import CHECK_AGAIN_SECONDS, reopened, sealed, switched
from aivo_assets.lake.shards import shard_of
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


def reshard(lake: Lake, shards: int, layered: Iterable[Layered], notes: Notes, say: Callable[[str], None]) -> Moved:
    """Move a lake to another number of shards.

    Args:
        lake: As it is; it cannot be used afterwards.
        shards: How many it is to have.
        layered: What is kept in layers.
        notes: Makes the notes of a new shard.
        say: Is told of each dataset.

    Raises:
        LakeError: The lake has that many already, or somebody else moves it.
    """
    if shards == lake.shards:
        raise LakeError(f"The lake at {lake.root} has {shards} shards already", fix="Nothing is left to be done.")
    with lake.exclusive("reshard", f"aivo lake reshard {shards}", wait_seconds=1):
        target = lake.beside(shards)
        done = _move_all(lake, target, layered, notes, say)
        sealed(lake.storage, shards)
        try:
            time.sleep(2 * CHECK_AGAIN_SECONDS)  # until every writer has seen it
            last = _move_all(lake, target, layered, notes, say)
            _mark_whole_units(lake, target, layered)
        except BaseException:
            reopened(lake.storage)
            raise
        switched(lake.storage, shards, target.layout)
    return Moved(done.days + last.days, done.rows + last.rows)


def _move_all(lake: Lake, target: Lake, layered: Iterable[Layered], notes: Notes, say: Callable[[str], None]) -> Moved:
    days = rows = 0
    for held in datasets(lake, layered):
        if held.kind != "day" or not held.sharded:
            continue
        moved = [
            _move_day(lake, target, held, date.fromisoformat(unit.removeprefix("day=")), notes) for unit in held.units
        ]
        here = [count for count in moved if count is not None]
        if here:
            say(f"{held.path}: {len(here)} of {len(held.units)} days moved, {sum(here):,} rows")
        days, rows = days + len(here), rows + sum(here)
    return Moved(days, rows)


def _move_day(lake: Lake, target: Lake, held: Held, day: date, notes: Notes) -> int | None:
    """Move one day, unless that was done; returns its rows."""
    dataset = Dataset(held.path, {}, unit="day", sharded=True)
    manifest, there = lake.manifest(dataset, day=day), target.manifest(dataset, day=day)
    if manifest is None:
        return None
    if there is not None and there["made_by"].get(MOVED_FROM) == manifest["version"]:
        return None
    folder = dataset.folder(day=day)
    locations = [lake.storage.location(f"{folder}/{entry['path']}") for entry in manifest["files"]]
    parts = [pl.read_parquet(place, hive_partitioning=False, storage_options=_options(lake)) for place in locations]
    made_by = _made_by(manifest, parts, target.shards, notes) | {MOVED_FROM: manifest["version"]}
    if not parts:
        target.write_by_shard(dataset, [], day=day, made_by=made_by)
        return 0
    by_learner = all(part["learner"].is_sorted() for part in parts)
    rows = pl.concat(parts).with_columns(shard_of(pl.col("learner"), target.shards))
    if by_learner:
        rows = rows.sort("learner", maintain_order=True)
    schema = Dataset(held.path, dict(rows.schema), unit="day", sharded=True)
    target.write(schema, rows, day=day, made_by=made_by)
    return rows.height


def _made_by(manifest: Mapping[str, Any], parts: list[pl.DataFrame], shards: int, notes: Notes) -> dict[str, Any]:
    """Provenance of the day as it stands, and of each new shard what follows from those that it takes learners from."""
    by_shard = {name: value for name, value in manifest["made_by"].items() if name.startswith("shard=")}
    made_by = {name: value for name, value in manifest["made_by"].items() if name not in by_shard}
    if by_shard:
        taken = list(by_shard.values())
        made_by |= {shard_folder(shard): dict(notes(taken)) for shard in range(shards)}
    return made_by


def _mark_whole_units(lake: Lake, target: Lake, layered: Iterable[Layered]) -> None:
    """Give the learners of datasets that are replaced as a whole their new shard; the same again changes nothing."""
    for held in datasets(lake, layered):
        if held.kind != "whole":
            continue
        schema = _schema(lake, held)
        if not {"learner", "shard"} <= schema.keys():
            continue
        dataset = Dataset(held.path, schema)
        rows = lake.scan(dataset).with_columns(shard_of(pl.col("learner"), target.shards)).collect()
        manifest = lake.manifest(dataset)
        target.write(dataset, rows, made_by=None if manifest is None else manifest["made_by"])


def _schema(lake: Lake, held: Held) -> dict[str, pl.DataType]:
    files = lake.files(Dataset(held.path, {}))
    return dict(pl.scan_parquet(files, storage_options=_options(lake), glob=False).collect_schema()) if files else {}


def _options(lake: Lake) -> dict[str, Any] | None:
    options = lake.storage.polars_options
    return None if options is None else dict(options)
