"""Several frames that change together, kept in layers. Belongs here: layers, their one commit, newest wins; no columns.

What changes a little and often (the states of a million learners) is not rewritten: a change appends a layer of the
rows that it touched, and a reader takes the newest row of each key. A shard has one manifest for all of its frames, and
swapping it is the one step in which a change comes into force: a crash before leaves the old shard, after it the new
one. A layer is added only onto the commit that it was made from. Files that no manifest names any more stay a while,
for readers that had already begun.

Frames lie as `path/frame/shard=0000/<hash>.parquet`, manifests as `path/shard=0000.json`.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from aivo_assets.errors import LakeError
from aivo_assets.lake.commits.manifest import parsed, retired
from aivo_assets.lake.commits.published import NEVER_PUBLISHED
from aivo_assets.lake.commits.staging import refuse_other_columns, write_part
from aivo_assets.lake.dataset import Dataset, shard_folder
from aivo_assets.lake.lake_reader import polars_options
from aivo_assets.lake.storage.swapping import ConflictError, swap_document
from aivo_assets.lake.store import Lake

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Layered:
    """What is kept in layers.

    Attributes:
        path: Folder below the lake's root.
        frames: Name to columns and key of each frame. The first column of every key is the owner: a whole owner can be
            remade, which voids all of its older rows in any frame.
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


@dataclass(frozen=True)
class StagedShard:
    """Layers of a shard that are written and wait to be committed. It is small and may be sent to another process.

    Attributes:
        shard: Which shard.
        layers: What the commit adds, or the one new base.
        notes: They take the place of the shard's notes.
        onto: Number of the commit that the layers were made from; None: the new base replaces whatever stands there.
    """

    shard: int
    layers: tuple[Layer, ...]
    notes: Mapping[str, Any]
    onto: int | None


