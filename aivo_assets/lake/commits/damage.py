"""Files that were cut short or are gone. Belongs here: finding them by their length; nothing is read or repaired."""

from collections.abc import Iterable
from datetime import date

from upath import UPath

from aivo_assets.lake.dataset import Dataset
from aivo_assets.lake.store import Lake


def damaged_files(lake: Lake, dataset: Dataset, days: Iterable[date]) -> list[str]:
    """Files of a dataset's days that are not there in their full length, each with what was found instead.

    Only lengths are compared, so that it costs no reading, and only where the lake is a folder: an object store shows
    whole objects or none.
    """
    if not lake.storage.is_folder:
        return []
    listed = (
        (f"{dataset.folder(day=day)}/{entry['path']}", int(entry["bytes"]))
        for day in days
        for entry in (lake.manifest(dataset, day=day) or {"files": []})["files"]
    )
    return [_found_at(lake.root / path) for path, size in listed if not lake.storage.is_whole(path, size)]


def damaged_days(lake: Lake, dataset: Dataset, days: Iterable[date]) -> list[date]:
    """Of some days those with a damaged file; what they held cannot be read."""
    return [day for day in days if damaged_files(lake, dataset, [day])]


def _found_at(path: UPath) -> str:
    try:
        status = path.stat()
    except FileNotFoundError:
        return f"{path} is gone"
    return f"{path} of {status.st_size} bytes, written at {status.st_mtime}"
