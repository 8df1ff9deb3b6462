"""What two versions say of the same answers, shard by shard. Belongs here: the work on one shard; no verdict."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import FEATURE_KEYS
from aivo_assets.tracing.model.main_brain import MainBrain

SCORED_BY_BOTH = pl.DataFrame(
    schema={name: FEATURE_KEYS[name] for name in ("learner", "occurred_at", "correct")}
    | {"champion": pl.Float64, "previous": pl.Float64}
)
"""No row of: an answer, and the probability that each version gave it."""


@dataclass(frozen=True)
class PairTask:
    """What the work on every shard has in common.

    Attributes:
        lake: Where the answers are.
        champion: The version that serves.
        previous: The one that served before.
        days: First and last day whose answers are scored.
        features: Settings of the fold.
    """

    lake: Lake
    champion: MainBrain
    previous: MainBrain
    days: tuple[date, date]
    features: FeatureSettings


def score_pair(task: PairTask, shard: int) -> pl.DataFrame:
    """`SCORED_BY_BOTH` of a shard; only learners who gave an answer on these days are folded."""
    events = task.lake.scan(ANONYMISED_INTERACTIONS, until=task.days[1], shards=[shard])
    active = events.filter(pl.col("day").is_between(*task.days)).select("learner").unique()
    history = events.join(active, on="learner", how="semi").collect(engine="streaming")
    if history.is_empty():
        return SCORED_BY_BOTH.clear()
    keys, champion = _scored(history, task.champion, task)
    _, previous = _scored(history, task.previous, task)
    return keys.with_columns(champion=champion, previous=previous)


def _scored(history: pl.DataFrame, brain: MainBrain, task: PairTask) -> tuple[pl.DataFrame, pl.Series]:
    """Keys of the answers of these days, and what a version says of each from features of its own statistics."""
    table = fold(history, brain.statistics, None, task.features).features
    recent = table.take(table.keys["day"].is_between(*task.days).to_numpy())
    return recent.keys.select("learner", "occurred_at", "correct"), pl.Series(brain.predict(recent))
