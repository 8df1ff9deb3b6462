"""Which answers are evidence about a model. Belongs here: answers that all came out the same; no judgement of a model.

A client that records every answer as right makes days that hold one outcome only. Whatever says "right" most loudly is
best on them, so they say nothing about which model knows more. A day counts as such where chance would hardly ever give
it: with the share of right answers on the days that hold both outcomes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

CHANCE: Final = 1e-6
"""A day of one outcome that is likelier than this may be chance."""

ANSWERS_OF_A_LEARNER: Final = 5
"""Of a learner's answers on a day at most so many count: they resemble each other."""

LEAST_SPREAD: Final = 0.1
"""Where no day holds both outcomes, chance is reckoned with this share of the rarer one."""


@dataclass(frozen=True)
class OneOutcome:
    """Days on which everybody's answers came out the same.

    Attributes:
        answers: Day to answers, ascending.
    """

    answers: Mapping[date, int]

    @property
    def total(self) -> int:
        """Answers of all of them."""
        return sum(self.answers.values())

    @property
    def sentence(self) -> str:
        """Which days and how many answers, for a person; empty where there are none."""
        if not self.answers:
            return ""
        days = list(self.answers)
        span = f"{days[0]}" if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
        return f"all {self.total:,} answers of {span} came out the same, which says nothing about a model"

    def without(self, occurred_at: pl.Series) -> NDArray[np.bool_]:
        """Which of some answers lie on other days, bool [n]."""
        return ~occurred_at.dt.date().is_in(list(self.answers)).to_numpy()


def days_of_one_outcome(answers: pl.DataFrame) -> OneOutcome:
    """The days that hold one outcome only, and hardly by chance.

    Args:
        answers: `learner`, `occurred_at` (UTC) and `correct` (0 or 1), a row an answer.
    """
    day = pl.col("occurred_at").dt.date().alias("day")
    capped = pl.col("answers").clip(upper_bound=ANSWERS_OF_A_LEARNER)
    by_learner = answers.group_by(day, "learner").agg(pl.len().alias("answers"), pl.col("correct").sum().alias("right"))
    days = by_learner.group_by("day").agg(
        pl.col("answers").sum(), pl.col("right").cast(pl.Int64).sum(), capped.sum().alias("counted")
    )
    both = days.filter(pl.col("right").is_between(1, pl.col("answers") - 1))
    share = int(both["right"].sum()) / int(both["answers"].sum()) if both.height else 1 - LEAST_SPREAD
    always_right, always_wrong = (math.log(each) for each in (share, 1 - share))
    chance = (
        pl.when(pl.col("right") == pl.col("answers"))
        .then(pl.col("counted") * always_right)
        .when(pl.col("right") == 0)
        .then(pl.col("counted") * always_wrong)
        .otherwise(0.0)
    )
    unlikely = days.filter(chance < math.log(CHANCE)).sort("day")
    return OneOutcome(dict(zip(unlikely["day"], unlikely["answers"], strict=True)))
