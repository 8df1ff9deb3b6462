"""Until when files belong to a published Delta table. Belongs here: the record that publishers and writers share.

Programs that read a table by its log leave no mark in the lake, so a file that the log named is kept until the log has
not named it for a while, and logs that would name it are gone as well. The publisher writes that down here; whoever
removes files asks. A dataset without a record was never published.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aivo_assets.lake.commits.manifest import GRACE_SECONDS
from aivo_assets.lake.storage.storage import Storage

RECORDS: Final = ".delta"
CLOCKS_DIFFER_SECONDS: Final = 60.0
"""So much may the clocks of a writer and of the publisher differ."""

NEVER_PUBLISHED: Final = float("inf")


@dataclass(frozen=True)
class Publication:
    """One version of a table.

    Attributes:
        at: When its publisher began to read the manifests, seconds since the epoch.
        version: Of the table.
    """

    at: float
    version: int


@dataclass(frozen=True)
class Record:
    """What is known of the log of one table.

    Attributes:
        publications: Ascending; those that somebody may still read, and the last one before them.
        released: Files that had stopped counting by then, no log names any more.
    """

    publications: tuple[Publication, ...] = ()
    released: float = 0.0

    def with_newest(self, at: float, version: int) -> "Record":
        """One more version, and without those that nobody reads any more."""
        last = self.publications[-1:] if self.publications and self.publications[-1].version == version else ()
        grown = self.publications if last else (*self.publications, Publication(at, version))
        old = [each for each in grown if each.at + GRACE_SECONDS < at]
        return Record((*old[-1:], *grown[len(old) :]), self.released)

    def oldest_read(self, now: float) -> Publication | None:
        """The version from which on all are kept: older ones nobody can still be reading. None: none is that old."""
        old = [each for each in self.publications if each.at + GRACE_SECONDS < now]
        return old[-1] if old else None

    def encoded(self) -> bytes:
        """As it is stored."""
        listed = [{"at": each.at, "version": each.version} for each in self.publications]
        return json.dumps({"publications": listed, "released": self.released}, indent=1).encode()


def record_path(dataset: str) -> str:
    """Where the record of a dataset lies."""
    return f"{RECORDS}/{dataset}.json"


def read_record(storage: Storage, dataset: str) -> Record | None:
    """The record of a dataset; None where it was never published."""
    document = storage.read(record_path(dataset))
    if document is None:
        return None
    stored = json.loads(document.content)
    publications: Sequence[dict[str, float]] = stored["publications"]
    listed = tuple(Publication(float(each["at"]), int(each["version"])) for each in publications)
    return Record(listed, float(stored["released"]))


def released_until(storage: Storage, folder: str) -> float:
    """Files of a unit that stopped counting before this instant belong to no published table any more.

    Args:
        storage: Where.
        folder: The unit's.

    Returns:
        Seconds since the epoch; infinity where the dataset was never published.
    """
    head, _, name = folder.rpartition("/")
    record = read_record(storage, head if "=" in name else folder)
    return NEVER_PUBLISHED if record is None else record.released - CLOCKS_DIFFER_SECONDS
