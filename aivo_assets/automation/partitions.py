"""The one partition dimension: days. Belongs here: which days a run covers; never what is computed for them.

A data partition holds the events that happened on that day; a model partition is the model as of that day. A run over
a range of days fills the data of every day, and the models as of the last.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import dagster as dg

from aivo_assets.events.schema import EARLIEST

# Assets are declared over the widest range; `narrow` cuts it to the lake's calendar when the definitions are built.
DAYS = dg.DailyPartitionsDefinition(start_date=EARLIEST.date().isoformat(), end_offset=1, timezone="UTC")
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
    """The days that a run covers, ascending."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def as_of(context: dg.AssetExecutionContext) -> date:
    """The day as of which a run computes models: the last one that it covers."""
    return days_of(context)[-1]


def note_days_passed_over(context: dg.AssetExecutionContext, assets: Sequence[str] = ()) -> None:
    """Say on each earlier day of a range that its model was not computed, since the range has one as of its last day.

    Args:
        context: The running step.
        assets: Asset names of a step with several assets; none for a step with one.
    """
    days = days_of(context)
    note = {"not computed": f"this run covered {days[0]} to {days[-1]}; its models are as of {days[-1]}"}
    for day in days[:-1]:
        for name in assets or (None,):
            context.add_asset_metadata(note, asset_key=name, partition_key=day.isoformat())
