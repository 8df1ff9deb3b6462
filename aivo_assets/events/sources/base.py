"""What a source is: the protocol, what it hands over, and the window of days asked for. No source lives here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

import polars as pl

from aivo_assets.events.schema import Quarantined
from aivo_assets.events.sources.reading.records import LineCount
from aivo_assets.events.times.reading import TimeReading
from aivo_assets.events.values.labels import LabelReading
from aivo_assets.events.values.tidying import MISSING

FIRST_EVENT_AT = datetime(2009, 9, 1, tzinfo=UTC)
"""Start of time for files that hold only an order or seconds since their first event: the start of the school year in
which the ASSISTments data of 2009 begin. Only differences mean anything; `AIVO_SOURCE_FIRST_EVENT_AT` moves it."""

BROKEN_COLUMNS = {name: dtype for name, dtype in Quarantined.create_empty().schema.items() if name != "batch_id"}


@dataclass(frozen=True)
class Window:
    """Days asked for, both included, UTC."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a window from {self.first} to {self.last} holds no day")

    @property
    def start(self) -> datetime:
        """First instant of the window."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """First instant after the window."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


@dataclass(frozen=True)
class Extract:
    """A stretch of a source, as the source gave it; `intake.validate` makes events of it.

    Attributes:
        frame: Columns named as in `Event`, as many as there are, with values still as the source gave them. `_location`
            (String) names the file or table, `_row` (Int64) the line or cursor. Two more are optional: `_zone`
            (String), the time zone of the row's time, and `_problem` (String), why the row's `correct` is no answer;
            it is set aside for that reason alone.
        broken: Lines of which no row could be made; columns of `Quarantined` without `batch_id`.
        cursor: How far the source is read once this extract is landed; None for sources without a cursor.
        times: How `occurred_at` is read.
        labels: How `correct` is read.
        subject: Subject of events that name none.
        missing: Words that stand for no value.
        folded: Rows that are a part of another row's event (a further skill, a hint request) and are not in `frame`.
        repeated: Rows that say again what another row of the extract says of the same event, and are not in `frame`.
        fold_repeats: Whether rows of one file that say exactly the same, and have no id, are one event.
        lines: What became of the lines of a text file; None where there are none.
        forgotten: Rows of learners who were forgotten; they are not in `frame`.
    """

    frame: pl.DataFrame
    broken: pl.DataFrame
    cursor: str | None = None
    times: TimeReading = field(default_factory=TimeReading)
    labels: LabelReading = field(default_factory=LabelReading)
    subject: str = "general"
    missing: tuple[str, ...] = MISSING
    folded: int = 0
    repeated: int = 0
    fold_repeats: bool = False
    lines: LineCount | None = None
    forgotten: int = 0


class Source(Protocol):
    """Where events come from. A source reads; it neither validates nor writes."""

    @property
    def name(self) -> str:
        """What a person calls this source; no password in it."""

    @property
    def window_applies(self) -> bool:
        """False for a source read by cursor: everything new is taken and lands in its own day."""

    def fingerprint(self) -> str:
        """Hash of what is read and how: equal when nothing changed. A cursor source hashes its place, not its rows."""

    def how_read(self) -> tuple[str, ...]:
        """How the source will be read, for a person: columns, times, right and wrong. Nothing where nothing is chosen.

        Raises:
            SourceError: The source cannot be read, or could be read in several ways.
        """

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        """Read, chunk by chunk, in the source's order.

        Args:
            window: Days wanted; a source may hand over more, the landing drops the rest. None: all.
            cursor: Where the last landing ended; None: from the start.

        Raises:
            SourceError: The source cannot be read at all, or not to its end.
        """

    def learners(self) -> pl.DataFrame | None:
        """The learner table with columns named as in `Learner`, `_location` and `_row`; None where there is none.

        Raises:
            SourceError: The table is named but cannot be read.
        """


def broken_rows(location: str, rows: list[tuple[int | None, str | None, str]]) -> pl.DataFrame:
    """The `broken` frame of an extract.

    Args:
        location: File or table.
        rows: For each line its number, its text as far as it can be read, and the reason.
    """
    return pl.DataFrame(
        {
            "location": [location] * len(rows),
            "row": [row for row, _, _ in rows],
            "column": [None] * len(rows),
            "value": [value for _, value, _ in rows],
            "reason": [reason for _, _, reason in rows],
        },
        schema=BROKEN_COLUMNS,
    )
