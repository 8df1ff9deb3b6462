"""The quarantine: what was set aside, kept by batch in the raw zone. Belongs here: writing and reading it.

A batch is what one landing set aside. A problem that any batch holds already (same place, row, column, value and
reason) is not written again, so reading the same bad file twice does not double it.
"""

from collections.abc import Callable, Collection

import polars as pl

from aivo_assets.events.schema import Quarantined
from aivo_assets.events.sources.base import BROKEN_COLUMNS
from aivo_assets.lake import Dataset, Lake

QUARANTINE = Dataset("raw/quarantine", Quarantined.create_empty().schema, unit="batch")
_PROBLEM = list(BROKEN_COLUMNS)


def scan_quarantine(lake: Lake) -> pl.LazyFrame:
    """All that was ever set aside; columns of `Quarantined`."""
    return lake.scan(QUARANTINE)


def set_aside(lake: Lake, problems: pl.DataFrame, *, batch_id: str, run: str) -> int:
    """Add problems to the quarantine, those that it does not hold yet.

    Args:
        lake: Where the quarantine is.
        problems: Columns of `Quarantined` without `batch_id`.
        batch_id: Under which the new ones are filed.
        run: Which run found them.

    Returns:
        How many were new.
    """
    new = _without(problems.unique(_PROBLEM, maintain_order=True), scan_quarantine(lake).collect(), _PROBLEM)
    if not new.is_empty():
        filed = new.with_columns(batch_id=pl.lit(batch_id)).select(Quarantined.column_names())

        def add(before: pl.DataFrame) -> pl.DataFrame:
            return pl.concat([before, _without(filed, before, _PROBLEM)])

        lake.update(QUARANTINE, add, batch=batch_id, made_by={"run": run})
    return new.height


def take_back(lake: Lake, places: Callable[[], pl.DataFrame], *, reasons: Collection[str], run: str) -> int:
    """Take rows out of the quarantine that have become answers since.

    Args:
        lake: Where the quarantine is.
        places: Gives columns `location` and `row` of the rows that were judged sound now; asked only where a problem
            could be over.
        reasons: Only problems of these reasons pass by themselves.
        run: Which run this is.

    Returns:
        How many problems were taken out.
    """
    passes = pl.col("reason").is_in(list(reasons))
    waiting = scan_quarantine(lake).filter(passes).collect()
    if waiting.is_empty():
        return 0
    over = waiting.join(places(), on=["location", "row"], how="semi", nulls_equal=True)
    for batch_id in over["batch_id"].unique().sort():
        lake.update(
            QUARANTINE, lambda before: _without(before, over, over.columns), batch=batch_id, made_by={"run": run}
        )
    return over.height


def _without(rows: pl.DataFrame, others: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    return rows.join(others, on=columns, how="anti", nulls_equal=True, maintain_order="left")
