"""Reads rows together with the version that they are stamped with.

Everything made from a dataset records which version it was made of. The version is looked up before the rows are
read: what is written in between is then newer than the stamp, and is seen as new. The other way round it would count as
read and be missing for good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from aivo_assets.lake.dataset import Dataset
from aivo_assets.lake.store import Lake


@dataclass(frozen=True)
class Reading:
    """Rows and what is recorded of them.

    Attributes:
        version: Of all that is read, at most as new as the rows.
        of_day: The same of each day that was asked for by itself.
        frame: The rows.
    """

    version: str
    of_day: Mapping[date, str]
    frame: pl.LazyFrame


def read(
    lake: Lake,
    dataset: Dataset,
    *,
    days: Iterable[date] | None = None,
    until: date | None = None,
    shards: Iterable[int] | None = None,
) -> Reading:
    """The rows of a dataset as `Lake.scan` gives them, with their version.

    Args:
        lake: Where they are.
        dataset: Which.
        days: As for `scan`; of each the version is told as well.
        until: As for `scan`.
        shards: As for `scan`; the version is that of all shards.
    """
    asked = None if days is None else list(days)
    version = lake.version(dataset, days=asked, until=until)
    of_day = {day: lake.version(dataset, days=[day]) for day in asked or ()}
    return Reading(version, of_day, lake.scan(dataset, days=asked, until=until, shards=shards))
