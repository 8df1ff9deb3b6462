"""A lake with a few weeks of a small school in it, for assets that fold real events. No expectations here."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.settings import Settings
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

FIRST = date(2026, 1, 5)
SHARDS = 2


def settings(home: Path, **groups: object) -> Settings:
    """Settings of a small school below a folder."""
    small = {
        "home": home,
        "lake": {"shards": SHARDS},
        "training": {
            "max_iterations": 25, "learning_rate": 0.2, "max_leaves": 8, "min_samples_leaf": 40,
            "minimum_events": 500, "patience": 10,
        },
        "promotion": {
            "minimum_events": 200, "shadow_minimum_events": 200, "slice_minimum_events": 50,
            "slice_minimum_learners": 5,
        },
        "tuning": {"trials": 2, "seconds": 120, "most_rows": 3000},
    }  # fmt: skip
    return Settings.model_validate({**small, **groups})


def events(*, learners: int = 60, days: int = 30, a_day: int = 4, items: int = 40, seed: int = 5) -> pl.DataFrame:
    """Columns of ANONYMISED_INTERACTIONS: learners of differing ability answer items of differing difficulty daily."""
    random = np.random.default_rng(seed)
    ability, difficulty = random.normal(0, 1.3, learners), random.normal(0, 1.3, items)
    day, learner, sequence = (axis.ravel() for axis in np.indices((days, learners, a_day)))
    item = random.integers(0, items, day.size)
    right = random.random(day.size) < 1 / (1 + np.exp(-(ability[learner] - difficulty[item])))
    begin = datetime.combine(FIRST, datetime.min.time(), tzinfo=UTC) + timedelta(hours=9)
    frame = pl.DataFrame(
        {"n": np.arange(day.size), "d": day, "l": learner, "s": sequence, "i": item, "correct": right.astype(np.int8)}
    ).with_columns(at=pl.lit(begin) + pl.duration(days="d", minutes=pl.col("s") * 2))
    whole = {
        "event": pl.format("event-{}", "n"),
        "learner": pl.format("learner-{}", pl.col("l").cast(pl.String).str.zfill(3)),
        "shard": pl.col("l") % SHARDS,
        "day": pl.col("at").dt.date(),
        "occurred_at": pl.col("at"),
        "sequence": pl.col("s"),
        "gap_s": pl.when(pl.col("s") > 0).then(120),
        "item_id": pl.format("item-{}", "i"),
        "skill_ids": pl.concat_list(pl.format("skill-{}", pl.col("i") % 5)),
        "subject": pl.when(pl.col("i") % 2 == 0).then(pl.lit("algebra")).otherwise(pl.lit("geometry")),
        "correct": pl.col("correct"),
        "response_time_ms": pl.lit(20_000),
    }
    schema = ANONYMISED_INTERACTIONS.schema
    return frame.select(whole.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema.items())


def filled(lake: Lake, frame: pl.DataFrame) -> None:
    """Write events as days, and a grade for every learner."""
    for (day,), part in frame.partition_by("day", as_dict=True, maintain_order=True).items():
        assert isinstance(day, date)
        lake.write(ANONYMISED_INTERACTIONS, part, day=day)
    known = frame.select("learner", "shard").unique().sort("learner")
    numbered = pl.col("learner").str.slice(-3).cast(pl.Int32, strict=False)  # learner-007; pseudonyms are counted
    number = numbered.fill_null(pl.int_range(pl.len()))
    grade = pl.when(number % 2 == 0).then(pl.lit("7")).otherwise(pl.lit("8"))
    schema = ANONYMISED_LEARNERS.schema
    made = known.with_columns(grade=grade, gender=pl.lit("*"))
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in made.columns]
    lake.write(ANONYMISED_LEARNERS, made.with_columns(absent).select(list(schema)))


def trained_on(lake: Lake, day: date, settings: Settings) -> TrainingSet:
    """Fold and store the training set as of a day, as the feature assets do."""
    kept = lake.scan(ANONYMISED_INTERACTIONS, until=day).collect()
    made = training_set(kept, settings.features, settings.training)
    statistics = made.statistics.to_frames()
    stored = {"items": ITEM_STATISTICS, "skills": SKILL_STATISTICS, "skill_sets": SKILL_SETS, "totals": TOTALS}
    for name, dataset in stored.items():
        lake.write(dataset, statistics[name], day=day)
    lake.write(TRAINING_FEATURES, to_frame(made.table), day=day)
    return made
