"""What every tick of a sensor needs: its kinds of answer, the machine's clock, the newest rows. No decision."""

from datetime import date

import dagster as dg
import polars as pl

from aivo_assets.automation.runs.attempts import Attempt
from aivo_assets.lake import Dataset, Lake, read
from aivo_assets.operations.jobs.causes import MODEL_TAG, Cause
from aivo_assets.operations.jobs.names import PRIORITY_TAG
from aivo_assets.resources.clock import SystemClock

MACHINE = SystemClock()
"""Runs are dated by it, whatever clock the platform has."""

Tick = dg.RunRequest | dg.SkipReason | dg.SensorResult


def newest_rows(lake: Lake, dataset: Dataset) -> tuple[date, str, pl.DataFrame] | None:
    """Day, version and rows of the newest partition; None where there is none."""
    days = lake.newest_days(dataset, 1)
    if not days:
        return None
    newest = read(lake, dataset, days=days)
    return days[-1], newest.version, newest.frame.collect()


def request(
    attempt: Attempt,
    day: date,
    cause: Cause,
    model: str,
    *,
    assets: list[dg.AssetKey] | None = None,
    priority: int | None = None,
) -> dg.RunRequest:
    """A run of the sensor's job for a day.

    Args:
        attempt: Which attempt it is.
        day: Its partition.
        cause: Why it is asked for.
        model: The model that it is about, such as `main_brain`.
        assets: What it is narrowed to; None for all of the job.
        priority: Runs of a greater one leave the queue first; None for that of the crons' runs.
    """
    tags = {**cause.tags(), **attempt.tags, MODEL_TAG: model}
    if priority is not None:
        tags[PRIORITY_TAG] = str(priority)
    return dg.RunRequest(run_key=attempt.run_key, partition_key=day.isoformat(), asset_selection=assets, tags=tags)


def skip(reason: str, cursor: str) -> dg.SensorResult:
    """No run, for a reason that holds until the cursor would be another."""
    return dg.SensorResult(skip_reason=reason, cursor=cursor)
