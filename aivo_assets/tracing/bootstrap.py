"""How sure is a difference of two models' losses. Belongs here: the paired bootstrap over learners; no verdict.

Answers of one learner resemble each other, so learners are drawn, not rows; both models are scored on the same rows,
so what is hard for both cancels out (Efron and Tibshirani 1993, ch. 8: resample the independent unit).
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Floats = NDArray[np.float64]

DRAWS_AT_ONCE = 4_000_000  # bounds the memory of one block of resamples to about 100 MB


class Interval(BaseModel):
    """A mean difference per event and its one-sided bounds.

    Attributes:
        mean: Mean of the differences over all events.
        lower: The mean is above this with `confidence`.
        upper: The mean is below this with `confidence`.
        confidence: Of each bound by itself; both together hold with 2 x confidence - 1.
        samples: Resamples of learners.
        learners: Learners they were drawn from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: float
    lower: float
    upper: float
    confidence: float
    samples: int
    learners: int


def paired_bootstrap(
    differences: Floats, learners: NDArray[np.integer], *, samples: int, confidence: float, seed: int
) -> Interval:
    """Bounds of the mean of `differences` (loss of one model less the other's, row by row) over resampled learners.

    Args:
        differences: float64 [n], one a row.
        learners: Integer [n], the learner of each row as a code from 0.
        samples: Resamples.
        confidence: Of each one-sided bound, 0.5 … 1.
        seed: Of the draws.
    """
    present, codes = np.unique(learners, return_inverse=True)
    sums = np.bincount(codes, weights=differences, minlength=present.size)
    counts = np.bincount(codes, minlength=present.size).astype(np.float64)
    random = np.random.default_rng(seed)
    means = np.empty(samples)
    block = max(1, DRAWS_AT_ONCE // present.size)
    for start in range(0, samples, block):
        stop = min(start + block, samples)
        drawn = random.integers(present.size, size=(stop - start, present.size), dtype=np.int32)
        means[start:stop] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    lower, upper = np.quantile(means, [1 - confidence, confidence])
    return Interval(
        mean=float(sums.sum() / counts.sum()),
        lower=float(lower),
        upper=float(upper),
        confidence=confidence,
        samples=samples,
        learners=present.size,
    )
