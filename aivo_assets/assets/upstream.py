"""What an asset needs before it can be made. Belongs here: reading it, or saying what to materialise first."""

from datetime import date

import polars as pl

from aivo_assets.errors import LakeError
from aivo_assets.lake import Dataset, Lake


def read(lake: Lake, dataset: Dataset, day: date, *, asset: str) -> pl.DataFrame:
    """The rows of a day that an asset before this one made.

    Args:
        lake: Where they are kept.
        dataset: Which.
        day: Of which day.
        asset: The asset that makes them.

    Raises:
        LakeError: The day was not made.
    """
    if lake.manifest(dataset, day=day) is None:
        raise missing(asset, day, lake.days(dataset))
    return lake.scan(dataset, days=[day]).collect()


def missing(asset: str, day: date, made: list[date]) -> LakeError:
    """That an asset was not made for a day.

    Args:
        asset: Its name.
        day: The day.
        made: The days for which it was made, ascending.
    """
    newest = f"its newest day is {made[-1]}" if made else "it was never made"
    return LakeError(
        f"There is no {asset} of {day}: {newest}",
        fix=f"Materialise {asset} of {day} first, or choose a day that it has.",
    )
