"""Measures of the main brain's predictions. Belongs here: one function a measure; no verdict.

All deciding measures are free of the mix of events: they compare the answers with the model's own probabilities, so
that a week of harder items, a holiday with few learners or a class of newcomers does not move them while the
probabilities hold. They differ from the reference's by what the model has lost since its promotion.
"""

from collections import Counter

import numpy as np

from aivo_assets.arrays import Floats
from aivo_assets.drift.scores.inference import (
    ClusteredMeans,
    Codes,
    Effect,
    clustered_means,
    increase,
    squared_distance,
)
from aivo_assets.drift.scores.sample import Sample
from aivo_assets.tracing.model.scores import area_under_curve, calibration_residuals, expected_calibration_error

CONDITIONS = ("ability", "item_difficulty", "skill_opportunities", "learner_opportunities", "log_gap")
"""Columns the model can see before the answer; the response time comes with it and is not among them."""
MOST_SUBJECTS = 5
PRIOR_SD = 1.0
"""Of a coefficient of a re-fit, logits: none is believed to be larger because few answers speak of it."""
CONDITION_COLUMNS = "conditions"
"""Name of the columns that `carry_conditions` computes."""


def discrimination_loss(window: Sample, reference: Sample, confidence: float) -> tuple[float, float, Effect]:
    """Nats of advantage that the probabilities promise and the answers do not deliver, a shift of level aside.

    Log loss exceeds what a probability expects of itself, its entropy, by -log p(y) - H(p) = -(y - p) logit(p): zero on
    average for a right model whatever the items. A common shift of the log-odds moves that too, by much more than a
    re-fit could win back, and weeks differ in level by a point or two. So the log-odds are centred on their mean
    weighted by p(1 - p), to which such a shift is orthogonal; `recalibration_gain` answers for the level.

    Returns:
        The measure in the window, in the reference, and the increase.
    """
    now, then = (clustered_means(_undelivered(sample)[:, None], sample.learner) for sample in (window, reference))
    return float(now.mean[0]), float(then.mean[0]), increase(now, then, confidence)


def auc_shortfall(window: Sample, reference: Sample, confidence: float) -> tuple[float, float, Effect]:
    """AUC that the model's own probabilities promise minus the AUC observed; free of the mix.

    Were every answer drawn with its probability, the AUC would be the ratio of expectations over pairs. The observed
    one differs from it by a weighted sum of residuals to first order, and that gives the clustered error.

    Returns:
        The shortfall in the window, in the reference, and the increase.
    """
    now, then = _shortfall(window), _shortfall(reference)
    estimates = [
        clustered_means(influence[:, None], s.learner) for (_, influence), s in ((now, window), (then, reference))
    ]
    effect = increase(estimates[0], estimates[1], confidence)
    size = now[0] - then[0]
    # The effect of the influences is the shortfall's own, but for the mean of the second order.
    lower = size - (effect.size - effect.lower)
    return now[0], then[0], Effect(size, effect.standard_error, lower, effect.chance)


def recalibration_gain(window: Sample, reference: Sample, confidence: float) -> Effect:
    """Nats that re-fitting the level and slope of the log-odds on the window would win: calibration loss.

    One Newton step of logistic recalibration (Cox 1958) from the model's log-odds wins g'H⁻¹g / 2 with the score
    g = mean (y - p) z, z = (1, logit p), and the information H; what the line fitted to the reference says of the
    window's events is taken off g first. Coefficients have a Gaussian prior (`PRIOR_SD`).
    """
    return _gain(window, reference, _level_and_slope(window), _level_and_slope(reference), confidence)


def refit_gain(window: Sample, reference: Sample, confidence: float) -> Effect:
    """Nats that re-fitting level, slope and a curve in each explanatory column would win: what a retraining could.

    The same step with more columns: ranks of `CONDITIONS` within the reference and their squares (answers that follow
    too fast are misjudged, and so are those after a long break), whether the item was seen, and the commonest subjects.
    Finds a cohort, a new subject or a wave of guessing that the model misjudges while the average still holds.
    """
    if not (CONDITION_COLUMNS in window.carried and CONDITION_COLUMNS in reference.carried):
        carry_conditions(window, reference)
    return _gain(
        window,
        reference,
        np.column_stack([_level_and_slope(window), window.carried[CONDITION_COLUMNS]]),
        np.column_stack([_level_and_slope(reference), reference.carried[CONDITION_COLUMNS]]),
        confidence,
    )


def carry_conditions(window: Sample, reference: Sample) -> None:
    """Compute the columns of `refit_gain` once for a whole window, so that its days and cohorts take their rows."""
    subjects = Counter(name for name in window.frame["subject"].to_list() if name is not None)
    # Ties are broken by name, so that the order of rows cannot decide which subjects are looked at.
    common = sorted(subjects, key=lambda name: (-subjects[name], name))[:MOST_SUBJECTS]
    ranks = [_ranked(window.column(name), reference.sorted_column(name)) for name in CONDITIONS]
    for sample, ranked in ((window, ranks), (reference, _own_ranks(reference))):
        sample.carried[CONDITION_COLUMNS] = np.column_stack(
            [
                *ranked,
                *(rank**2 for rank in ranked),
                np.nan_to_num(sample.column("seen_item")),
                *((sample.frame["subject"] == name).fill_null(False).to_numpy().astype(np.float64) for name in common),
            ]
        )


