"""A source whose extracts are given: what a landing does with them is what the tests are about."""

from collections.abc import Iterator, Sequence

import polars as pl

from aivo_assets.events.sources.base import Extract, Window, broken_rows


class MemorySource:
    """Extracts from memory, and the error that reading ends in, if any."""

    name = "memory"

    def __init__(
        self,
        extracts: Sequence[Extract],
        *,
        learner_table: pl.DataFrame | None = None,
        window_applies: bool = True,
        fails_with: Exception | None = None,
        fingerprint: str = "memory",
    ) -> None:
        self.window_applies = window_applies
        self._extracts = extracts
        self._learners = learner_table
        self._fails_with = fails_with
        self._fingerprint = fingerprint
        self.asked: list[tuple[Window | None, str | None]] = []

    def fingerprint(self) -> str:
        return self._fingerprint

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        self.asked.append((window, cursor))
        yield from self._extracts
        if self._fails_with is not None:
            raise self._fails_with

    def how_read(self) -> tuple[str, ...]:
        return ()

    def learners(self) -> pl.DataFrame | None:
        return self._learners


def extract(
    rows: Sequence[dict[str, object]], *, location: str = "memory", first_row: int = 1, cursor: str | None = None
) -> Extract:
    """An extract of rows given as dictionaries; what a row lacks is missing."""
    columns = dict.fromkeys(("learner_id", "item_id", "occurred_at", "correct"))
    columns |= dict.fromkeys(name for row in rows for name in row)
    frame = pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in columns},
        schema_overrides={"event_id": pl.String} if "event_id" in columns else None,
        strict=False,
    )
    placed = frame.with_columns(
        pl.lit(location).alias("_location"), pl.int_range(first_row, first_row + pl.len(), dtype=pl.Int64).alias("_row")
    )
    return Extract(frame=placed, broken=broken_rows(location, []), cursor=cursor)


def answer(second: int = 0, **others: object) -> dict[str, object]:
    """A sound row of 1 May 2024, so many seconds after midnight."""
    hours, minutes = divmod(second // 60, 60)
    at = f"2024-05-01T{hours:02d}:{minutes:02d}:{second % 60:02d}Z"
    return {"learner_id": "ada", "item_id": "i1", "occurred_at": at, "correct": "1"} | others
