"""Effect sizes of learner-clustered data with their uncertainty. Belongs here: estimators; no measure, no threshold.

Answers of one learner resemble each other, so learners, not events, are the independent units: every covariance is
the cluster-robust sandwich of per-learner sums (Liang & Zeger 1986), and quantiles are Student's with one degree of
freedom less than the effective number of learners.
"""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from aivo_assets.arrays import Floats

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class ClusteredMeans:
    """A vector of means.

    Attributes:
        mean: Means, float64 [k].
        covariance: Cluster-robust covariance of the means, float64 [k, k].
        clusters: Effective number of learners: of equally active ones that would be as many.
    """

    mean: Floats
    covariance: Floats
    clusters: float


@dataclass(frozen=True)
class Effect:
    """How much worse the window is than the reference.

    Attributes:
        size: The effect, sampling noise taken off where it would add up; positive is worse.
        standard_error: Its standard error.
        lower: One-sided lower confidence bound.
        chance: Probability of an effect at least as large if nothing had changed.
    """

    size: float
    standard_error: float
    lower: float
    chance: float = 1.0


def clustered_means(values: Floats, codes: Codes) -> ClusteredMeans:
    """Means over events with learners as clusters.

    Args:
        values: float64 [n, k], one row an event.
        codes: int64 [n], the learner of each event as 0 … learners - 1.
    """
    sums = np.column_stack([np.bincount(codes, weights=column).astype(np.float64) for column in values.T])
    return estimate_from_sums(sums, np.bincount(codes).astype(np.float64))


def estimate_from_sums(sums: Floats, counts: Floats) -> ClusteredMeans:
    """The same from per-learner sums, float64 [learners, k], and event counts, float64 [learners]."""
    total, clusters = float(counts.sum()), len(counts)
    # A few busy learners weigh most; the degrees of freedom are theirs (Kish 1965; Carter, Schnepel, Steigerwald 2017).
    effective = total**2 / float(counts @ counts)
    mean = sums.sum(axis=0) / total
    centred = sums - counts[:, None] * mean
    correction = clusters / max(clusters - 1, 1)
    return ClusteredMeans(mean, correction * (centred.T @ centred) / total**2, effective)


def increase(window: ClusteredMeans, reference: ClusteredMeans, confidence: float) -> Effect:
    """Window mean minus reference mean of a single measure (k = 1)."""
    size = float(window.mean[0] - reference.mean[0])
    error = float(np.sqrt(window.covariance[0, 0] + reference.covariance[0, 0]))
    chance = float(scipy.stats.t.sf(size / error, _degrees(window, reference))) if error > 0 else float(size <= 0)
    return Effect(size, error, size - _quantile(window, reference, confidence) * error, chance)


def squared_distance(window: ClusteredMeans, reference: ClusteredMeans, weights: Floats, confidence: float) -> Effect:
    """Weighted squared distance d'Wd of two mean vectors, without what sampling noise adds to it.

    The plug-in value exceeds the true one by tr(WS) on average, S being the covariance of d. That is taken off, and
    the variance of a Gaussian quadratic form, 2 tr(WSWS) + 4 d'WSWd (Mathai & Provost 1992, th. 3.2b), gives the
    error. Had nothing changed, it would be a sum of squares whose first two moments are those of a scaled chi-square
    (Satterthwaite 1946); as S is estimated from so many learners, the chance is that of an F.

    Args:
        window: Means of k quantities in the window.
        reference: The same in the reference.
        weights: Positive semi-definite W, float64 [k, k].
        confidence: Of the one-sided lower bound.
    """
    difference = window.mean - reference.mean
    noise = weights @ (window.covariance + reference.covariance)
    size = float(difference @ weights @ difference - np.trace(noise))
    variance = float(2.0 * np.trace(noise @ noise) + 4.0 * difference @ noise @ weights @ difference)
    error = float(np.sqrt(max(variance, 0.0)))
    expected, twice = float(np.trace(noise)), float(np.trace(noise @ noise))
    ratio, degrees = ((size + expected) / expected, expected**2 / twice) if twice > 0 else (0.0, 1.0)
    chance = float(scipy.stats.f.sf(ratio, degrees, _degrees(window, reference)))
    return Effect(size, error, size - _quantile(window, reference, confidence) * error, chance)


def _degrees(window: ClusteredMeans, reference: ClusteredMeans) -> float:
    return max(min(window.clusters, reference.clusters) - 1.0, 1.0)


def _quantile(window: ClusteredMeans, reference: ClusteredMeans, confidence: float) -> float:
    return float(scipy.stats.t.ppf(confidence, _degrees(window, reference)))