def calibration_error(sample: Sample) -> tuple[float, float]:
    """Expected calibration error, and its noise floor: what a calibrated model of so many learners shows.

    The floor is the mean of |N(0, s²)| = s √(2/π) a bin, s the bin's clustered standard error.
    """
    bins, _ = calibration_residuals(sample.correct, sample.probability)
    in_bin = np.eye(int(bins.max()) + 1)[bins] * sample.residual[:, None]
    covariance = clustered_means(in_bin, sample.learner).covariance
    floor = np.sqrt(2.0 / np.pi) * np.sqrt(np.diag(covariance)).sum()
    return expected_calibration_error(sample.correct, sample.probability), float(floor)


def calibration_line(sample: Sample) -> tuple[float, float]:
    """Mean residual (calibration in the large; 0 is right) and slope of the recalibrated log-odds (1 is right).

    The slope is that of the Newton step in `recalibration_gain`.
    """
    basis = _level_and_slope(sample)
    score = (basis * sample.residual[:, None]).mean(axis=0)
    step = _inverse(_information(sample, basis)) @ score
    return float(sample.residual.mean()), float(1.0 + step[1])


def _undelivered(sample: Sample) -> Floats:
    centre = float(sample.variance @ sample.logit / sample.variance.sum())
    return -sample.residual * (sample.logit - centre)


def _gain(window: Sample, reference: Sample, now: Floats, then: Floats, confidence: float) -> Effect:
    scores = clustered_means(now * window.residual[:, None], window.learner)
    seen = clustered_means(then * reference.residual[:, None], reference.learner)
    information = _information(window, now)
    # The reference's own misfit goes over as a curve, H⁻¹g, and not as scores: its events lie elsewhere in the columns
    # (a school year goes on), and in directions that the window hardly spans its noise would count as loss.
    carried = information @ _inverse(_information(reference, then) + _prior(reference, then))
    expected = ClusteredMeans(carried @ seen.mean, carried @ seen.covariance @ carried.T, seen.clusters)
    return squared_distance(scores, expected, 0.5 * _inverse(information + _prior(window, now)), confidence)


def _prior(sample: Sample, basis: Floats) -> Floats:
    return np.eye(basis.shape[1]) / (PRIOR_SD**2 * sample.events)


def _information(sample: Sample, basis: Floats) -> Floats:
    information: Floats = (basis * sample.variance[:, None]).T @ basis / sample.events
    return information


def _inverse(information: Floats) -> Floats:
    # A column that does not vary, or repeats another, adds no direction: the pseudo-inverse leaves it out.
    return np.asarray(np.linalg.pinv(information, rcond=1e-8, hermitian=True), dtype=np.float64)


def _level_and_slope(sample: Sample) -> Floats:
    return np.column_stack([np.ones(sample.events), sample.logit])


def _own_ranks(reference: Sample) -> list[Floats]:
    # A reference is met in every window of a check: ranked once.
    if "ranks" not in reference.memory:
        ranks = [_ranked(reference.column(name), reference.sorted_column(name)) for name in CONDITIONS]
        reference.memory["ranks"] = np.array(ranks)
    return list(reference.memory["ranks"])


def _ranked(values: Floats, known: Floats) -> Floats:
    """Values as their ranks among sorted known ones, in [-1, 1]; unknown values are 0."""
    if not len(known):
        return np.zeros(len(values))
    middle = np.searchsorted(known, values, side="left") + np.searchsorted(known, values, side="right")
    return np.where(np.isnan(values), 0.0, middle / len(known) - 1.0)


def _order(values: Floats) -> Codes:
    """Rank of each value among the different ones, equal values alike, int64 [n]."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _mass_below(order: Codes, mass: Floats) -> tuple[Floats, Floats]:
    """For each element: the mass at strictly smaller values, and the mass at the same value, float64 [n] each."""
    per_value: Floats = np.bincount(order, weights=mass).astype(np.float64)
    return (np.cumsum(per_value) - per_value)[order], per_value[order]


def _shortfall(sample: Sample) -> tuple[float, Floats]:
    """AUC promised minus AUC observed, and each event's first-order share of it (its mean is the shortfall)."""
    p, q = sample.probability, 1.0 - sample.probability
    order = _order(p)
    wrong_below, wrong_tied = _mass_below(order, q)
    right_below, right_tied = _mass_below(order, p)
    right_above = p.sum() - right_below - right_tied
    ahead, behind = wrong_below + wrong_tied / 2.0, right_above + right_tied / 2.0
    own = float(p @ q)  # an answer makes no pair with itself
    pairs = float(p.sum() * q.sum()) - own
    promised = (float(p @ ahead) - own / 2.0) / pairs
    slope = (ahead - behind - promised * (q.sum() - p.sum())) / pairs
    observed = area_under_curve(sample.correct, sample.probability)
    assert observed is not None, "asked only where both outcomes occur"
    return promised - observed, -sample.events * slope * sample.residual
