"""Hand-made overrides of teachers."""

from typing import Any

import polars as pl

from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets_tests.adaptive.learners import SUBJECT, day


def word(action: str, back: int = 1, **known: Any) -> dict[str, Any]:
    usual = {"learner": "ada", "shard": 1, "subject": SUBJECT, "skill_id": "fractions", "given_on": day(back)}
    return {**usual, "action": action, **known}


def words(*given: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(given), schema=dict(OVERRIDES.schema))
