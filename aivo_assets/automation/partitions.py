"""The one partition dimension: days. Belongs here: which days a run covers; never what is computed for them.

A data partition holds the events that happened on that day; a model partition is the model as of that day. A run over
a range of days fills the data of every day, and the models as of the last.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import dagster as dg

from aivo_assets.errors import RunError
from aivo_assets.events.schema import EARLIEST
from aivo_assets.operations.jobs.names import RANGE_END_TAG, RANGE_START_TAG

# Assets are declared over the widest range; `narrow` cuts it to the lake's calendar when the definitions are built.
DAYS = dg.DailyPartitionsDefinition(start_date=EARLIEST.date().isoformat(), end_offset=1, timezone="UTC")
DAYS_BEFORE_ANY_EVENT = timedelta(days=60)
"""So far back the calendar of a lake reaches that holds no event yet."""
ONE_RUN = dg.BackfillPolicy.single_run()


def narrow(assets: Iterable[dg.AssetsDefinition], first_day: date) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The same assets with partitions from `first_day` on; unpartitioned ones are left as they are."""
    days = dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), end_offset=1, timezone="UTC")
    return list(
        dg.map_asset_specs(
            lambda spec: spec.replace_attributes(partitions_def=days) if spec.partitions_def else spec, assets
        )
    )


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The days that a run covers, ascending.

    Raises:
        RunError: The run names no day.
    """
    if not context.has_partition_key and not context.has_partition_key_range:
        names = ", ".join(sorted(key.to_user_string() for key in context.selected_asset_keys))
        raise RunError(
            f"{names} is made day by day, and this run names no day",
            fix="Choose a partition where you materialise it, or name the days: aivo run --from DAY --to DAY.",
        )
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def as_of(context: dg.AssetExecutionContext) -> date:
    """The day as of which a run computes models: the last one that it covers. Only this day is recorded as made.

    Raises:
        RunError: The run names no day.
    """
    day = days_of(context)[-1]
    _record_only(context, day)
    return day


def _record_only(context: dg.AssetExecutionContext, day: date) -> None:
    """Let this step record its materialisations for one day of the run's range.

    Dagster 1.13 records what a step yields for each partition of its run, and knows no other way. Which partitions
    those are it reads from the tags of the run as the step sees it, so these are narrowed, for this step alone.
    """
    if context.has_partition_key:
        return
    step, name = context.get_step_execution_context(), day.isoformat()
    tags = {**step.dagster_run.tags, RANGE_START_TAG: name, RANGE_END_TAG: name}
    step._plan_data = step.plan_data._replace(dagster_run=step.dagster_run.with_tags(tags))
