"""Skills that a learner practised, hand-made."""

import polars as pl

from aivo_assets_tests.adaptive.learners import mastery

STEEP = [0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]


def practised(skill: str, level: float, probabilities: list[float] = STEEP) -> pl.DataFrame:
    known = mastery(skill=skill, probabilities=probabilities, band=(level - 0.1, level + 0.1))
    return known.with_columns(opportunities=pl.lit(12, pl.Int64), mastery=pl.lit(level))
