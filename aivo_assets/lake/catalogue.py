"""What a lake holds, found by looking at it. Belongs here: its datasets, units and sizes, and their rows; no schema.

Datasets are found by their folders, so that whatever wrote them, and whatever the storage is, they are seen: units with
a manifest, frames in layers, and plain Parquet files (what dbt makes).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import polars as pl

from aivo_assets.errors import LakeError
from aivo_assets.lake.commits.layers import Layered, Layers
from aivo_assets.lake.dataset import Dataset, Unit
from aivo_assets.lake.lake_reader import MANIFEST, polars_options
from aivo_assets.lake.store import Lake

Kind = Literal[Unit, "file"]
_UNIT = re.compile(r"^(day|shard|batch)=")
_SHARD_MANIFEST = re.compile(r"^shard=(\d+)(?:-(\d+))?\.json$")
RAW: Final = "raw"


@dataclass(frozen=True)
class Held:
    """One dataset that a lake holds.

    Attributes:
        path: Folder below the root; of a plain file its path without the ending.
        kind: What is replaced as a whole.
        units: Names of its units, ascending.
        rows: In all of them; None where only reading would tell.
        bytes: Size of the files that count; None where only reading would tell.
        sharded: Whether its rows are parted by shard.
    """

    path: str
    kind: Kind
    units: tuple[str, ...]
    rows: int | None
    bytes: int | None
    sharded: bool = False

    @property
    def is_personal(self) -> bool:
        """Whether it holds personal data: the raw zone does, nothing else."""
        return self.path.split("/", 1)[0] == RAW


def datasets(lake: Lake, layered: Iterable[Layered]) -> list[Held]:
    """All datasets that a lake holds, by path.

    Args:
        lake: The lake.
        layered: What is kept in layers; folders cannot say which columns are its keys.
    """
    by_path = {one.path: one for one in layered}
    return sorted(_below(lake, "", by_path), key=lambda held: held.path)


def find(lake: Lake, path: str, layered: Iterable[Layered]) -> Held:
    """One dataset by its path.

    Raises:
        LakeError: There is none; the message names those that are.
    """
    wanted = path.strip("/")
    by_path = {one.path: one for one in layered}
    parent = wanted.rsplit("/", 1)[0] if "/" in wanted else ""
    inside = not {".", ".."}.intersection(wanted.split("/"))
    for start in dict.fromkeys((wanted, parent)) if inside else ():
        for held in _below(lake, start, by_path):
            if held.path == wanted:
                return held
    known = [held.path for held in datasets(lake, by_path.values())]
    below = [name for name in known if wanted in name] or known
    raise LakeError(
        f"The lake at {lake.root} holds no dataset {path!r}",
        fix=f"It holds {', '.join(below)}." if known else "It is empty: `aivo ingest` or `aivo demo` fills it.",
    )


def rows_of(
    lake: Lake, held: Held, layered: Iterable[Layered], *, day: date | None = None, shard: int | None = None
) -> pl.LazyFrame:
    """The rows of a dataset with the columns that its files have; those that a file lacks are null.

    Args:
        lake: The lake.
        held: The dataset.
        layered: As for `datasets`.
        day: Only this day.
        shard: Only this shard.

    Raises:
        LakeError: It has no such day or shard, or is not kept by day or shard.
    """
    if day is not None:
        _refuse_other_day(held, day)
    if shard is not None and not held.sharded:
        raise LakeError(f"{held.path} is not kept by shard", fix="Leave --shard out.")
    if shard is not None and shard >= lake.shards:
        raise LakeError(f"There is no shard {shard}", fix=f"The lake has {lake.shards}, numbered from 0.")
    if held.kind == "layers":
        return _layered_rows(lake, held, layered, shard)
    if held.kind == "file":
        return _scan(lake, [lake.storage.location(f"{held.path}.parquet")])
    dataset = Dataset(held.path, {}, unit=held.kind, sharded=held.sharded)
    files = lake.files(dataset, days=None if day is None else [day], shards=None if shard is None else [shard])
    return _scan(lake, files)


def _refuse_other_day(held: Held, day: date) -> None:
    if held.kind != "day":
        raise LakeError(f"{held.path} is kept by {held.kind}, not by day", fix="Leave --day out.")
    if f"day={day}" not in held.units:
        first, last = (held.units[position].removeprefix("day=") for position in (0, -1))
        raise LakeError(
            f"{held.path} holds nothing of {day}", fix=f"Its days, {len(held.units):,}, go from {first} to {last}."
        )


def _below(lake: Lake, path: str, layered: dict[str, Layered]) -> Iterator[Held]:
    storage = lake.storage
    folders = [name for name in storage.folders(path, "") if "." not in name and not name.startswith("_")]
    files = storage.files(path, "")
    units = [name for name in folders if _UNIT.match(name)]
    others = [name for name in folders if name not in units]
    if path in layered:
        yield from _frames(lake, layered[path], files)
        return
    if MANIFEST in files:
        yield from _held(lake, path, "whole")
    elif units:
        kinds: dict[str, Unit] = {"day": "day", "shard": "shard", "batch": "batch"}
        yield from _held(lake, path, kinds[units[0].split("=", 1)[0]])
    elif path:
        yield from (_plain(path, name) for name in files if name.endswith(".parquet") and not name.startswith("."))
    for name in others:
        yield from _below(lake, f"{path}/{name}" if path else name, layered)


def _held(lake: Lake, path: str, kind: Unit) -> Iterator[Held]:
    units = lake.units(Dataset(path, {}, unit=kind, sharded=True))
    entries = [entry for manifest in units.values() for entry in manifest["files"]]
    sharded = kind == "shard" or any(str(entry["path"]).startswith("shard=") for entry in entries)
    if not sharded and lake.layout > 1:
        units = lake.units(Dataset(path, {}, unit=kind))
        entries = [entry for manifest in units.values() for entry in manifest["files"]]
    if units:
        rows = sum(int(manifest["rows"]) for manifest in units.values())
        size = sum(int(entry["bytes"]) for entry in entries)
        yield Held(path, kind, () if kind == "whole" else tuple(units), rows, size, sharded)


def _frames(lake: Lake, layered: Layered, files: list[str]) -> Iterator[Held]:
    shard_manifests = [match for name in files if (match := _SHARD_MANIFEST.match(name))]
    shards = sorted({int(match[1]) for match in shard_manifests if int(match[2] or 1) == lake.layout})
    if not shards:
        return
    layers = Layers(lake, layered)
    states = [states for shard in shards if (states := layers.shard(shard)) is not None]
    for frame in layered.frames:
        size = sum(int(e["bytes"]) for shard in states for layer in shard.layers for e in layer.files[frame])
        units = tuple(f"shard={shard:04d}" for shard in shards)
        yield Held(f"{layered.path}/{frame}", "layers", units, None, size, sharded=True)


def _plain(path: str, name: str) -> Held:
    return Held(f"{path}/{name.removesuffix('.parquet')}", "file", (), None, None)


def _layered_rows(lake: Lake, held: Held, layered: Iterable[Layered], shard: int | None) -> pl.LazyFrame:
    path, frame = held.path.rsplit("/", 1)
    (chosen,) = (one for one in layered if one.path == path)
    layers = Layers(lake, chosen)
    shards = [int(unit.removeprefix("shard=")) for unit in held.units] if shard is None else [shard]
    states = [states for number in shards if (states := layers.shard(number)) is not None]
    dataset, _ = chosen.frames[frame]
    return pl.concat([dataset.empty().lazy(), *(layers.read(one, frame).lazy() for one in states)])


def _scan(lake: Lake, files: list[str]) -> pl.LazyFrame:
    if not files:
        return pl.LazyFrame()
    how: dict[str, Any] = {"hive_partitioning": False, "glob": False, "storage_options": polars_options(lake.storage)}
    schema = pl.scan_parquet(files[-1], **how).collect_schema()  # of the newest unit
    return pl.scan_parquet(files, schema=schema, missing_columns="insert", extra_columns="ignore", **how)
