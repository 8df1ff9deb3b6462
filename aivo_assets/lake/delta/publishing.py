"""Keeping Delta tables at what the lake holds. Belongs here: when a log is written, and when old ones may go.

The order is what keeps every table readable, wherever a publisher is killed: first the record from which writers know
that files are held (`commits/published.py`), then the log, then the record of what the log names no more.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aivo_assets.lake.commits.manifest import Entry
from aivo_assets.lake.commits.published import Record, read_record, record_path
from aivo_assets.lake.dataset import Dataset
from aivo_assets.lake.delta.log import DeltaLog
from aivo_assets.lake.store import Lake


@dataclass(frozen=True)
class DeltaTable:
    """A published table beside what the lake holds.

    Attributes:
        dataset: Path of the dataset.
        uri: What a reader opens.
        version: Of the table; grows with every publication that changed something. None: it is not published.
        files: Files that the lake counts.
        rows: Their rows.
        differing: Files that the table names and the lake does not count, or the other way round, or with other sizes.
        changed: Whether this publication changed it.
    """

    dataset: str
    uri: str
    version: int | None
    files: int
    rows: int
    differing: tuple[str, ...] = ()
    changed: bool = False


def publish(lake: Lake, dataset: Dataset, *, now: float | None = None) -> DeltaTable:
    """Make the Delta table of a dataset name the files that count now; where it does already, no log is written.

    Args:
        lake: Where.
        dataset: Any that is not kept in layers.
        now: Seconds since the epoch. Default: the present.

    Raises:
        LakeError: Another publisher of this dataset did not end within half an hour.
    """
    log = DeltaLog(lake.storage, dataset.path)
    with lake.exclusive(f"delta-{dataset.path.replace('/', '-')}", f"publishing {dataset.path}"):
        at = time.time() if now is None else now
        record = read_record(lake.storage, dataset.path)
        if record is None:
            if not lake.entries(dataset):
                return DeltaTable(dataset.path, log.uri, None, 0, 0)
            record = _keep(lake, dataset, Record())
        entries = lake.entries(dataset)
        named = log.files()
        version, changed = None if named is None else named[0], False
        if named is None or _differing(entries, named[1]) or not log.has_schema(dataset.schema):
            version, changed = log.write(entries, dataset.schema, dataset.path), True
        assert version is not None
        record = record.with_newest(at, version)
        oldest = record.oldest_read(at)
        if oldest is not None and log.forget_before(oldest.version):
            record = Record(record.publications, oldest.at)
        _keep(lake, dataset, record)
        return DeltaTable(dataset.path, log.uri, version, len(entries), _rows(entries), changed=changed)


def standing(lake: Lake, dataset: Dataset) -> DeltaTable:
    """What the table of a dataset names beside what the lake counts; nothing is written."""
    log = DeltaLog(lake.storage, dataset.path)
    entries, named = lake.entries(dataset), log.files()
    version, files = (None, {}) if named is None else named
    differing = tuple(sorted(_differing(entries, files))) if named is not None else ()
    return DeltaTable(dataset.path, log.uri, version, len(entries), _rows(entries), differing)


def unpublish(lake: Lake, dataset: Dataset) -> bool:
    """Take the Delta table of a dataset away: its log, then what kept its files; returns whether there was one."""
    with lake.exclusive(f"delta-{dataset.path.replace('/', '-')}", f"unpublishing {dataset.path}"):
        logs = DeltaLog(lake.storage, dataset.path).remove()
        was = read_record(lake.storage, dataset.path) is not None
        lake.storage.remove([record_path(dataset.path)] if was else [])
        return bool(logs) or was


def _keep(lake: Lake, dataset: Dataset, record: Record) -> Record:
    lake.prepare()
    lake.storage.put(record_path(dataset.path), record.encoded())
    return record


def _differing(entries: Mapping[str, Entry], named: Mapping[str, tuple[int, int]]) -> set[str]:
    counted: dict[str, Any] = {path: (int(entry["bytes"]), int(entry["rows"])) for path, entry in entries.items()}
    return {path for path in counted.keys() | named.keys() if counted.get(path) != named.get(path)}


def _rows(entries: Mapping[str, Entry]) -> int:
    return sum(int(entry["rows"]) for entry in entries.values())
