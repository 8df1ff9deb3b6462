"""Sound rows whose time to be kept has not come. Belongs here: keeping them, and handing them over again; no judging.

A source that is read by cursor gives each row once. A row whose time lies in the future (some clock was wrong), or
whose day cannot be written because its file is damaged, is set aside, and would be lost with the cursor's next move. It
is held here as well, and every landing hands over those that may be judged now. Other sources are read again anyway.
"""

from collections.abc import Collection
from datetime import date, datetime

import polars as pl

from aivo_assets.events.intake import Validated
from aivo_assets.events.schema import Event, Quarantined
from aivo_assets.lake import Dataset, Lake

HELD_BACK = Dataset(
    "raw/held_back",
    {**Event.create_empty().schema, "_location": pl.String(), "_row": pl.Int64(), "_identity": pl.String()},
)


def scan_held_back(lake: Lake) -> pl.LazyFrame:
    """All rows that wait; the columns of `Validated.events`."""
    return lake.scan(HELD_BACK)


def due(lake: Lake, now: datetime, damaged: Collection[date]) -> Validated:
    """The rows that may be judged at `now`.

    Args:
        lake: Where they wait.
        now: The present instant, UTC.
        damaged: Days that cannot be written.
    """
    waiting = _still_waits(now, damaged)
    events = scan_held_back(lake).filter(~waiting).collect()
    nothing = Quarantined.create_empty().drop("batch_id")
    return Validated(events, nothing, rows_read=events.height, set_aside=0, outside_window=0, future=events.clear())


def replace_held_back(lake: Lake, added: pl.DataFrame, now: datetime, damaged: Collection[date], *, run: str) -> None:
    """Let go of what was due and hold what was added; a row that is held already is not held twice.

    Args:
        lake: Where they wait.
        added: Columns of `Validated.events`.
        now: The instant of `due`.
        damaged: Those of `due`; a row of a day that was made whole since is due the next time.
        run: Which run this is.
    """

    def change(before: pl.DataFrame) -> pl.DataFrame:
        waiting = before.filter(_still_waits(now, damaged))
        return pl.concat([waiting, added.select(waiting.columns)]).unique(maintain_order=True)

    if not added.is_empty() or lake.manifest(HELD_BACK) is not None:
        lake.update(HELD_BACK, change, made_by={"run": run})


def _still_waits(now: datetime, damaged: Collection[date]) -> pl.Expr:
    return (pl.col("occurred_at") > now) | pl.col("occurred_at").dt.date().is_in(sorted(damaged))
