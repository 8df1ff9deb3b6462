"""How far a distribution has moved. Belongs here: Jensen-Shannon distance of binned columns; no label is looked at.

The distance is the square root of the Jensen-Shannon divergence in bits: 0 for equal distributions, 1 for disjoint
ones (Endres & Schindelin 2003). Its floor, what sampling of so many learners shows without any drift, is taken off.
"""

import numpy as np
import polars as pl

from aivo_assets.arrays import Floats
from aivo_assets.drift.scores.inference import ClusteredMeans, Codes, Effect, estimate_from_sums, squared_distance

BINS = 10


def jensen_shannon_distance(first: Floats, second: Floats) -> float:
    """Distance in [0, 1] of two distributions over the same bins, float64 [k] each."""
    middle = (first + second) / 2.0
    divergence = 0.5 * (_divergence(first, middle) + _divergence(second, middle))
    return float(np.sqrt(np.clip(divergence, 0.0, 1.0)))


def column_drift(
    window: tuple[pl.Series, Codes], reference: tuple[pl.Series, Codes], confidence: float
) -> tuple[float, Effect]:
    """Distance of a column between window and reference, and the part of it that noise does not explain.

    Args:
        window: The column and the learner of each row, int64 0 … learners - 1.
        reference: The same of the reference.
        confidence: Of the one-sided lower bound.

    Returns:
        The plug-in distance, and the effect as distances in [0, 1].
    """
    window_bins, reference_bins, bins = _shared_bins(window[0], reference[0])
    now = _shares(window_bins, window[1], bins)
    then = _shares(reference_bins, reference[1], bins)
    middle = (now.mean + then.mean) / 2.0
    # Second-order expansion of the divergence around equality: sum of d^2 / (8 ln 2 m).
    weights = np.diag(np.divide(1.0 / (8.0 * np.log(2.0)), middle, out=np.zeros_like(middle), where=middle > 0))
    approximate = squared_distance(now, then, weights, confidence)
    plug_in = jensen_shannon_distance(now.mean, then.mean)
    noise = float(np.trace(weights @ (now.covariance + then.covariance)))
    size, spread = plug_in**2 - noise, approximate.size - approximate.lower
    lower = float(np.sqrt(max(size - spread, 0.0)))
    distance = float(np.sqrt(max(size, 0.0)))
    # Delta method for the root; at a distance of zero the root has no slope and the bound says all there is.
    error = approximate.standard_error / (2.0 * distance) if distance > 0 else float(np.sqrt(spread))
    return plug_in, Effect(distance, error, lower)


def _divergence(share: Floats, middle: Floats) -> float:
    held = share > 0
    return float(np.sum(share[held] * np.log2(share[held] / middle[held])))


def _shares(bins: Codes, learners: Codes, count: int) -> ClusteredMeans:
    clusters = int(learners.max()) + 1
    cells = np.bincount(learners * count + bins, minlength=clusters * count).astype(np.float64)
    sums = cells.reshape(clusters, count)
    return estimate_from_sums(sums, sums.sum(axis=1))


def _shared_bins(window: pl.Series, reference: pl.Series) -> tuple[Codes, Codes, int]:
    """Bin numbers of both columns and their count; nulls are a bin of their own."""
    if window.dtype.is_numeric():
        now, then = (column.cast(pl.Float64).to_numpy() for column in (window, reference))  # null becomes NaN
        edges = _edges(then[~np.isnan(then)], now[~np.isnan(now)])
        return _numeric_bins(now, edges), _numeric_bins(then, edges), len(edges) + 2
    both = pl.concat([window, reference]).cast(pl.String)
    codes = both.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    return codes[: window.len()], codes[window.len() :], int(codes.max()) + 1


def _edges(reference: Floats, window: Floats) -> Floats:
    """Deciles of the reference with its least and greatest value, so that what lies outside is seen."""
    known = reference if len(reference) else window
    return np.unique(np.quantile(known, np.arange(BINS + 1) / BINS)) if len(known) else np.empty(0)


def _numeric_bins(values: Floats, edges: Floats) -> Codes:
    return np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="left") + 1).astype(np.int64)
