"""What all assets share: days, owners, group, columns. No data is touched here."""

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import polars as pl

from aivo_assets.automation.partitions import DAYS, ONE_RUN
from aivo_assets.lake import Dataset

OWNERS = {
    "events": "team:data-platform",
    "privacy": "team:privacy",
    "warehouse": "team:data-platform",
    "features": "team:machine-learning",
    "main_brain": "team:machine-learning",
    "student_models": "team:machine-learning",
    "recommendations": "team:education",
    "evaluation": "team:education",
    "drift": "team:machine-learning",
    "audit": "team:privacy",
    "upkeep": "team:data-platform",
    "erasure": "team:privacy",
    "ageing": "team:privacy",
    "published": "team:data-platform",
}


def owned(group: str) -> dict[str, Any]:
    """Group and owners of an asset."""
    return {"group_name": group, "owners": [OWNERS[group]]}


def daily_asset(group: str, **options: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorator of an asset with a partition a day, of which a range is one run.

    Args:
        group: Key of `OWNERS`.
        options: Of `dg.asset`.
    """
    return dg.asset(partitions_def=DAYS, backfill_policy=ONE_RUN, **owned(group), **options)


def daily_spec(group: str, name: str, **options: Any) -> dg.AssetSpec:
    """The same of one of several assets that a function makes; their `dg.multi_asset` has the backfill policy.

    Args:
        group: Key of `OWNERS`.
        name: Of the asset.
        options: Of `dg.AssetSpec`.
    """
    return dg.AssetSpec(name, partitions_def=DAYS, **owned(group), **options)


FRESH_HOURS = 26
"""A day and some more: the frequent checks are skipped while nothing arrives, but never on a new day."""


def fresh_within(hours: float, *, warn: float | None = None) -> dg.FreshnessPolicy:
    """An asset is stale in the catalogue when nothing new came for so many hours; perhaps a warning comes earlier."""
    early = None if warn is None else timedelta(hours=warn)
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours), warn_window=early)


def columns(dataset: Dataset, descriptions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Column metadata of a dataset, as the catalogue shows it.

    Args:
        dataset: Whose columns.
        descriptions: A sentence a column, where there is one.
    """
    texts = descriptions or {}
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(name=name, type=_type_name(dtype), description=texts.get(name))
                for name, dtype in dataset.schema.items()
            ]
        )
    }


def _type_name(dtype: pl.DataType | type[pl.DataType]) -> str:
    return "Enum" if dtype == pl.Enum else str(dtype)


def step_log(context: dg.AssetExecutionContext) -> Callable[[str], None]:
    """Says what a long step is doing, in the run's log and so at the terminal of `aivo run`."""

    def say(message: str) -> None:
        context.log.info(message)

    return say


def picture(png: bytes) -> dg.MetadataValue:
    """A small plot, shown in the asset's metadata itself."""
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})")