class Layers:
    """The shards of something kept in layers.

    Args:
        lake: Where.
        layered: What.
    """

    def __init__(self, lake: Lake, layered: Layered) -> None:
        self._lake, self._layered = lake, layered
        self._owners = Dataset("remade", {layered.owner: pl.String})

    def shard(self, shard: int) -> Shard | None:
        """What is kept of a shard; None where nothing is."""
        self._lake.begin_reading()
        return self._shard(shard, self._lake.read_document(self._manifest(shard)))

    def read(
        self, layered: Shard, frame: str, where: pl.Expr | None = None, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Rows in force of one frame, ascending by its key.

        Args:
            layered: The shard as its manifest was read: all frames read with it are of the same commit.
            frame: Name.
            where: Condition on the key's columns and on no others; it is pushed down to the files.
            columns: These, the key among them; None: all.
        """
        dataset, key = self._layered.frames[frame]
        parts, folder = [], self._folder(frame, layered.number)
        for number, layer in enumerate(layered.layers):
            frame_rows = self._scan(folder, layer.files[frame], dataset, where).select(columns or list(dataset.schema))
            parts.append(frame_rows.with_columns(pl.lit(number, pl.UInt32).alias("_layer")).collect())
        if len(parts) == 1:
            return parts[0].drop("_layer")  # a base is written in order
        since = self._remade(layered)
        rows = (
            pl.concat(parts)
            .join(since, on=key[0], how="left")
            .filter(pl.col("_layer") >= pl.col("_since").fill_null(0))
        )
        return rows.sort(*key, "_layer").unique(key, keep="last", maintain_order=True).drop("_layer", "_since")

    def changed_since(self, layered: Shard, sequence: int) -> pl.Series | None:
        """Owners, ascending, that commits after `sequence` touched; None where that cannot be told: all of them."""
        if sequence < layered.layers[0].sequence:
            return None
        owner = self._layered.owner
        name, (dataset, _) = next(iter(self._layered.frames.items()))
        owners = [self._owners.empty()]
        for layer in layered.layers[1:]:
            if layer.sequence > sequence:
                rows = self._scan(self._folder(name, layered.number), layer.files[name], dataset, None)
                owners += [rows.select(owner).collect(), self._owners_of(layered, layer)]
        return pl.concat(owners)[owner].unique().sort()

    def stage(
        self,
        shard: int,
        layers: Iterable[tuple[Frames, pl.Series | None]],
        notes: Mapping[str, Any],
        *,
        onto: int | None = None,
    ) -> StagedShard:
        """Write what changed, for a commit that adds it.

        Args:
            shard: Which; it must have a base.
            layers: Rows that are new or take the place of those with their keys, and the owners (or None) whose older
                rows are void; those of whom nothing is left have no rows. Oldest first.
            notes: Take the place of the notes.
            onto: Number of the commit that the rows were made from; None: the present one, for rows based on none.

        Raises:
            LakeError: The shard has no base, or a frame has other columns.
            ConflictError: Another writer has committed since `onto`; make the rows again.
        """
        standing = self.shard(shard)
        if standing is None:
            raise LakeError(f"{self._manifest(shard)} does not exist", fix="Rewrite the shard from nothing first.")
        onto = standing.sequence if onto is None else onto
        self._refuse_other(standing, onto)
        added = [self._write(shard, onto + 1, [frames], owners) for frames, owners in layers]
        return StagedShard(shard, tuple(added), notes, onto)

    def stage_base(self, shard: int, parts: Iterable[Frames], notes: Mapping[str, Any]) -> StagedShard:
        """Write one new base, for a commit that starts over; of two that do so at once the last one wins as a whole.

        Args:
            shard: Which.
            parts: All rows, in parts that follow each other in the order of the owner; written one after the other.
            notes: Take the place of the notes.
        """
        return StagedShard(shard, (self._write(shard, 0, parts, None),), notes, None)

    def commit(self, staged: StagedShard) -> Shard:
        """Bring staged layers into force, in one step.

        Raises:
            ConflictError: Another writer has committed since the layers were made; make the rows again.
        """

        def compose(present: Shard | None) -> Shard:
            if staged.onto is None:
                sequence = present.sequence + 1 if present else 1
                return Shard(staged.shard, sequence, (replace(staged.layers[0], sequence=sequence),), staged.notes)
            self._refuse_other(present, staged.onto)
            assert present is not None
            return Shard(staged.shard, staged.onto + 1, (*present.layers, *staged.layers), staged.notes)

        return self._commit(staged.shard, compose, staged.layers)

    def compact(self, shard: int, until: int | None = None) -> Shard | None:
        """Merge layers into the base, one part of it after the other; what is read stays the same.

        If another writer merged or started over meanwhile, nothing is done.

        Args:
            shard: Which.
            until: Only layers of commits up to this one, so that whoever knows that commit can still ask who changed
                since; None: all.
        """
        standing = self.shard(shard)
        if standing is None:
            return None
        merged = tuple(layer for layer in standing.layers if until is None or layer.sequence <= until)
        if len(merged) < 2:
            return standing
        old = Shard(shard, merged[-1].sequence, merged, standing.notes)
        parts = (
            {name: self.read(old, name, where) for name in self._layered.frames}
            for where in between(standing.layers[0].ranges, self._layered.owner)
        )
        base = self._write(shard, old.sequence, parts, None)

        def compose(present: Shard | None) -> Shard | None:
            if present is None or present.layers[: len(merged)] != merged:
                return None
            return Shard(shard, present.sequence, (base, *present.layers[len(merged) :]), present.notes)

        return self._commit(shard, compose, [base])

    def _write(self, shard: int, sequence: int, parts: Iterable[Frames], owners: pl.Series | None) -> Layer:
        files: dict[str, list[Mapping[str, Any]]] = {name: [] for name in self._layered.frames}
        ranges = []
        for frames in parts:
            for name, (dataset, _) in self._layered.frames.items():
                refuse_other_columns(dataset, frames[name])
                files[name].append(self._written(name, shard, frames[name]))
            first = next(iter(frames.values()))[self._layered.owner]
            if len(first):
                ranges.append((str(first[0]), str(first[-1])))
        remade = (
            [] if owners is None else [self._written("remade", shard, owners.alias(self._layered.owner).to_frame())]
        )
        return Layer(sequence, files, remade, ranges)

    def _written(self, frame: str, shard: int, rows: pl.DataFrame) -> Mapping[str, Any]:
        self._lake.prepare()
        return write_part(self._lake.storage, self._folder(frame, shard), "", rows, None)[0]

    def _commit(self, shard: int, compose: Callable[[Shard | None], Shard | None], written: Sequence[Layer]) -> Shard:
        """Swap the manifest of a shard for what is composed from it; files that came to nothing are removed."""
        removable: list[str] = []
        own = {path for layer in written for path in self._paths(shard, layer)}

        def next_manifest(content: bytes | None) -> bytes | None:
            nonlocal removable
            self._lake.prepare()
            removable = []
            before = self._shard(shard, content)
            new = compose(before)
            if new is None:
                return None
            superseded = [] if content is None else json.loads(content).get("superseded", [])
            waiting, removable = retired(
                [] if before is None else [path for layer in before.layers for path in self._paths(shard, layer)],
                [path for layer in new.layers for path in self._paths(shard, layer)],
                superseded,
                now=time.time(),
                read_at=self._lake.marks.last() if superseded else 0.0,
                released=lambda: NEVER_PUBLISHED,
            )
            return _encoded(new, waiting)

        committed: set[str] = set()
        try:
            standing = self._shard(shard, swap_document(self._lake.storage, self._manifest(shard), next_manifest))
            assert standing is not None
            committed = {path for layer in standing.layers for path in self._paths(shard, layer)}
        finally:
            self._lake.storage.remove([*removable, *sorted(own - committed)])
        return standing

    def _shard(self, shard: int, content: bytes | None) -> Shard | None:
        if content is None:
            return None
        manifest = parsed(content, self._manifest(shard))
        layers = tuple(
            Layer(**{**layer, "ranges": tuple((first, last) for first, last in layer["ranges"])})
            for layer in manifest["layers"]
        )
        return Shard(shard, manifest["sequence"], layers, manifest["notes"])

    def _paths(self, shard: int, layer: Layer) -> list[str]:
        """Paths of a layer's files below the lake's root."""
        files = (*layer.files.items(), ("remade", layer.owners))
        return [f"{self._folder(name, shard)}/{entry['path']}" for name, entries in files for entry in entries]

    def _refuse_other(self, present: Shard | None, onto: int) -> None:
        if present is None or present.sequence != onto:
            raise ConflictError(
                f"{self._layered.path} was changed by another writer since commit {onto}",
                fix="Run this step once more.",
            )

    def _owners_of(self, layered: Shard, layer: Layer) -> pl.DataFrame:
        """Who was remade in a layer."""
        return self._scan(self._folder("remade", layered.number), layer.owners, self._owners, None).collect()

    def _remade(self, layered: Shard) -> pl.DataFrame:
        """owner, `_since`: the layer from which on its rows count."""
        since = [pl.DataFrame(schema={self._layered.owner: pl.String, "_since": pl.UInt32})]
        for number, layer in enumerate(layered.layers):
            if layer.owners:
                since.append(self._owners_of(layered, layer).with_columns(pl.lit(number, pl.UInt32).alias("_since")))
        return pl.concat(since).group_by(self._layered.owner).agg(pl.col("_since").max())

    def _manifest(self, shard: int) -> str:
        layout = "" if self._lake.layout == 1 else f"-{self._lake.layout}"
        return f"{self._layered.path}/{shard_folder(shard)}{layout}.json"

    def _folder(self, frame: str, shard: int) -> str:
        return f"{self._layered.path}/{frame}/{shard_folder(shard)}"

    def _scan(
        self, folder: str, entries: Sequence[Mapping[str, Any]], dataset: Dataset, where: pl.Expr | None
    ) -> pl.LazyFrame:
        storage = self._lake.storage
        files = [storage.location(f"{folder}/{entry['path']}") for entry in entries if entry["rows"]]
        if not files:
            return dataset.empty().lazy()
        rows = pl.scan_parquet(files, hive_partitioning=False, glob=False, storage_options=polars_options(storage))
        return rows if where is None else rows.filter(where)


def between(ranges: Sequence[tuple[str, str]], owner: str) -> list[pl.Expr]:
    """Conditions that part all owners, known and new ones, at the beginnings of these ranges."""
    starts = [first for first, _ in ranges[1:]]
    conditions = []
    for low, high in zip([None, *starts], [*starts, None], strict=True):
        above = pl.lit(value=True) if low is None else pl.col(owner) >= low
        conditions.append(above if high is None else above & (pl.col(owner) < high))
    return conditions


def _encoded(shard: Shard, waiting: Sequence[Mapping[str, Any]]) -> bytes:
    content = {
        "sequence": shard.sequence,
        "layers": [
            {"sequence": layer.sequence, "files": layer.files, "owners": layer.owners, "ranges": layer.ranges}
            for layer in shard.layers
        ],
        "notes": shard.notes,
        "superseded": waiting,
    }
    return json.dumps(content, indent=1, sort_keys=True).encode()
