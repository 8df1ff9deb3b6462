"""Days of the raw zone whose file is damaged: which of them a landing makes whole. No file is read or written here.

The raw zone is the only copy of what arrived, so a day is written again only where the source gives at least as many
events of it as it held. Otherwise it stays as it is, for its file to be brought back from a backup: what was made of it
is whole and goes on to be used, and rows that belong there wait.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from aivo_assets.events.landing.identity import NEW
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.damage import damaged_files

WAITS = "waits"
TORN_DAY = "the file of its day is damaged; the row waits until the day is whole again"


@dataclass(frozen=True)
class Torn:
    """The damaged days.

    Attributes:
        held: For each day how many events it held, by its manifest.
        found: For each day what is damaged, in a text that another damage does not have.
        mended: Days that are not among them any more, since all that they held is here to be written.
    """

    held: Mapping[date, int]
    found: Mapping[date, str]
    mended: frozenset[date] = field(default=frozenset())

    @classmethod
    def find(cls, lake: Lake) -> "Torn":
        """The damaged days of a lake."""
        damaged = {day: damaged_files(lake, RAW_INTERACTIONS, [day]) for day in lake.days(RAW_INTERACTIONS)}
        files_by_day = {day: repr(files) for day, files in damaged.items() if files}
        manifests = {day: lake.manifest(RAW_INTERACTIONS, day=day) or {"rows": 0} for day in files_by_day}
        return cls({day: int(manifest["rows"]) for day, manifest in manifests.items()}, files_by_day)

    @property
    def days(self) -> frozenset[date]:
        """The days."""
        return frozenset(self.held)

    @property
    def damage(self) -> str | None:
        """A hash that another damage does not have; None where there is none."""
        if not self.found:
            return None
        return hashlib.sha256(repr(sorted(self.found.items())).encode()).hexdigest()[:32]

    def mended_by(self, judged: pl.DataFrame) -> tuple[pl.DataFrame, "Torn"]:
        """Part the days that can be written again from those that stay damaged.

        Args:
            judged: Columns `day` and `status` among others, a row for each row read; nothing of a damaged day was
                known, so what is new there is all that the source gives of it.

        Returns:
            The same rows, new ones of days that stay damaged with the status WAITS; and the days that stay damaged.
        """
        if not self.held:
            return judged, self
        given = dict(judged.filter(pl.col("status") == NEW).group_by("day").len().iter_rows())
        mended = frozenset(day for day, rows in self.held.items() if given.get(day, 0) >= max(rows, 1))
        left = {day: rows for day, rows in self.held.items() if day not in mended}
        waits = (pl.col("status") == NEW) & pl.col("day").is_in(list(left))
        marked = judged.with_columns(status=pl.when(waits).then(pl.lit(WAITS)).otherwise("status"))
        return marked, replace(self, held=left, found={day: self.found[day] for day in left}, mended=mended)
