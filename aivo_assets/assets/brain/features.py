"""Stage 4, features: how hard items and skills are, and what was known of each learner before each answer."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import polars as pl

from aivo_assets.assets.describe import columns, owned, step_log
from aivo_assets.automation.partitions import DAYS, ONE_RUN, as_of, note_days_passed_over
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import FEATURES
from aivo_assets.tracing.fold.statistics import Statistics
from aivo_assets.tracing.model.search.sampling import Sample, events_within, sample_learners
from aivo_assets.tracing.model.training import (
    ITEM_STATISTICS,
    SKILL_SETS,
    SKILL_STATISTICS,
    TOTALS,
    TRAINING_FEATURES,
    to_frame,
    training_set,
)

SETS_KEPT = 2
_STATISTICS = {
    "items": ITEM_STATISTICS,
    "skills": SKILL_STATISTICS,
    "skill_sets": SKILL_SETS,
    "totals": TOTALS,
}


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
    answers = lake.version(ANONYMISED_INTERACTIONS, until=day)  # before they are read: what comes meanwhile is new
    events, sample = training_events(lake, day, settings)
    say(f"folding {sample.sentence}")
    made = training_set(events, settings.features, settings.training)
    del events  # the frame of features needs its memory
    statistics = made.statistics.to_frames()
    made_by = {"answers": answers} | ({} if sample.is_all else {"sampling": sample.sentence})
    for name, dataset in _STATISTICS.items():
        lake.write(dataset, statistics[name], day=day, made_by=made_by)
    written = lake.write(TRAINING_FEATURES, to_frame(made.table), day=day, made_by=made_by)
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
            "rows_in": sample.of_rows,
            "rows_out": written.rows,
            "trained on": sample.sentence,
            "features": len(made.table.names),
            "fit": made.split.fit.size,
            "calibrate": made.split.calibrate.size,
            "evaluate": made.split.evaluate.size,
            "evaluate from": made.split.evaluate_from.isoformat(),
        },
        data_version=dg.DataVersion(written.version),
    )


def training_events(lake: Lake, day: date, settings: Settings) -> tuple[pl.DataFrame, Sample]:
    """Events of the training window that ends with `day`, and which learners' they are.

    All events where they fit into the memory of a training; otherwise those of as many learners as do, whole.
    """
    events = lake.scan(ANONYMISED_INTERACTIONS, days=training_days(lake, day, settings))
    most = events_within(settings.training.memory_gib, len(FEATURES))
    sample = sample_learners(events.select("learner"), most, settings.training.seed)
    kept = events if sample.is_all else sample.filter(events)
    return kept.collect(engine="auto" if sample.is_all else "streaming"), sample


def training_days(lake: Lake, day: date, settings: Settings) -> list[date]:
    """Days with events within the training window that ends with `day`."""
    first = day - timedelta(days=settings.training.window_days - 1)
    return [kept for kept in lake.days(ANONYMISED_INTERACTIONS) if first <= kept <= day]


def stored_statistics(lake: Lake, day: date) -> Statistics:
    """The population statistics of a training as of `day`."""
    return Statistics.from_frames(
        {name: lake.scan(dataset, days=[day]).collect() for name, dataset in _STATISTICS.items()}
    )
