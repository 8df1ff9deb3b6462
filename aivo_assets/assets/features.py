"""Stage 4, features: how hard items and skills are, and what was known of each learner before each answer."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg

from aivo_assets.assets.describe import columns, owned, step_log
from aivo_assets.automation.partitions import DAYS, ONE_RUN, as_of, note_days_passed_over
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.catalogue import FEATURES
from aivo_assets.tracing.statistics import Statistics
from aivo_assets.tracing.training import (
    ITEM_STATISTICS,
    SKILL_STATISTICS,
    TOTALS,
    TRAINING_FEATURES,
    to_frame,
    training_set,
)

SETS_KEPT = 2


@dg.multi_asset(
    name="fold_training_events",
    specs=[
        dg.AssetSpec(
            "population_statistics",
            deps=["anonymised_interactions"],
            description="How hard each item and skill is, and how sure that is, from the events that models are fitted "
            "on; what is later in time is not in it.",
            partitions_def=DAYS,
            kinds={"parquet", "numba"},
            metadata=columns(ITEM_STATISTICS),
            **owned("features"),
        ),
        dg.AssetSpec(
            "training_features",
            deps=["anonymised_interactions"],
            description="A row an answer: what was known of the learner, the item and the moment before it. Rows that "
            "fit a model see statistics of other learners only.",
            partitions_def=DAYS,
            kinds={"parquet", "numba"},
            metadata=columns(TRAINING_FEATURES, {feature.name: feature.description for feature in FEATURES}),
            **owned("features"),
        ),
    ],
    backfill_policy=ONE_RUN,
)
def fold_training_events(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> Iterator[dg.MaterializeResult]:
    """Fold the training window that ends with the last day of this run."""
    day = as_of(context)
    say = step_log(context)
    events = lake.scan(ANONYMISED_INTERACTIONS, days=training_days(lake, day, settings)).collect()
    say(f"folding {events.height:,} events of {events['learner'].n_unique():,} learners")
    made = training_set(events, settings.features, settings.training)
    statistics = made.statistics.to_frames()
    lake.write(ITEM_STATISTICS, statistics["items"], day=day)
    lake.write(SKILL_STATISTICS, statistics["skills"], day=day)
    lake.write(TOTALS, statistics["totals"], day=day)
    written = lake.write(TRAINING_FEATURES, to_frame(made.table), day=day)
    for old in lake.days(TRAINING_FEATURES)[:-SETS_KEPT]:
        lake.remove(TRAINING_FEATURES, day=old)
    note_days_passed_over(context, ["population_statistics", "training_features"])
    yield dg.MaterializeResult(
        asset_key="population_statistics",
        metadata={"rows_in": made.split.fit.size, "rows_out": statistics["items"].height},
        data_version=dg.DataVersion(made.statistics.version),
    )
    yield dg.MaterializeResult(
        asset_key="training_features",
        metadata={
            "rows_in": events.height,
            "rows_out": written.rows,
            "features": len(made.table.names),
            "fit": made.split.fit.size,
            "calibrate": made.split.calibrate.size,
            "evaluate": made.split.evaluate.size,
            "evaluate from": made.split.evaluate_from.isoformat(),
        },
        data_version=dg.DataVersion(written.version),
    )


def training_days(lake: Lake, day: date, settings: Settings) -> list[date]:
    """Days with events within the training window that ends with `day`."""
    first = day - timedelta(days=settings.training.window_days - 1)
    return [kept for kept in lake.days(ANONYMISED_INTERACTIONS) if first <= kept <= day]


def stored_statistics(lake: Lake, day: date) -> Statistics:
    """The population statistics of a training as of `day`."""
    return Statistics.from_frames(
        {
            name: lake.scan(dataset, days=[day]).collect()
            for name, dataset in (("items", ITEM_STATISTICS), ("skills", SKILL_STATISTICS), ("totals", TOTALS))
        }
    )
