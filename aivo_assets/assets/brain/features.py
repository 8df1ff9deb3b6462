"""Stage 4, features: how hard items and skills are, and what was known of each learner before each answer."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import dagster as dg
import polars as pl

from aivo_assets.assets.describe import columns, daily_spec, step_log
from aivo_assets.assets.upstream import missing
from aivo_assets.automation.partitions import ONE_RUN, as_of
from aivo_assets.events.values.hashes import digest
from aivo_assets.lake import Lake, Written
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
    TrainingSet,
    to_frame,
    training_set,
)

_STATISTICS = {
    "items": ITEM_STATISTICS,
    "skills": SKILL_STATISTICS,
    "skill_sets": SKILL_SETS,
    "totals": TOTALS,
}


@dg.multi_asset(
    name="fold_training_events",
    specs=[
        daily_spec(
            "features",
            "population_statistics",
            deps=["anonymised_interactions"],
            description="How hard each item and skill is, and how sure that is, from the events that models are fitted "
            "on; what is later in time is not in it.",
            kinds={"parquet", "numba"},
            metadata=columns(ITEM_STATISTICS),
        ),
        daily_spec(
            "features",
            "training_features",
            deps=["anonymised_interactions"],
            description="A row an answer: what was known of the learner, the item and the moment before it. Rows that "
            "fit a model see statistics of other learners only.",
            kinds={"parquet", "numba"},
            metadata=columns(TRAINING_FEATURES, {feature.name: feature.description for feature in FEATURES}),
        ),
    ],
    backfill_policy=ONE_RUN,
)
def fold_training_events(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> Iterator[dg.MaterializeResult]:
    """Fold the training window that ends with the last day of this run."""
    day = as_of(context)
    made, written, sample = make_training(lake, day, settings, step_log(context))
    yield dg.MaterializeResult(
        asset_key="population_statistics",
        metadata={"rows_in": made.split.fit.size, "rows_out": made.statistics.items.height},
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


def make_training(
    lake: Lake, day: date, settings: Settings, say: Callable[[str], None]
) -> tuple[TrainingSet, Written, Sample]:
    """Fold the training window that ends with a day, and keep it: with the newest ones, for as many as are kept.

    Args:
        lake: Where the answers are, and where features and statistics are kept.
        day: The last day of the window.
        settings: Features, training, and how many sets of features are kept.
        say: Takes a line about what is done.

    Returns:
        The training set, what was written of its features, and whose answers it holds.

    Raises:
        LakeError: There are no answers in the window.
        ModelError: There are too few.
    """
    answers = lake.version(ANONYMISED_INTERACTIONS, until=day)  # before they are read: what comes meanwhile is new
    events, sample = training_events(lake, day, settings)
    say(f"folding {sample.sentence}")
    made = training_set(events, settings.features, settings.training)
    del events  # the frame of features needs its memory
    made_by = {"answers": answers, "settings": fold_settings(settings)} | (
        {} if sample.is_all else {"sampling": sample.sentence}
    )
    for name, frame in made.statistics.to_frames().items():
        lake.write(_STATISTICS[name], frame, day=day, made_by=made_by)
    written = lake.write(TRAINING_FEATURES, to_frame(made.table), day=day, made_by=made_by)
    _prune(lake, day, settings.retention.feature_sets)
    return made, written, sample


def fold_settings(settings: Settings) -> str:
    """Digest of the settings that a training set follows from."""
    training = settings.training
    cut = (training.calibration_share, training.evaluation_share, training.statistics_folds, training.seed)
    return digest([settings.features.model_dump_json(), repr(cut), str(training.window_days)])


def _prune(lake: Lake, made: date, most: int) -> None:
    """Take the oldest sets of features away, but never the one that was just made: what follows reads it."""
    others = [day for day in lake.days(TRAINING_FEATURES) if day != made]
    for day in others[: len(others) - most + 1]:
        for dataset in (TRAINING_FEATURES, *_STATISTICS.values()):
            lake.remove(dataset, day=day)


def training_events(lake: Lake, day: date, settings: Settings) -> tuple[pl.DataFrame, Sample]:
    """Events of the training window that ends with `day`, and which learners' they are.

    All events where they fit into the memory of a training; otherwise those of as many learners as do, whole.

    Raises:
        LakeError: There are none.
    """
    days = training_days(lake, day, settings)
    if not days:
        raise missing("anonymised_interactions", day, lake.days(ANONYMISED_INTERACTIONS))
    events = lake.scan(ANONYMISED_INTERACTIONS, days=days)
    most = events_within(settings.training.memory_gib, len(FEATURES))
    sample = sample_learners(events.select("learner"), most, settings.training.seed)
    chosen = events if sample.is_all else sample.filter(events)
    return chosen.collect(engine="auto" if sample.is_all else "streaming"), sample


def training_days(lake: Lake, day: date, settings: Settings) -> list[date]:
    """Days with events within the training window that ends with `day`."""
    first = day - timedelta(days=settings.training.window_days - 1)
    return [each for each in lake.days(ANONYMISED_INTERACTIONS) if first <= each <= day]


def stored_statistics(lake: Lake, day: date) -> Statistics:
    """The population statistics of a training as of `day`."""
    return Statistics.from_frames(
        {name: lake.scan(dataset, days=[day]).collect() for name, dataset in _STATISTICS.items()}
    )
