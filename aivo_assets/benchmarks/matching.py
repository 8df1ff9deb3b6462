"""Comparing like with like, with intervals. Belongs here: strata, and the bootstrap over learners; no recommendation.

Rows of one learner resemble each other, so learners are drawn, never rows (Efron and Tibshirani 1993, ch. 8).
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats

SAMPLES: Final = 400
COVER: Final = 0.95
LEAST_LEARNERS: Final = 30  # with fewer on a side, redrawing learners gives intervals that are too narrow to judge by


class MatchedDifference(BaseModel):
    """A number with its interval.

    Attributes:
        value: The number; NaN where nothing could be compared.
        lower, upper: 95 % interval, percentile bootstrap over learners.
        rows: Rows that it rests on (of the kind, in a comparison).
        learners: Distinct learners of those.
        controls: Distinct learners that a comparison holds them against; 0 where nothing is compared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    lower: float
    upper: float
    rows: int
    learners: int
    controls: int = 0

    @property
    def enough(self) -> bool:
        """Whether a comparison has learners enough on both sides to be judged."""
        return min(self.learners, self.controls) >= LEAST_LEARNERS

    def __str__(self) -> str:
        if not self.rows:
            return "–"
        return f"{self.value:+.3f} [{self.lower:+.3f}, {self.upper:+.3f}]"


def mean_of(rows: pl.DataFrame, value: str, *, seed: int = 0) -> MatchedDifference:
    """Mean of a column over rows, nulls left out.

    Args:
        rows: learner and the column.
        value: The column, numeric or Boolean.
        seed: Of the draws.
    """
    known = rows.select("learner", y=pl.col(value).cast(pl.Float64)).drop_nulls()
    if known.is_empty():
        return _nothing()
    y = known["y"].to_numpy()
    one = np.zeros(known.height, dtype=np.int64)
    return _estimate(known, y, one, lambda sums, counts: sums[:, 0] / counts[:, 0], 1, seed)


def difference(
    rows: pl.DataFrame, value: str, *, kind: str, control: str, match: Sequence[str], seed: int = 0
) -> MatchedDifference:
    """Mean of a column for one kind less that of another, matched.

    Rows are matched exactly on the columns of `match`. In each stratum with both kinds the difference of means is
    taken; strata weigh by the rows of `kind` (the effect on those who got it).

    Args:
        rows: learner, kind, the column, and those to match on.
        value: The column, numeric or Boolean; nulls are left out.
        kind: Whose.
        control: Against whom.
        match: Columns whose values must be equal.
        seed: Of the draws.
    """
    known = rows.filter(pl.col("kind").is_in([kind, control])).select(
        "learner", *match, y=pl.col(value).cast(pl.Float64), treated=pl.col("kind") == kind
    )
    known = known.drop_nulls()
    both = known.group_by(match).agg(pl.col("treated").any().alias("t"), (~pl.col("treated")).any().alias("c"))
    known = known.join(both.filter(pl.col("t") & pl.col("c")).select(match), on=list(match), how="semi")
    if known.is_empty():
        return _nothing()
    stratum = known.select(pl.struct(match).rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    cell = stratum * 2 + known["treated"].cast(pl.Int64).to_numpy()
    strata = int(stratum.max()) + 1

    def matched(sums: Floats, counts: Floats) -> Floats:
        usable = (counts[:, 0::2] > 0) & (counts[:, 1::2] > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            gap = sums[:, 1::2] / counts[:, 1::2] - sums[:, 0::2] / counts[:, 0::2]
            weight = np.where(usable, counts[:, 1::2], 0.0)
            return np.asarray((np.where(usable, gap, 0.0) * weight).sum(axis=1) / weight.sum(axis=1))

    estimate = _estimate(known, known["y"].to_numpy(), cell, matched, 2 * strata, seed)
    of_kind, others = known.filter("treated"), known.filter(~pl.col("treated"))
    counts = {"learners": of_kind["learner"].n_unique(), "controls": others["learner"].n_unique()}
    return estimate.model_copy(update={"rows": of_kind.height, **counts})


def _estimate(
    known: pl.DataFrame,
    y: Floats,
    cell: NDArray[np.int64],
    statistic: Callable[[Floats, Floats], Floats],
    cells: int,
    seed: int,
) -> MatchedDifference:
    """The statistic of cell sums and counts, and its interval under redrawn learners."""
    learner = known.select(pl.col("learner").rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    drawn = int(learner.max()) + 1
    random = np.random.default_rng(seed)
    sums, counts = np.empty((SAMPLES + 1, cells)), np.empty((SAMPLES + 1, cells))
    for sample in range(SAMPLES + 1):
        times = np.ones(drawn) if sample == 0 else np.bincount(random.integers(drawn, size=drawn), minlength=drawn)
        weight = times[learner].astype(np.float64)
        sums[sample] = np.bincount(cell, weights=weight * y, minlength=cells)
        counts[sample] = np.bincount(cell, weights=weight, minlength=cells)
    values = statistic(sums, counts)
    tail = (1 - COVER) / 2
    drawn_again = values[1:][np.isfinite(values[1:])]  # a draw may leave no stratum with both kinds
    lower, upper = np.quantile(drawn_again, [tail, 1 - tail]) if drawn_again.size else (np.nan, np.nan)
    return MatchedDifference(
        value=float(values[0]), lower=float(lower), upper=float(upper), rows=known.height, learners=drawn
    )


def _nothing() -> MatchedDifference:
    return MatchedDifference(value=float("nan"), lower=float("nan"), upper=float("nan"), rows=0, learners=0)
