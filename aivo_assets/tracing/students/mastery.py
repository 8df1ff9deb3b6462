"""The mathematics of mastery: moments, bands, order of levels. Belongs here: functions of arrays; no frames."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from aivo_assets.arrays import Floats

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(31)


@dataclass(frozen=True)
class Success:
    """A probability of success that is itself uncertain; float64 [n] each.

    Attributes:
        mean: Expected probability.
        sd: Its standard deviation.
        lower, upper: Band that holds it with the nominal cover.
    """

    mean: Floats
    sd: Floats
    lower: Floats
    upper: Floats


def success(mean: Floats, sd: Floats, interval: float) -> Success:
    """Moments and band of sigmoid(x) for x ~ N(mean, sd²).

    Args:
        mean: Mean of the logit [n].
        sd: Its standard deviation [n].
        interval: Nominal cover, 0 … 1.

    Returns:
        Moments by Gauss-Hermite quadrature with 31 nodes (error below 1e-6 for sd up to 3); the band is that of the
        logit, mapped, and so has exactly its cover.
    """
    values = sigmoid(mean[:, None] + sd[:, None] * _NODES)
    weights = _WEIGHTS / _WEIGHTS.sum()
    # Not a matrix product: its last bits depend on the other rows, and a model remade alone must be the same.
    first = (values * weights).sum(axis=1)
    spread = np.sqrt(np.maximum(((values - first[:, None]) ** 2 * weights).sum(axis=1), 0.0))
    reach = half_width(interval) * sd
    return Success(first, spread, sigmoid(mean - reach), sigmoid(mean + reach))


def half_width(interval: float) -> float:
    """Half the width of a normal band of this cover, in standard deviations."""
    return NormalDist().inv_cdf(0.5 + interval / 2.0)


def unmoderated(logit: Floats, sd: Floats) -> Floats:
    """Mean of a logit whose moderated value (see the kernel) and standard deviation are given [n]."""
    return logit * np.sqrt(1.0 + np.pi / 8.0 * sd**2)


def non_increasing(probabilities: Floats) -> Floats:
    """The nearest rows (least squares) that do not rise from left to right.

    A harder level is not easier: trees know no such order and break it by noise, which would let a policy send a
    learner two levels up. Robertson et al. (1988), min-max formula: entry i is the minimum over j ≤ i of the maximum
    over k ≥ i of the mean of entries j … k.

    Args:
        probabilities: [n, levels].
    """
    levels = probabilities.shape[1]
    sums = np.concatenate([np.zeros((len(probabilities), 1)), np.cumsum(probabilities, axis=1)], axis=1)
    result = np.full_like(probabilities, np.inf)
    for start in range(levels):
        best = np.full(len(probabilities), -np.inf)
        for end in range(levels - 1, start - 1, -1):  # `best` is the maximum over ends ≥ the present one
            best = np.maximum(best, (sums[:, end + 1] - sums[:, start]) / (end + 1 - start))
            result[:, end] = np.minimum(result[:, end], best)
    return result


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(−x)), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))
