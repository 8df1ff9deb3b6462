"""Rows taken out of what lies in a lake, whatever wrote it. Belongs here: walking, rewriting listed files, left-overs.

A write replaces what a stage made. Here single files of a unit, or of a shard in layers, are exchanged for the same
files without some rows: columns, provenance and numbers of commits stay, so nothing has to be made again because of it.
The manifest is swapped once for all files of a unit, only over the one that was read, and the work is done again where
another writer was first. A process that is killed leaves the old unit or the new one; the same again does the rest.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from aivo_assets.lake.commits.manifest import GRACE_SECONDS, Entry, composed, encoded, parsed, prefix_of
from aivo_assets.lake.commits.staging import write_part
from aivo_assets.lake.lake_reader import MANIFEST, polars_options
from aivo_assets.lake.store import Lake

_UNIT: Final = re.compile(r"^_manifest(-\d+)?\.json$")
_SHARD: Final = re.compile(r"^shard=\d+(-\d+)?\.json$")
Holds = Callable[[Sequence[str]], set[str]]
"""Of files (paths below the lake's root) those that hold a row which is to go."""
Stays = Callable[[pl.DataFrame], pl.DataFrame]
"""From the rows of a file to those that stay."""


@dataclass(frozen=True)
class Walk:
    """What lies below a lake's root.

    Attributes:
        manifests: Paths of the manifests of units and of shards in layers.
        tables: Paths of Parquet files, listed or not.
        documents: Paths of all other files.
    """

    manifests: tuple[str, ...]
    tables: tuple[str, ...]
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Rewritten:
    """One file without the rows.

    Attributes:
        entry: For the manifest; None where nothing is left of a part that may be absent.
        rows: Rows that were taken out.
    """

    entry: Entry | None
    rows: int


@dataclass
class Exchange:
    """The files of one manifest that are exchanged; kept while the manifest is tried again.

    Attributes:
        place: Path of the manifest.
        files: Path of an old file to what takes its place.
    """

    place: str
    files: dict[str, Rewritten] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows that were taken out."""
        return sum(each.rows for each in self.files.values())


def walk(lake: Lake) -> Walk:
    """Everything below a lake's root, except locks."""
    base = lake.root.fs._strip_protocol(str(lake.root)).rstrip("/") + "/"
    found = sorted(path.removeprefix(base) for path in lake.root.fs.find(base, withdirs=False))
    found = [path for path in found if not path.startswith(".locks/")]
    manifests = [path for path in found if _is_manifest(path)]
    tables = [path for path in found if path.endswith(".parquet")]
    others = set(found) - set(manifests) - set(tables)
    return Walk(tuple(manifests), tuple(tables), tuple(sorted(others)))


def listed(lake: Lake, place: str) -> list[str]:
    """Paths, below the root, of the files that a manifest lists; none where it is gone or its unit was taken away."""
    document = lake.storage.read(place)
    return [] if document is None else [path for path, _, _ in _slots(place, parsed(document.content, place))]


def exchange(lake: Lake, place: str, holds: Holds, stays: Stays) -> Exchange:
    """Write the files of a manifest anew that hold rows which are to go; nothing lists them yet.

    Args:
        lake: Where.
        place: Path of the manifest.
        holds: Says which files are concerned.
        stays: Takes the rows out.
    """
    made = Exchange(place)
    document = lake.storage.read(place)
    if document is not None:
        lake.prepare()
        _write_anew(lake, parsed(document.content, place), made, holds, stays)
    return made


def bring_in(
    lake: Lake,
    made: Exchange,
    holds: Holds,
    stays: Stays,
    *,
    notes: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    owner: str = "learner",
) -> int:
    """Swap the manifest for one that lists the exchanged files; another writer's work meanwhile is looked at as well.

    Args:
        lake: Where.
        made: What `exchange` returned.
        holds: As for `exchange`.
        stays: As for `exchange`.
        notes: Makes the next provenance (of layers: the notes) from the present one. Default: it stays.
        owner: The column by which parts of layers follow each other.

    Returns:
        Rows that were taken out.
    """
    while True:
        lake.prepare()
        document = lake.storage.read(made.place)
        if document is None:
            return made.rows
        manifest = parsed(document.content, made.place)
        _write_anew(lake, manifest, made, holds, stays)
        after = _after(lake, made, json.loads(document.content), notes, owner)
        if after is None or lake.storage.swap(made.place, after, document.tag):
            return made.rows


def unlisted(lake: Lake, found: Walk) -> list[str]:
    """Parquet files that no manifest lists: kept for readers, left by a writer that ended, or written without one."""
    counted = {path for place in found.manifests for path in listed(lake, place)}
    return [path for path in found.tables if path not in counted]


def remove_waiting(lake: Lake, path: str) -> int:
    """Remove the old files of units of a dataset that wait for readers whose time is over; returns how many.

    A commit does so for its own unit. A unit that was taken away, or is never written again, has no later commit.
    """
    waited = 0
    for folder in ("", *lake.storage.folders(path, "day="), *lake.storage.folders(path, "batch=")):
        below = f"{path}/{folder}" if folder else path
        document = lake.storage.read(f"{below}/{MANIFEST}")
        waiting = [] if document is None else parsed(document.content, below).get("superseded", [])
        over = [each for each in waiting if float(each["since"]) + GRACE_SECONDS < time.time()]
        if not over:
            continue
        lake.storage.remove(f"{below}/{each['path']}" for each in over)
        gone = {str(each["path"]) for each in over}

        def without(content: bytes | None, gone: set[str] = gone) -> bytes | None:
            if content is None:
                return None
            manifest = json.loads(content)
            manifest["superseded"] = [each for each in manifest.get("superseded", []) if each["path"] not in gone]
            return encoded(manifest)

        lake.change_document(f"{below}/{MANIFEST}", without)
        waited += len(over)
    return waited


def read_file(lake: Lake, path: str) -> pl.DataFrame:
    """The rows of one file with the columns that it has."""
    options = polars_options(lake.storage)
    return pl.read_parquet(
        lake.storage.location(path), hive_partitioning=False, glob=False, storage_options=options
    )  # fmt: skip


def _is_manifest(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return bool(_UNIT.match(name) or _SHARD.match(name))


def _slots(place: str, manifest: Mapping[str, Any]) -> list[tuple[str, list[Any], Entry]]:
    """Each file of a manifest: its path below the root, the list that it stands in, and its entry there."""
    folder, name = place.rsplit("/", 1)
    if "layers" not in manifest:
        files = manifest["files"]
        return [(f"{folder}/{entry['path']}", files, entry) for entry in files]
    shard = name.split(".", 1)[0].split("-", 1)[0]
    frames = [
        (frame, entries)
        for layer in manifest["layers"]
        for frame, entries in (*layer["files"].items(), ("remade", layer["owners"]))
    ]
    return [
        (f"{folder}/{frame}/{shard}/{entry['path']}", entries, entry) for frame, entries in frames for entry in entries
    ]


def _write_anew(lake: Lake, manifest: Mapping[str, Any], made: Exchange, holds: Holds, stays: Stays) -> None:
    in_layers = "layers" in manifest
    slots = {path: entry for path, _, entry in _slots(made.place, manifest) if path not in made.files}
    for path in sorted(holds(list(slots))):
        before = read_file(lake, path)
        after = stays(before)
        if after.equals(before):
            continue
        prefix = "" if in_layers else prefix_of(str(slots[path]["path"]))
        folder = path.rsplit("/", 1)[0] if in_layers else made.place.rsplit("/", 1)[0]
        if after.is_empty() and prefix:  # a shard without rows on a day has no file
            made.files[path] = Rewritten(None, before.height)
            continue
        entry, _ = write_part(lake.storage, folder, prefix, after, None)
        made.files[path] = Rewritten(entry, before.height - after.height)


def _after(
    lake: Lake,
    made: Exchange,
    manifest: dict[str, Any],
    notes: Callable[[dict[str, Any]], dict[str, Any]] | None,
    owner: str,
) -> bytes | None:
    """The next manifest; None where it is the present one."""
    before = json.dumps(manifest, sort_keys=True)
    in_layers = "layers" in manifest
    gone = []
    for path, entries, entry in _slots(made.place, manifest):
        if path in made.files:
            new = made.files[path].entry
            position = next(number for number, each in enumerate(entries) if each is entry)
            entries[position : position + 1] = [] if new is None else [dict(new)]
            gone.append(path if in_layers else str(entry["path"]))
    if in_layers and gone:
        _move_ranges(lake, made, manifest, owner)
    field_of_notes = "notes" if in_layers else "made_by"
    if notes is not None:
        manifest[field_of_notes] = notes(dict(manifest[field_of_notes]))
    if json.dumps(manifest, sort_keys=True) == before:
        return None
    now = time.time()
    manifest["superseded"] = [*manifest.get("superseded", []), *({"path": path, "since": now} for path in gone)]
    if in_layers:
        return json.dumps(manifest, indent=1, sort_keys=True).encode()
    kept = {name: value for name, value in manifest.items() if name not in ("version", "rows", "files", "made_by")}
    return encoded({**composed(manifest["files"], manifest["made_by"]), **kept})


def _move_ranges(lake: Lake, made: Exchange, manifest: Mapping[str, Any], owner: str) -> None:
    """Bring the ends of a base's parts in line with who is left in them; a part of nobody is none."""
    folder, name = made.place.rsplit("/", 1)
    shard = name.split(".", 1)[0].split("-", 1)[0]
    for layer in manifest["layers"]:
        if not layer["ranges"]:
            continue
        files = [
            lake.storage.location(f"{folder}/{frame}/{shard}/{entry['path']}")
            for frame, entries in layer["files"].items()
            for entry in entries
        ]
        rows = pl.scan_parquet(
            files, schema={owner: pl.String}, extra_columns="ignore", glob=False, hive_partitioning=False,
            storage_options=polars_options(lake.storage),
        )  # fmt: skip
        owners = rows.select(pl.col(owner).unique()).collect(engine="streaming")[owner]
        within = [owners.filter(owners.is_between(first, last)) for first, last in layer["ranges"]]
        layer["ranges"] = [[str(each.min()), str(each.max())] for each in within if len(each)]
