"""What a layout of shards leaves behind that counts no more. Belongs here: finding and removing it; no moving.

The files of a layout before stay for the readers that had opened the lake with it. Later nobody reads them: every
reader looks again and again whether the lake was moved.
"""

import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import Final

from aivo_assets.lake.commits.layers import Layered
from aivo_assets.lake.commits.manifest import GRACE_SECONDS
from aivo_assets.lake.commits.published import released_until
from aivo_assets.lake.lake_reader import manifest_name
from aivo_assets.lake.layout.made_with import forget_layouts, left_layouts
from aivo_assets.lake.store import Lake

_DAY: Final = re.compile(r"^day=")


def remove_left_layouts(lake: Lake, layered: Iterable[Layered], *, now: float | None = None) -> int:
    """Remove the files of layouts that ended a while ago; what was interrupted goes on the next time.

    Args:
        lake: As it is now.
        layered: What is kept in layers.
        now: Seconds since the epoch. Default: the present.

    Returns:
        Manifests that were removed with their files.
    """
    now = time.time() if now is None else now
    left = left_layouts(lake.storage)
    ended = [number for number, since in left.items() if now - since > GRACE_SECONDS]
    removed, held = 0, set[str]()
    for number in ended:
        for place, files in (*_units(lake, "", int(number)), *_shards(lake, tuple(layered), int(number))):
            if left[number] >= released_until(lake.storage, place.rpartition("/")[0]):
                held.add(number)  # a Delta table may still name these
                continue
            lake.storage.remove(files)
            lake.storage.remove([place])
            removed += 1
    over = {number for number in ended if number not in held}
    if over:
        forget_layouts(lake.storage, {number: since for number, since in left.items() if number not in over})
    return removed


def _units(lake: Lake, path: str, layout: int) -> Iterator[tuple[str, list[str]]]:
    """Manifests of days in that layout, each with its files; a day without one in the present layout is not split."""
    folders = [name for name in lake.storage.folders(path, "") if "." not in name and not name.startswith("_")]
    for name in folders:
        below = f"{path}/{name}" if path else name
        if not _DAY.match(name):
            if "=" not in name:
                yield from _units(lake, below, layout)
            continue
        if lake.storage.read(f"{below}/{manifest_name(lake.layout)}") is None:
            continue
        place = f"{below}/{manifest_name(layout)}"
        document = lake.storage.read(place)
        if document is not None:
            yield place, [f"{below}/{path}" for path in _listed(document.content)]


def _shards(lake: Lake, layered: tuple[Layered, ...], layout: int) -> Iterator[tuple[str, list[str]]]:
    ending = "" if layout == 1 else f"-{layout}"
    for one in layered:
        for name in lake.storage.files(one.path, "shard="):
            if not re.fullmatch(rf"shard=\d+{ending}\.json", name):
                continue
            document, shard = lake.storage.read(f"{one.path}/{name}"), name.split(".")[0].split("-")[0]
            if document is not None:
                yield f"{one.path}/{name}", _in_layers(one.path, shard, document.content)


def _listed(content: bytes) -> list[str]:
    manifest = json.loads(content)
    return [str(entry["path"]) for entry in (*manifest["files"], *manifest.get("superseded", []))]


def _in_layers(path: str, shard: str, content: bytes) -> list[str]:
    manifest = json.loads(content)
    paths = [str(entry["path"]) for entry in manifest.get("superseded", [])]
    for layer in manifest["layers"]:
        for frame, entries in (*layer["files"].items(), ("remade", layer["owners"])):
            paths += [f"{path}/{frame}/{shard}/{entry['path']}" for entry in entries]
    return paths
