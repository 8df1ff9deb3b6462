"""Hand-made outcomes of recommendations."""

import numpy as np
import polars as pl
from scipy.special import expit, logit

from aivo_assets.adaptive.advice.confidence import Confidence
from aivo_assets.adaptive.schema import OUTCOMES
from aivo_assets_tests.adaptive.learners import TODAY, day


def outcomes(
    learners: int, *, slope: float = 1.0, offset: float = 0.0, by_kind: float = 0.0, each: int = 1, seed: int = 3
) -> pl.DataFrame:
    """Expectations whose truth is expit(slope · logit(said) + offset), by_kind more for level_up."""
    random = np.random.default_rng(seed)
    n = learners * each
    said = random.uniform(0.2, 0.95, n)
    kind = np.where(random.random(n) < 0.5, "level_up", "maintain")
    truth = expit(slope * logit(said) + offset + by_kind * (kind == "level_up"))
    values = {
        "learner": [f"l{row // each:05d}" for row in range(n)],
        "subject": "mathematics",
        "skill_id": "fractions",
        "shard": 0,
        "day": TODAY,
        "recommended_on": [day(1 + row % each) for row in range(n)],
        "kind": kind,
        "confidence_model": said,
        "held": random.random(n) < truth,
    }
    absent = {name: None for name in OUTCOMES.schema if name not in values}
    return pl.DataFrame({**values, **absent}, schema=dict(OUTCOMES.schema), strict=False)


def said(fitted: Confidence, model: list[float], kind: str = "maintain") -> list[float]:
    return fitted.add(pl.DataFrame({"confidence_model": model, "kind": kind}))["confidence"].to_list()
