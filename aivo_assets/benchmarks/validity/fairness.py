"""Whether recommendations treat groups alike. Belongs here: rates of each kind and error of the expectation by group.

Groups are attributes as they are published (suppressed values are a group "*" of their own). Differences in rates are
no proof of unfairness, for groups may differ in what they need; an expectation that errs more for one group is.
"""

from collections.abc import Sequence

import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.benchmarks.matching import LEAST_LEARNERS, MatchedDifference, mean_of


class GroupRow(BaseModel):
    """One group.

    Attributes:
        attribute: Which attribute, `gender`.
        group: Its value.
        learners: Learners of the group with a recommendation.
        rates: Share of each kind among the group's recommendations of rank 1.
        error: Mean of confidence less outcome; above 0: more was promised than came true.
        held: Share of judged expectations that held.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribute: str
    group: str
    learners: int
    rates: dict[str, MatchedDifference]
    error: MatchedDifference
    held: MatchedDifference


def fairness(
    recommendations: pl.DataFrame,
    outcomes: pl.DataFrame,
    learners: pl.DataFrame,
    attributes: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> tuple[GroupRow, ...]:
    """Rates and errors by group.

    Args:
        recommendations: learner, rank, kind.
        outcomes: `OUTCOMES`: learner, confidence, held.
        learners: learner and attributes (String).
        attributes: Which; None: all String columns but the learner.
        seed: Of the intervals.

    Returns:
        A row for each group of at least `LEAST_LEARNERS`, by attribute and group; rates of the kinds that occur.
    """
    chosen = attributes or [n for n, dtype in learners.schema.items() if dtype == pl.String and n != "learner"]
    first = recommendations.filter(pl.col("rank") == 1)
    kinds = sorted(first["kind"].unique())
    shown = first.select("learner", *((pl.col("kind") == kind).alias(kind) for kind in kinds))
    errors = outcomes.select("learner", "held", error=pl.col("confidence") - pl.col("held").cast(pl.Float64))
    rows = []
    for attribute in chosen:
        groups = learners.select("learner", group=pl.col(attribute).cast(pl.String)).drop_nulls()
        for group in sorted(groups["group"].unique()):
            members = groups.filter(pl.col("group") == group).select("learner")
            theirs = shown.join(members, on="learner", how="semi")
            if theirs["learner"].n_unique() < LEAST_LEARNERS:
                continue
            judged = errors.join(members, on="learner", how="semi")
            rows.append(
                GroupRow(
                    attribute=attribute,
                    group=group,
                    learners=theirs["learner"].n_unique(),
                    rates={kind: mean_of(theirs, kind, seed=seed) for kind in kinds},
                    error=mean_of(judged, "error", seed=seed),
                    held=mean_of(judged, "held", seed=seed),
                )
            )
    return tuple(rows)
