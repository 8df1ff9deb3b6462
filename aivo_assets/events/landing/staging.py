"""The staging folder of one landing: validated rows wait here until the source is read to its end. Nothing else.

Wide rows wait on disk, one Parquet file an extract; what decides on duplicates (ids, days, hashes) is narrow and stays
in memory, about 100 bytes a row.
"""

from datetime import date
from pathlib import Path

import polars as pl

from aivo_assets.events.intake import Validated
from aivo_assets.events.landing.held_back import HELD_BACK
from aivo_assets.events.landing.identity import content_hash
from aivo_assets.events.schema import Event
from aivo_assets.events.sources.base import BROKEN_COLUMNS, Extract
from aivo_assets.events.sources.reading.records import LineCount
from aivo_assets.events.values.hashes import identity_hash

ANSWER = ("learner_id", "item_id", "occurred_at", "correct")
"""What makes an answer, whatever else is said of it."""

_KEYS = {
    "order": pl.Int64,
    "location": pl.String,
    "day": pl.Date,
    "given": pl.String,
    "derived": pl.String,
    "named": pl.Boolean,
    "content": pl.UInt64,
    "answer": pl.UInt64,
}


class Staging:
    """Rows of one landing.

    Args:
        folder: Empty folder for this landing alone.

    Attributes:
        rows_read: Rows and broken lines so far, without those folded into others.
        set_aside: Of these, rows with a problem.
        outside_window: Of these, rows of days that nobody asked for.
        before_window: Of these, rows of earlier days.
        earliest: The earliest day of these; None where there are none.
        folded: Rows that are a part of another row's event.
        repeated: Rows that the source itself gave twice; they are not among `rows_read`.
        forgotten: Rows of learners who were forgotten; they are not among `rows_read`.
        fold_repeats: Whether rows of one file that say exactly the same are one event.
        lines: What became of the lines of text files.
        cursor: How far the source is read.
        future: Rows set aside only because their time has not come, an extract each; columns of `Validated.future`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: list[pl.DataFrame] = []
        self._problems: list[pl.DataFrame] = []
        self._next = 0
        self.rows_read = 0
        self.set_aside = 0
        self.outside_window = 0
        self.before_window = 0
        self.earliest: date | None = None
        self.folded = 0
        self.repeated = 0
        self.forgotten = 0
        self.fold_repeats = False
        self.lines = LineCount()
        self.cursor: str | None = None
        self.future: list[pl.DataFrame] = []

    def add(self, validated: Validated, *, extract: Extract | None = None, held_back: bool = False) -> None:
        """Take in what became of one extract, or rows that were held back from earlier ones.

        Args:
            validated: Its rows.
            extract: The extract; None for rows that were held back.
            held_back: Whether the source may give the same rows now; as in two overlapping files, neither is then
                doubled.
        """
        self.rows_read += validated.rows_read
        self.set_aside += validated.set_aside
        self.outside_window += validated.outside_window
        self.before_window += validated.before_window
        self.earliest = min((day for day in (self.earliest, validated.earliest) if day), default=None)
        if extract is not None:
            self.folded += extract.folded
            self.repeated += extract.repeated
            self.forgotten += extract.forgotten
            self.fold_repeats |= extract.fold_repeats
            self.lines += extract.lines or LineCount()
            self.cursor = extract.cursor if extract.cursor is not None else self.cursor
        if not validated.future.is_empty():
            self.future.append(validated.future)
        if not validated.quarantined.is_empty():
            self._problems.append(validated.quarantined)
        if validated.events.is_empty():
            return
        rows = validated.events.with_columns(
            order=pl.int_range(self._next, self._next + pl.len(), dtype=pl.Int64),
            day=pl.col("occurred_at").dt.date(),
        )
        self._next += rows.height
        self._keys.append(
            rows.select(
                "order",
                (pl.col("_location") + (" (held back)" if held_back else "")).alias("location"),
                "day",
                pl.col("event_id").alias("given"),
                identity_hash(rows["_identity"]).alias("derived"),
                pl.col("event_id").is_not_null().alias("named"),
                content_hash(),
                answer=pl.struct(ANSWER).hash(20),
            )
        )
        path = self._folder / f"{len(self._keys):06d}.parquet"
        rows.rename({"event_id": "_given"}).write_parquet(path, compression="lz4")

    def keys(self) -> pl.DataFrame:
        """What decides on duplicates, a row for each: order, location, day, given, derived, named, content, answer."""
        return pl.concat(self._keys) if self._keys else pl.DataFrame(schema=_KEYS)

    def problems(self) -> pl.DataFrame:
        """All problems so far; columns of `Quarantined` without `batch_id`."""
        return pl.concat(self._problems) if self._problems else pl.DataFrame(schema=BROKEN_COLUMNS)

    def events(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """The events of these rows in reading order: columns of `Event`, `day` and `order`.

        Args:
            chosen: Columns `order`, `event_id` and `day`.
        """
        first, last = chosen["day"].min(), chosen["day"].max()
        return (
            self._scan()
            .filter(pl.col("day").is_between(first, last))
            .drop("day")
            .join(chosen.lazy(), on="order", how="inner")
            .sort("order")
            .select(*Event.column_names(), "day", "order")
            .collect(engine="streaming")
        )

    def places(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """Where these rows came from: `order`, `event_id`, `location` and `row`.

        Args:
            chosen: Columns `order` and `event_id`.
        """
        if chosen.is_empty():
            return chosen.with_columns(location=pl.lit(None, dtype=pl.String), row=pl.lit(None, dtype=pl.Int64))
        return (
            self._scan()
            .select("order", location="_location", row="_row")
            .join(chosen.lazy(), on="order", how="inner")
            .sort("order")
            .collect(engine="streaming")
        )

    def as_given(self, orders: pl.Series) -> pl.DataFrame:
        """Rows as they were added; columns of `Validated.events`."""
        if orders.is_empty():
            return HELD_BACK.empty()
        rows = self._scan().filter(pl.col("order").is_in(orders.implode())).sort("order").rename({"_given": "event_id"})
        return rows.select(*Event.column_names(), "_location", "_row", "_identity").collect()

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(sorted(self._folder.glob("*.parquet")))
