"""The newest day that holds something. Belongs here: finding it by the manifests; no row is read."""

from datetime import date

from aivo_assets.lake.dataset import Dataset
from aivo_assets.lake.store import Lake


def newest_filled(lake: Lake, dataset: Dataset, *, until: date | None = None) -> date | None:
    """The newest day of a dataset that has rows, or None where none has.

    Readers ask for it: a day that was made of nothing must not hide the day before.

    Args:
        lake: Where.
        dataset: One that is kept by day.
        until: Only days up to and including this one.
    """
    for day in lake.days_back(dataset, until=until):
        manifest = lake.manifest(dataset, day=day)
        if manifest is not None and manifest["rows"]:
            return day
    return None
