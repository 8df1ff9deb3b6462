"""The four numbers that say how good probabilities are. Belongs here: metrics of two arrays; no model, no groups.

All take `correct`, float64 [n] of 0.0 and 1.0, and `probability`, float64 [n], and do not depend on the order of rows.
"""

import itertools

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats

CALIBRATION_BINS = 15
SMALLEST_PROBABILITY = 1e-6


class Scores(BaseModel):
    """How good a model's probabilities are on some events.

    Attributes:
        events: Number of events.
        share_correct: Share of right answers.
        mean_probability: Mean of the probabilities; near `share_correct` where they are right on the whole.
        auc: Chance that a right answer had the higher probability than a wrong one; None without both outcomes.
        log_loss: Mean of -ln(probability given to what happened); lower is better.
        brier: Mean squared difference; lower is better.
        ece: Expected calibration error, `expected_calibration_error`; lower is better.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: int
    share_correct: float
    mean_probability: float
    auc: float | None
    log_loss: float
    brier: float
    ece: float

    @classmethod
    def of(cls, correct: Floats, probability: Floats) -> "Scores":
        """Score probabilities against what happened; there must be at least one event."""
        return cls(
            events=correct.size,
            share_correct=float(correct.mean()),
            mean_probability=float(probability.mean()),
            auc=area_under_curve(correct, probability),
            log_loss=float(losses(correct, probability).mean()),
            brier=float(np.mean((probability - correct) ** 2)),
            ece=expected_calibration_error(correct, probability),
        )


class ReliabilityBin(BaseModel):
    """Events of like probability: what was said, and what happened.

    Attributes:
        events: Number of events.
        lowest: Lowest probability in the bin.
        highest: Highest probability in the bin.
        mean_probability: Mean of the probabilities.
        share_correct: Share of right answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: int
    lowest: float
    highest: float
    mean_probability: float
    share_correct: float


def clipped(probability: Floats) -> Floats:
    """Probabilities held to [1e-6, 1 - 1e-6], so that no single event has an infinite loss."""
    return np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)


def losses(correct: Floats, probability: Floats) -> Floats:
    """Log loss of each event in nats, float64 [n]; probabilities are clipped first."""
    predicted = clipped(probability)
    return -np.where(correct > 0.5, np.log(predicted), np.log1p(-predicted))


def area_under_curve(correct: Floats, probability: Floats) -> float | None:
    """Area under the ROC curve from mean ranks (Mann-Whitney); None unless both outcomes occur."""
    right = float(correct.sum())
    wrong = correct.size - right
    if right == 0 or wrong == 0:
        return None
    ranks = scipy.stats.rankdata(probability)
    return float((ranks[correct > 0.5].sum() - right * (right + 1) / 2) / (right * wrong))


def reliability(correct: Floats, probability: Floats, *, bins: int = CALIBRATION_BINS) -> tuple[ReliabilityBin, ...]:
    """Bins of equal mass: events in order of probability, cut into `bins` parts whose sizes differ by at most one.

    Events of equal probability count with the mean outcome of all of them, so where a bin ends within them does not
    matter, nor does the order of rows. Fewer events than bins make a bin each.
    """
    order, happened, edges = _cut(correct, probability, bins)
    predicted = probability[order]
    return tuple(
        ReliabilityBin(
            events=int(stop - start),
            lowest=float(predicted[start]),
            highest=float(predicted[stop - 1]),
            mean_probability=float(predicted[start:stop].mean()),
            share_correct=float(happened[start:stop].mean()),
        )
        for start, stop in itertools.pairwise(edges)
    )


def calibration_residuals(
    correct: Floats, probability: Floats, *, bins: int = CALIBRATION_BINS
) -> tuple[NDArray[np.intp], Floats]:
    """Of each row its bin of `reliability`, intp [n] from 0, and its probability less what happened, float64 [n].

    The calibration error is the sum over bins of |sum of the residuals of a bin|, divided by the number of rows.
    """
    order, happened, edges = _cut(correct, probability, bins)
    places, residuals = np.empty(order.size, dtype=np.intp), np.empty(order.size)
    places[order] = np.repeat(np.arange(edges.size - 1), np.diff(edges))
    residuals[order] = probability[order] - happened
    return places, residuals


def _cut(correct: Floats, probability: Floats, bins: int) -> tuple[NDArray[np.intp], Floats, NDArray[np.intp]]:
    """Order of rows by probability, the share that was right at the probability of each, and the edges of bins."""
    order = np.argsort(probability, kind="stable")
    predicted = probability[order]
    _, group = np.unique(predicted, return_inverse=True)
    happened = (np.bincount(group, weights=correct[order]) / np.bincount(group))[group]
    edges = np.linspace(0, predicted.size, min(bins, predicted.size) + 1).round().astype(np.intp)
    return order, happened, edges


def expected_calibration_error(correct: Floats, probability: Floats, *, bins: int = CALIBRATION_BINS) -> float:
    """Mean over events of |mean probability - share correct| of their bin (Naeini et al. 2015, bins of equal mass)."""
    parts = reliability(correct, probability, bins=bins)
    return sum(part.events * abs(part.mean_probability - part.share_correct) for part in parts) / correct.size
