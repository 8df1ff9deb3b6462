"""Several frames that change together, kept in layers. Belongs here: layers, their one commit, newest wins; no columns.

What changes a little and often (the states of a million learners) is not rewritten: a change appends a layer of the
rows that it touched, and a reader takes the newest row of each key. A shard has one manifest for all of its frames, and
replacing it is the one step in which a change comes into force: a crash before leaves the old shard, after it the new
one. Files of the manifest before stay until the next commit, for readers that had already begun.

Frames lie as `path/frame/shard=0000/<hash>.parquet`, manifests as `path/shard=0000.json`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from upath import UPath

from aivo_assets.errors import LakeError
from aivo_assets.lake.dataset import Dataset
from aivo_assets.lake.store import Lake, read_json, refuse_other_columns, write_atomically, write_part

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Layered:
    """What is kept in layers.

    Attributes:
        path: Folder below the lake's root.
        frames: Name to columns and key of each frame. The first column of every key is the owner: a whole owner can be
            remade, which voids all older rows that he has in any frame.
    """

    path: str
    frames: Mapping[str, tuple[Dataset, tuple[str, ...]]]

    @property
    def owner(self) -> str:
        """The column that says whose a row is."""
        return next(iter(self.frames.values()))[1][0]


@dataclass(frozen=True)
class Layer:
    """What one commit added.

    Attributes:
        sequence: Number of the commit, from 1; of a base the last one whose content it holds.
        files: By frame, the files with path below the frame's folder, rows and bytes.
        owners: Files that list the owners who were remade from nothing; only older layers are void for them.
        ranges: Of a base, first and last owner of each of its parts, ascending.
    """

    sequence: int
    files: Mapping[str, Sequence[Mapping[str, Any]]]
    owners: Sequence[Mapping[str, Any]] = ()
    ranges: Sequence[tuple[str, str]] = ()

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(int(entry["bytes"]) for entries in self.files.values() for entry in entries)


@dataclass(frozen=True)
class Shard:
    """What a shard's manifest says.

    Attributes:
        number: Which shard.
        sequence: Commits so far that changed content.
        layers: Oldest first; the first is the base.
        notes: What whoever committed wrote down; JSON values.
    """

    number: int
    sequence: int
    layers: tuple[Layer, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)


class Layers:
    """The shards of something kept in layers.

    Args:
        lake: Where.
        layered: What.
    """

    def __init__(self, lake: Lake, layered: Layered) -> None:
        self._root, self._layered = lake.root / layered.path, layered
        self._owners = Dataset("remade", {layered.owner: pl.String})

    def shard(self, shard: int) -> Shard | None:
        """What is kept of a shard; None where nothing is."""
        content = read_json(self._manifest(shard))
        if content is None:
            return None
        layers = tuple(
            Layer(**{**layer, "ranges": tuple((first, last) for first, last in layer["ranges"])})
            for layer in content["layers"]
        )
        return Shard(shard, content["sequence"], layers, content["notes"])

    def read(
        self, kept: Shard, frame: str, where: pl.Expr | None = None, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Rows in force of one frame, ascending by its key.

        Args:
            kept: The shard as its manifest was read: all frames read with it are of the same commit.
            frame: Name.
            where: Condition on the key's columns and on no others; it is pushed down to the files.
            columns: These, the key among them; None: all.
        """
        dataset, key = self._layered.frames[frame]
        parts, folder = [], self._folder(frame, kept.number)
        for number, layer in enumerate(kept.layers):
            found = _scan(folder, layer.files[frame], dataset, where).select(columns or list(dataset.schema))
            parts.append(found.with_columns(pl.lit(number, pl.UInt32).alias("_layer")).collect())
        if len(parts) == 1:
            return parts[0].drop("_layer")  # a base is written in order
        since = self._remade(kept)
        rows = (
            pl.concat(parts)
            .join(since, on=key[0], how="left")
            .filter(pl.col("_layer") >= pl.col("_since").fill_null(0))
        )
        return rows.sort(*key, "_layer").unique(key, keep="last", maintain_order=True).drop("_layer", "_since")

    def changed_since(self, kept: Shard, sequence: int) -> pl.Series | None:
        """Owners, ascending, that commits after `sequence` touched; None where that cannot be told: all of them."""
        if sequence < kept.layers[0].sequence:
            return None
        owner = self._layered.owner
        name, (dataset, _) = next(iter(self._layered.frames.items()))
        found = [self._owners.empty()]
        for layer in kept.layers[1:]:
            if layer.sequence > sequence:
                rows = _scan(self._folder(name, kept.number), layer.files[name], dataset, None)
                found += [rows.select(owner).collect(), self._owners_of(kept, layer)]
        return pl.concat(found)[owner].unique().sort()

    def append(self, shard: int, layers: Iterable[tuple[Frames, pl.Series | None]], notes: Mapping[str, Any]) -> Shard:
        """Add what changed, in one commit.

        Args:
            shard: Which; it must have a base.
            layers: Rows that are new or take the place of those with their keys, and the owners (or None) whose older
                rows are void; those of whom nothing is left have no rows. Oldest first.
            notes: Take the place of the notes.

        Raises:
            LakeError: The shard has no base, or a frame has other columns.
        """
        kept = self.shard(shard)
        if kept is None:
            raise LakeError(f"{self._manifest(shard)} does not exist", fix="Rewrite the shard from nothing first.")
        sequence = kept.sequence + 1
        added = [self._write(shard, sequence, [frames], owners) for frames, owners in layers]
        return self._commit(shard, Shard(shard, sequence, (*kept.layers, *added), notes), kept)

    def rewrite(self, shard: int, parts: Iterable[Frames], notes: Mapping[str, Any]) -> Shard:
        """Begin anew with one base.

        Args:
            shard: Which.
            parts: All rows, in parts that follow each other in the order of the owner; written one after the other.
            notes: Take the place of the notes.
        """
        kept = self.shard(shard)
        sequence = kept.sequence + 1 if kept else 1
        return self._commit(shard, Shard(shard, sequence, (self._write(shard, sequence, parts, None),), notes), kept)

    def compact(self, shard: int, until: int | None = None) -> Shard | None:
        """Merge layers into the base, one part of it after the other; what is read stays the same.

        Args:
            shard: Which.
            until: Only layers of commits up to this one, so that whoever knows that commit can still ask who changed
                since; None: all.
        """
        kept = self.shard(shard)
        if kept is None:
            return None
        merged = [layer for layer in kept.layers if until is None or layer.sequence <= until]
        if len(merged) < 2:
            return kept
        old = Shard(shard, merged[-1].sequence, tuple(merged), kept.notes)
        parts = (
            {name: self.read(old, name, where) for name in self._layered.frames}
            for where in between(kept.layers[0].ranges, self._layered.owner)
        )
        base = self._write(shard, old.sequence, parts, None)
        return self._commit(shard, Shard(shard, kept.sequence, (base, *kept.layers[len(merged) :]), kept.notes), kept)

    def _write(self, shard: int, sequence: int, parts: Iterable[Frames], owners: pl.Series | None) -> Layer:
        files: dict[str, list[Mapping[str, Any]]] = {name: [] for name in self._layered.frames}
        ranges = []
        for frames in parts:
            for name, (dataset, _) in self._layered.frames.items():
                refuse_other_columns(dataset, frames[name])
                files[name].append(write_part(self._folder(name, shard), "", frames[name]))
            first = next(iter(frames.values()))[self._layered.owner]
            if len(first):
                ranges.append((str(first[0]), str(first[-1])))
        remade = (
            []
            if owners is None
            else [write_part(self._folder("remade", shard), "", owners.alias(self._layered.owner).to_frame())]
        )
        return Layer(sequence, files, remade, ranges)

    def _commit(self, shard: int, new: Shard, before: Shard | None) -> Shard:
        content = {
            "sequence": new.sequence,
            "layers": [
                {"sequence": layer.sequence, "files": layer.files, "owners": layer.owners, "ranges": layer.ranges}
                for layer in new.layers
            ],
            "notes": new.notes,
        }
        write_atomically(self._manifest(shard), json.dumps(content, indent=1, sort_keys=True).encode())
        listed = {
            (name, str(entry["path"]))
            for kept in (new, before)
            if kept is not None
            for layer in kept.layers
            for name, entries in (*layer.files.items(), ("remade", layer.owners))
            for entry in entries
        }
        for name in (*self._layered.frames, "remade"):
            for file in self._folder(name, shard).glob("*.parquet"):
                if (name, file.name) not in listed:
                    file.unlink(missing_ok=True)
        return new

    def _owners_of(self, kept: Shard, layer: Layer) -> pl.DataFrame:
        """Who was remade in a layer."""
        return _scan(self._folder("remade", kept.number), layer.owners, self._owners, None).collect()

    def _remade(self, kept: Shard) -> pl.DataFrame:
        """owner, `_since`: the layer from which on his rows count."""
        since = [pl.DataFrame(schema={self._layered.owner: pl.String, "_since": pl.UInt32})]
        for number, layer in enumerate(kept.layers):
            if layer.owners:
                since.append(self._owners_of(kept, layer).with_columns(pl.lit(number, pl.UInt32).alias("_since")))
        return pl.concat(since).group_by(self._layered.owner).agg(pl.col("_since").max())

    def _manifest(self, shard: int) -> UPath:
        return self._root / f"shard={shard:04d}.json"

    def _folder(self, frame: str, shard: int) -> UPath:
        return self._root / frame / f"shard={shard:04d}"


def between(ranges: Sequence[tuple[str, str]], owner: str) -> list[pl.Expr]:
    """Conditions that part all owners, known and new ones, at the beginnings of these ranges."""
    starts = [first for first, _ in ranges[1:]]
    conditions = []
    for low, high in zip([None, *starts], [*starts, None], strict=True):
        above = pl.lit(value=True) if low is None else pl.col(owner) >= low
        conditions.append(above if high is None else above & (pl.col(owner) < high))
    return conditions


def _scan(folder: UPath, entries: Sequence[Mapping[str, Any]], dataset: Dataset, where: pl.Expr | None) -> pl.LazyFrame:
    files = [str(folder / entry["path"]) for entry in entries if entry["rows"]]
    if not files:
        return dataset.empty().lazy()
    rows = pl.scan_parquet(files, hive_partitioning=False, glob=False)
    return rows if where is None else rows.filter(where)
