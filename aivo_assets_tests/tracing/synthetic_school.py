"""A made-up school whose truth is known, as feature tables: what tests of the main brain are fitted on."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.settings import TrainingSettings
from aivo_assets.tracing.fold.layout import FACTORS, REPEATS
from aivo_assets.tracing.fold.schema import FEATURE_KEYS, FeatureSchema, FeatureTable
from aivo_assets.tracing.fold.statistics import ITEM_COLUMNS, SKILL_COLUMNS, Statistics
from aivo_assets.tracing.model.main_brain import MadeBy, MainBrain, fit_main_brain
from aivo_assets.tracing.model.splits import Split, split_by_time

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
NAMES = ("item_difficulty", "learner_opportunities", "learner_win_rate", "ability_hint", "noise")
QUICK = TrainingSettings(
    max_iterations=25,
    learning_rate=0.2,
    max_leaves=8,
    min_samples_leaf=40,
    l2_regularization=5.0,
    feature_share=0.5,
    minimum_events=500,
    patience=10,
)


@dataclass(frozen=True)
class School:
    """Events with their features, and the truth behind them."""

    table: FeatureTable
    statistics: Statistics
    split: Split
    truth: NDArray[np.float64]  # the true probability of each row

    def fit(self, settings: TrainingSettings = QUICK, *, data: str = "v1", code: str = "c1") -> MainBrain:
        made_by = MadeBy(data_versions={"anonymised/interactions": data}, code_version=code)
        return fit_main_brain(self.table, self.split, settings, statistics=self.statistics, made_by=made_by)

    def with_answers(self, correct: NDArray[np.int8]) -> "School":
        keys = self.table.keys.with_columns(pl.Series("correct", correct, dtype=pl.Int8))
        return School(FeatureTable(keys, self.table.values, self.table.schema), self.statistics, self.split, self.truth)


def school(*, learners: int = 120, days: int = 40, a_day: int = 2, items: int = 60, seed: int = 1) -> School:
    """Every learner answers `a_day` items on each day; the last tenth of the items appears only in the last days."""
    random = np.random.default_rng(seed)
    ability, difficulty = random.normal(0, 1.2, learners), random.normal(0, 1.2, items)
    shape = (days, a_day, learners)
    day, sequence, learner = (axis.ravel() for axis in np.indices(shape))
    item = random.integers(0, np.where(day >= 0.9 * days, items, items * 9 // 10))
    truth = 1 / (1 + np.exp(-(ability[learner] + 0.02 * day - difficulty[item])))
    correct = (random.random(day.size) < truth).astype(np.int8)
    opportunities = day * a_day + sequence
    wins = np.cumsum(correct.reshape(-1, learners), axis=0).ravel() - correct
    values = np.column_stack(
        [
            difficulty[item] + random.normal(0, 0.2, day.size),
            opportunities,
            (wins + 1) / (opportunities + 2),
            ability[learner] + random.normal(0, 0.5, day.size),
            random.normal(size=day.size),
        ]
    ).astype(np.float32)
    keys = _keys(learner, item, day, sequence, correct)
    table = FeatureTable(keys, values, FeatureSchema(NAMES, hashlib.sha256(repr(NAMES).encode()).hexdigest()[:32]))
    split = split_by_time(keys, QUICK)
    return School(table, _statistics(keys[split.fit]), split, truth)


def _keys(
    learner: NDArray[np.int64],
    item: NDArray[np.int64],
    day: NDArray[np.int64],
    sequence: NDArray[np.int64],
    correct: NDArray[np.int8],
) -> pl.DataFrame:
    times = [START + timedelta(days=int(d), minutes=int(s)) for d, s in zip(day, sequence, strict=True)]
    return pl.DataFrame(
        {
            "event": [f"e{row}" for row in range(day.size)],
            "learner": [f"learner-{code:04d}" for code in learner],
            "shard": learner % 4,
            "day": [time.date() for time in times],
            "sequence": sequence,
            "occurred_at": times,
            "item_id": [f"item-{code:03d}" for code in item],
            "subject": np.where(item % 2 == 0, "algebra", "geometry"),
            "correct": correct,
            "response_time_ms": np.full(day.size, 5000),
        },
        schema_overrides=FEATURE_KEYS,
    )


def with_plain_behaviour(known: pl.DataFrame, columns: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """The columns of behaviour that a frame of statistics lacks, of items and skills that surprise nobody."""
    lists = {"factors": [0.0] * FACTORS, "repeat_surprise": [0.0] * REPEATS, "repeat_events": [0] * REPEATS}
    return known.with_columns(
        pl.lit(lists.get(name, []), dtype).alias(name)
        if isinstance(dtype, pl.List)
        else pl.lit(0.0 if name in ("tendency", "discrimination") else None, dtype).alias(name)
        for name, dtype in columns.items()
        if name not in known.columns
    ).select(list(columns))


def _statistics(keys: pl.DataFrame) -> Statistics:
    def counted(by: str, columns: dict[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
        wins, events = pl.col("correct").sum(), pl.len()
        counts = keys.group_by(by).agg(
            pl.col("subject").first(),
            events.cast(pl.Int64).alias("events"),
            wins.cast(pl.Int64).alias("wins"),
            ((events - wins + 1) / (wins + 1)).log().alias("difficulty"),
            pl.lit(0.1).alias("difficulty_sd"),
        )
        return counts.rename({by: next(iter(columns))}).sort(next(iter(columns)))

    items = counted("item_id", ITEM_COLUMNS).with_columns(
        pl.concat_list("subject").alias("skill_ids"), pl.lit(None, pl.Float64).alias("log_response_time")
    )
    skills = counted("shard", SKILL_COLUMNS).with_columns(pl.col("skill_id").cast(pl.String))
    items, skills = with_plain_behaviour(items, ITEM_COLUMNS), with_plain_behaviour(skills, SKILL_COLUMNS)
    rate = float(keys["correct"].to_numpy().mean())
    return Statistics(
        items=items.select(list(ITEM_COLUMNS)),
        skills=skills.select(list(SKILL_COLUMNS)),
        events=keys.height,
        base_rate=rate,
        difficulty=float(np.log((1 - rate) / rate)),
        prior_sd=1.0,
        log_response_time=float("nan"),
    )
