"""Receipts: the account of one landing. Belongs here: what is counted, the law that the counts obey, and its JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from aivo_assets.errors import LakeError
from aivo_assets.lake import Lake

RECEIPTS_PATH = "raw/receipts"
LANDING = "landing"
"""What only one process does at a time, whatever it lands: the lock is the lake's."""


@dataclass(frozen=True)
class Receipt:
    """What a landing did. It names no learner.

    Every row that the source gave is in exactly one of kept, duplicates, set aside, folded, outside the window and
    forgotten;
    `rows_in` is those of the first three.

    Attributes:
        run: Which run landed.
        source: Name of the source.
        batch_id: Under which its problems are filed in the quarantine.
        landed_at: When, UTC.
        rows_read: All rows and lines that the source gave, and those held back from earlier that were due.
        rows_in: Rows that were judged.
        kept: New events (or learners new or changed).
        duplicates: Rows that say what is known already, from this extract or from the lake.
        set_aside: Rows with a problem.
        folded: Rows that are a part of another row's event.
        outside_window: Rows of other days than those asked for.
        before_window: Of these, rows of earlier days.
        forgotten: Rows of learners who asked to be forgotten; they were left out before anything was read of them.
        earliest: The earliest day of these.
        days_changed: Days that got events, ascending.
        by_reason: For each reason how many rows have it; a row may have several.
        examples: For each reason the first place where it occurs, and the value where it is a time or a label.
        lines: What became of the lines of text files: header, rows, set_aside, joined, blank.
        repeated: Rows without an id that say exactly what an earlier row of their file says.
        repeats_folded: Whether these count as one event each.
        alike_in_file: Further rows without an id that have learner, item, time and outcome of an earlier row.
        known_otherwise: Of the duplicates, those that have more or fewer columns than what is known.
        further_columns: Columns that these have more.
        alike: New rows that look like known answers, by how they differ (`Lookalikes.told`).
        values_set_aside: Values that were set aside from rows that were kept (learner table only).
        cursor: How far the source is read now.
        stored: Rows that the lake's days have more than before, by their manifests; None where nothing was to be kept
            there. Not a sum of the other counts: it shows whether what was kept is there.

    Raises:
        LakeError: The counts do not add up; nothing may be believed then.
    """

    run: str
    source: str
    batch_id: str
    landed_at: datetime
    rows_read: int
    kept: int
    duplicates: int
    set_aside: int
    rows_in: int
    folded: int = 0
    outside_window: int = 0
    days_changed: tuple[date, ...] = ()
    by_reason: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)
    values_set_aside: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)
    repeated: int = 0
    repeats_folded: bool = False
    alike_in_file: int = 0
    known_otherwise: int = 0
    further_columns: tuple[str, ...] = ()
    alike: Mapping[str, int] = field(default_factory=dict)
    cursor: str | None = None
    before_window: int = 0
    earliest: date | None = None
    stored: int | None = None
    forgotten: int = 0

    def __post_init__(self) -> None:
        accounted = self.kept + self.duplicates + self.set_aside
        left_out = self.folded + self.outside_window + self.forgotten
        if self.rows_in == accounted and self.rows_read == self.rows_in + left_out:
            return
        raise LakeError(
            f"The receipt of {self.source} does not add up: {self.rows_read} rows read = {self.rows_in} in"
            f" + {self.folded} folded + {self.outside_window} outside + {self.forgotten} forgotten;"
            f" {self.rows_in} in = {self.kept} kept + {self.duplicates} duplicates + {self.set_aside} set aside",
            fix="This is an error of the platform, not of the data: report it with the source's kind and settings.",
        )

    def as_json(self) -> dict[str, Any]:
        """The receipt in JSON values."""
        content = asdict(self)
        content["landed_at"] = self.landed_at.isoformat()
        content["days_changed"] = [day.isoformat() for day in self.days_changed]
        content["earliest"] = None if self.earliest is None else self.earliest.isoformat()
        content["by_reason"] = dict(sorted(self.by_reason.items()))
        content["examples"] = dict(sorted(self.examples.items()))
        return content


def write_receipt(lake: Lake, receipt: Receipt, *, what: str) -> None:
    """Keep a receipt; one of the same run and the same `what` (a window, "learners") replaces it."""
    content = json.dumps(receipt.as_json(), indent=1, sort_keys=True).encode()
    lake.write_bytes(f"{RECEIPTS_PATH}/{receipt.run}.{what}.json", content)


def read_receipts(lake: Lake) -> list[Receipt]:
    """All receipts, oldest first."""
    receipts = [_from_json(json.loads(content)) for content in _contents(lake, "")]
    return sorted(receipts, key=lambda receipt: (receipt.landed_at, receipt.run))


def receipts_of(lake: Lake, run: str) -> list[Receipt]:
    """The receipts of one run."""
    return [_from_json(json.loads(content)) for content in _contents(lake, f"{run}.")]


def _contents(lake: Lake, prefix: str) -> list[bytes]:
    names = [name for name in lake.storage.files(RECEIPTS_PATH, prefix) if name.endswith(".json")]
    documents = lake.storage.read_many([f"{RECEIPTS_PATH}/{name}" for name in names if not name.startswith(".")])
    return [document.content for document in documents if document is not None]


def _from_json(content: dict[str, Any]) -> Receipt:
    return Receipt(
        **{
            **content,
            "landed_at": datetime.fromisoformat(content["landed_at"]),
            "earliest": date.fromisoformat(content["earliest"]) if content.get("earliest") else None,
            "further_columns": tuple(content.get("further_columns", ())),
            "days_changed": tuple(date.fromisoformat(day) for day in content["days_changed"]),
        }
    )
