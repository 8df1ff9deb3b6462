"""Confidence of a difference between two models. Belongs here: the paired bootstrap over learners.

Answers of one learner resemble each other, so learners are drawn, not rows; both models are scored on the same rows,
so what is hard for both cancels out (Efron and Tibshirani 1993, ch. 8: resample the independent unit). No verdict.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.tracing.model.scores import CALIBRATION_BINS, calibration_residuals

DRAWS_AT_ONCE = 4_000_000  # bounds the memory of one block of resamples to about 100 MB


class Interval(BaseModel):
    """A difference of two models and its one-sided bounds.

    Attributes:
        mean: The difference over all events; of losses, their mean.
        lower: It is above this with `confidence`.
        upper: It is below this with `confidence`.
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

    def in_words(self) -> str:
        """The bounds of a difference of losses as sizes, on the side that the mean is on: `0.0586 to 0.0701`.

        Bounds on both sides of zero say which is which: `0.0012 worse to 0.0034 better`.
        """
        near, far = sorted((self.lower, self.upper), key=lambda bound: bound * (1 if self.mean > 0 else -1))
        if self.lower < 0 < self.upper:
            return f"{_size(near)} to {_size(far)}"
        return f"{abs(near):.4f} to {abs(far):.4f}"


def _size(bound: float) -> str:
    return f"{abs(bound):.4f} {'worse' if bound > 0 else 'better'}"


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
    means = np.concatenate(
        [
            sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
            for drawn in _draws(present.size, samples=samples, seed=seed)
        ]
    )
    lower, upper = np.quantile(means, [1 - confidence, confidence])
    return Interval(
        mean=float(sums.sum() / counts.sum()),
        lower=float(lower),
        upper=float(upper),
        confidence=confidence,
        samples=samples,
        learners=present.size,
    )


def calibration_bootstrap(
    correct: Floats,
    ours: Floats,
    theirs: Floats,
    learners: NDArray[np.integer],
    *,
    samples: int,
    confidence: float,
    seed: int,
) -> Interval:
    """Bounds of the calibration error of one model less that of another, over resampled learners.

    The bins are those of all rows; a resample changes how often each learner counts in them.

    Args:
        correct: float64 [n], 0.0 or 1.0.
        ours: float64 [n], probabilities of the one.
        theirs: float64 [n], probabilities of the other.
        learners: As for `paired_bootstrap`.
        samples: As for `paired_bootstrap`.
        confidence: As for `paired_bootstrap`.
        seed: As for `paired_bootstrap`.
    """
    present, codes = np.unique(learners, return_inverse=True)
    counts = np.bincount(codes, minlength=present.size).astype(np.float64)
    residuals = [_by_learner(correct, predicted, codes, present.size) for predicted in (ours, theirs)]

    def difference(weights: Floats) -> Floats:
        one, other = (np.abs(weights @ each).sum(axis=1) for each in residuals)
        return np.asarray((one - other) / (weights @ counts), dtype=np.float64)

    drawn = [difference(_times_drawn(draw)) for draw in _draws(present.size, samples=samples, seed=seed)]
    lower, upper = np.quantile(np.concatenate(drawn), [1 - confidence, confidence])
    return Interval(
        mean=float(difference(np.ones((1, present.size)))[0]),
        lower=float(lower),
        upper=float(upper),
        confidence=confidence,
        samples=samples,
        learners=present.size,
    )


def _draws(learners: int, *, samples: int, seed: int) -> Iterator[NDArray[np.int32]]:
    """Resamples of learners, int32 [block, learners] each, `samples` rows in all."""
    random = np.random.default_rng(seed)
    block = max(1, DRAWS_AT_ONCE // learners)
    for start in range(0, samples, block):
        yield random.integers(learners, size=(min(block, samples - start), learners), dtype=np.int32)


def _times_drawn(drawn: NDArray[np.int32]) -> Floats:
    """How often each resample holds each learner, float64 [block, learners]."""
    rows, learners = drawn.shape
    times = np.zeros((rows, learners))
    np.add.at(times, (np.arange(rows)[:, None], drawn), 1.0)
    return times


def _by_learner(correct: Floats, predicted: Floats, codes: NDArray[np.intp], learners: int) -> Floats:
    """Sum of the calibration residuals of each learner and bin, float64 [learners, bins]."""
    places, residuals = calibration_residuals(correct, predicted)
    sums = np.zeros((learners, CALIBRATION_BINS))
    np.add.at(sums, (codes, places), residuals)
    return sums
