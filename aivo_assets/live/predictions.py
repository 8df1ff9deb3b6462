"""Probabilities of a right answer now. Belongs here: asking the champion about items; no choice among them."""

from datetime import datetime

import numpy as np
import polars as pl

from aivo_assets.settings import StudentSettings
from aivo_assets.tracing.fold.features import query
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.students.mastery import half_width, sigmoid
from aivo_assets.tracing.students.student_models import Brain


def predict(
    learner: str, items: pl.DataFrame, states: LearnerStates, brain: Brain, settings: StudentSettings, at: datetime
) -> pl.DataFrame:
    """Ask the champion how likely a learner is to answer items correctly.

    Args:
        learner: Pseudonym.
        items: item_id, subject, skill_ids; one row an item.
        states: Of this learner.
        brain: The champion.
        settings: Cover of the band.
        at: When the items would be met, UTC.

    Returns:
        The items with `probability`, `lower` and `upper` (Float64). The band is that of the learner's and the item's
        uncertain logits, widened as the bands of mastery are, around the champion's probability.
    """
    if items.is_empty():
        return items.with_columns(
            probability=pl.lit(None, pl.Float64), lower=pl.lit(None, pl.Float64), upper=pl.lit(None, pl.Float64)
        )
    questions = items.select(
        pl.lit(learner).alias("learner"), "subject", "skill_ids", "item_id", pl.lit(at).alias("at")
    )
    table = query(questions, brain.statistics, states, brain.fold_settings, threads=1)
    probability = np.clip(brain.predict(table), 1e-6, 1 - 1e-6)
    logit = np.log(probability / (1 - probability))
    opportunities = table.column("skill_opportunities").astype(np.int64)
    sd = table.column("logit_sd").astype(np.float64) * brain.intervals.factor("mastery", opportunities)
    reach = half_width(settings.interval) * sd
    return items.with_columns(
        probability=pl.Series(probability),
        lower=pl.Series(sigmoid(logit - reach)),
        upper=pl.Series(sigmoid(logit + reach)),
    )
