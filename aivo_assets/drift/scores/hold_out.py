"""What a version says of its own hold-out, shard by shard. Belongs here: the work on one shard; nothing is judged."""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from aivo_assets.drift.schema import DRIFT_REFERENCE
from aivo_assets.drift.scores.scored_events import scored_events
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.model.main_brain import MainBrain


@dataclass(frozen=True)
class HoldOutTask:
    """What the work on every shard has in common.

    Attributes:
        lake: Where the answers are.
        brain: The version.
        number: Its number in the registry.
        days: Days of its training window.
        span: First and last instant of its hold-out.
        features: Settings of the fold.
    """

    lake: Lake
    brain: MainBrain
    number: str
    days: tuple[date, ...]
    span: tuple[datetime, datetime]
    features: FeatureSettings


def score_hold_out(task: HoldOutTask, shard: int) -> pl.DataFrame:
    """Rows of `DRIFT_REFERENCE` of a shard."""
    events = task.lake.scan(ANONYMISED_INTERACTIONS, days=task.days, shards=[shard]).collect()
    if events.is_empty():
        return DRIFT_REFERENCE.empty()
    table = fold(events, task.brain.statistics, None, task.features).features
    held_out = table.take(table.keys["occurred_at"].is_between(*task.span).to_numpy())
    return scored_events(held_out, task.brain.predict(held_out), model_version=task.number)
