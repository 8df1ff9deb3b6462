"""The quarantine: what was set aside, kept by batch in the raw zone. Belongs here: writing and reading it.

A batch is what one landing set aside. A problem that any batch holds already (same place, row, column, value and
reason) is not written again, so reading the same bad file twice does not double it.
"""

from collections.abc import Callable, Collection

import polars as pl

from aivo_assets.events.schema import Quarantined
from aivo_assets.events.sources.base import BROKEN_COLUMNS
from aivo_assets.lake import Dataset, Lake

QUARANTINE_PATH = "raw/quarantine"


def quarantine_batch(batch_id: str) -> Dataset:
    """The dataset of one batch; it is replaced as a whole."""
    return Dataset(f"{QUARANTINE_PATH}/batch={batch_id}", Quarantined.create_empty().schema)


def scan_quarantine(lake: Lake) -> pl.LazyFrame:
    """All that was ever set aside; columns of `Quarantined`."""
    base = lake.root / QUARANTINE_PATH
    batches = sorted(entry.name.removeprefix("batch=") for entry in base.iterdir()) if base.exists() else []
    if not batches:
        return Quarantined.create_empty().lazy()
    return pl.concat([lake.scan(quarantine_batch(batch_id)) for batch_id in batches])


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
    columns = list(BROKEN_COLUMNS)
    held = scan_quarantine(lake)
    known = held.select(columns).collect()
    new = problems.unique(columns, maintain_order=True).join(
        known, on=columns, how="anti", nulls_equal=True, maintain_order="left"
    )
    if not new.is_empty():
        dataset = quarantine_batch(batch_id)
        before = lake.scan(dataset).collect()
        filed = new.with_columns(batch_id=pl.lit(batch_id)).select(Quarantined.column_names())
        lake.write(dataset, pl.concat([before, filed]), made_by={"run": run})
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
        dataset = quarantine_batch(batch_id)
        kept = lake.scan(dataset).collect().join(over, on=over.columns, how="anti", nulls_equal=True)
        lake.write(dataset, kept.select(Quarantined.column_names()), made_by={"run": run})
    return over.height
