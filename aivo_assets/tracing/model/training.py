"""What a main brain is trained on: features, cut in time, and the statistics they were folded with. No fitting here.

A row that fits uses statistics from other learners only (out of fold), so that boosting does not learn to trust numbers
that hold its own answer. A row that calibrates or evaluates is later than all of these and uses the statistics that the
model will be served with.
"""

from dataclasses import dataclass

import polars as pl

from aivo_assets.lake import Dataset
from aivo_assets.settings import FeatureSettings, TrainingSettings
from aivo_assets.tracing.fold.catalogue import FEATURES, feature_schema
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import FEATURE_KEYS, FeatureTable
from aivo_assets.tracing.fold.statistics import (
    ITEM_COLUMNS,
    SKILL_COLUMNS,
    SKILL_SET_COLUMNS,
    Statistics,
    fit_statistics,
    out_of_fold,
)
from aivo_assets.tracing.model.splits import Split, split_by_time

ORDER = ["learner", "day", "sequence"]

TRAINING_FEATURES = Dataset(
    "features/training",
    {**FEATURE_KEYS, **{feature.name: pl.Float32 for feature in FEATURES}},
    unit="day",
)
ITEM_STATISTICS = Dataset("features/item_statistics", ITEM_COLUMNS, unit="day")
SKILL_STATISTICS = Dataset("features/skill_statistics", SKILL_COLUMNS, unit="day")
SKILL_SETS = Dataset("features/skill_sets", SKILL_SET_COLUMNS, unit="day")
TOTALS = Dataset(
    "features/totals",
    {
        "events": pl.Int64,
        "base_rate": pl.Float64,
        "difficulty": pl.Float64,
        "prior_sd": pl.Float64,
        "log_response_time": pl.Float64,
    },
    unit="day",
)


@dataclass(frozen=True)
class TrainingSet:
    """Everything that fitting and evaluating a main brain reads.

    Attributes:
        table: One row an event, ascending by learner, day, sequence.
        split: Which of its rows fit, calibrate and evaluate.
        statistics: Fitted on the events of the fit rows.
    """

    table: FeatureTable
    split: Split
    statistics: Statistics


def training_set(events: pl.DataFrame, features: FeatureSettings, training: TrainingSettings) -> TrainingSet:
    """Cut events in time, fit statistics on the first part, and fold.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS, in any order of rows.
        features: Settings of the fold.
        training: Shares of the parts, folds and seed of the out-of-fold statistics.

    Raises:
        ModelError: There are too few events.
    """
    events = events.sort(ORDER)
    split = split_by_time(events, training)
    fit = events[split.fit]
    statistics = fit_statistics(fit, features)
    of_others = out_of_fold(fit, features, folds=training.statistics_folds, seed=training.seed)
    table = fold(events, statistics, None, features).features
    table.values[split.fit] = fold(fit, of_others, None, features).features.values
    return TrainingSet(table, split, statistics)


def to_frame(table: FeatureTable) -> pl.DataFrame:
    """A feature table as a frame of TRAINING_FEATURES."""
    values = pl.DataFrame({name: table.values[:, position] for position, name in enumerate(table.names)})
    return pl.concat([table.keys, values], how="horizontal").select(list(TRAINING_FEATURES.schema))


def from_frames(
    table: pl.DataFrame, statistics: Statistics, features: FeatureSettings, training: TrainingSettings
) -> TrainingSet:
    """The training set whose frames were stored.

    Args:
        table: TRAINING_FEATURES, in the order in which it was written.
        statistics: Those it was folded with.
        features: Settings of the fold.
        training: Shares of the parts.

    Raises:
        ModelError: There are too few events.
    """
    schema = feature_schema(features)
    keys = table.select(list(FEATURE_KEYS))
    values = table.select(schema.names).to_numpy(order="c")
    return TrainingSet(FeatureTable(keys, values, schema), split_by_time(keys, training), statistics)
