"""How few answers single out a learner. Belongs here: uniqueness of trajectories (de Montjoye et al. 2013); no defence.

An attacker knows that a learner of a school answered at some moments, from looking over a shoulder or from a log of
another service, and looks for the pseudonyms that answered at all of them.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

SECONDS: Mapping[str, int] = {"second": 1, "minute": 60, "quarter of an hour": 900, "hour": 3600, "day": 86_400}
"""To what the attacker knows a moment, or the platform publishes it."""


class Uniqueness(BaseModel):
    """Of one kind of knowledge.

    Attributes:
        known: What the attacker knows of each answer.
        points: How many answers.
        learners: Learners attacked: those of a school with so many distinct points.
        singled_out: Share of them to whom nobody else of the school is alike.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    known: str
    points: int
    learners: int
    singled_out: float


def uniqueness(
    interactions: pl.DataFrame, *, points: tuple[int, ...], most_learners: int, seed: int
) -> tuple[Uniqueness, ...]:
    """Attack learners with what is known at each resolution.

    Args:
        interactions: learner, school, day, occurred_at (exact), gap_s (null for the first of a day), item_id.
        points: Numbers of answers that the attacker knows.
        most_learners: Learners drawn.
        seed: Of the draw.

    Returns:
        A row for each kind of knowledge and number of points.
    """
    moment = pl.col("occurred_at").dt.timestamp("us") // 1_000_000
    kinds = {f"time to the {name}": (moment // seconds).cast(pl.String) for name, seconds in SECONDS.items()}
    kinds |= {
        "day and item": pl.format("{}:{}", "day", "item_id"),
        "day and exact gap to the answer before": pl.format("{}:{}", "day", "gap_s"),
    }
    rows = []
    for known, point in kinds.items():
        table = interactions.select("learner", "school", point=point).drop_nulls().unique()
        rows += [_attack(table, known, count, most_learners, seed) for count in points]
    return tuple(rows)


def _attack(table: pl.DataFrame, known: str, count: int, most_learners: int, seed: int) -> Uniqueness:
    coded = table.select(
        learner=pl.col("learner").rank("dense").cast(pl.Int32),
        place=pl.concat_str("school", "point", separator=" ").rank("dense").cast(pl.Int32),
    )
    at = {place: frozenset(who) for place, who in coded.group_by("place").agg("learner").iter_rows()}
    theirs = coded.group_by("learner").agg("place").filter(pl.col("place").list.len() >= count).sort("learner")
    draw = np.random.default_rng(seed)
    chosen = draw.permutation(theirs.height)[:most_learners]
    alone = 0
    for row in chosen:
        own = np.sort(theirs["place"][int(row)].to_numpy())
        known_points = draw.choice(own, size=count, replace=False)
        alone += len(frozenset.intersection(*(at[int(place)] for place in known_points))) == 1
    return Uniqueness(
        known=known, points=count, learners=chosen.size, singled_out=alone / chosen.size if chosen.size else 0.0
    )
