"""Whether a model serves two groups alike. Belongs here: a figure, what chance alone makes it, and power; no verdict.

ABROCA (Gardner, Brooks and Baker 2019) is the area between the ROC curves of two groups. It is never negative, and so
is above zero by chance, the more so the smaller the groups are. So it is compared with what it is when learners are
dealt to the two groups at random, whole learners, since the answers of one are alike. A model can rank both groups well
and still promise one too much: the difference of its mean errors is tested on the same deals.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aivo_assets.arrays import Floats, Ints
from aivo_assets.errors import ModelError

_GRID = np.linspace(0.0, 1.0, 201)
_BINS = 512


@dataclass(frozen=True)
class GroupGap:
    """Two groups on one model.

    Attributes:
        abroca: Area between their ROC curves.
        by_chance: Its mean where groups mean nothing.
        over_promised: Mean probability less share of right answers, of the first group less the second.
        p_area: Share of random deals with at least as large an area (the real one counted in).
        p_promised: The same of the size of `over_promised`.
        auc: Of the first and of the second group.
        auc_low, auc_high: 95 % interval of the difference (first less second), bootstrapped over learners.
        learners: Of each group.
        detectable: Area that random deals stay below in 95 of 100 cases: a smaller one could not have been told from
            chance with these learners.
    """

    abroca: float
    by_chance: float
    over_promised: float
    p_area: float
    p_promised: float
    auc: tuple[float, float]
    auc_low: float
    auc_high: float
    learners: tuple[int, int]
    detectable: float

    @property
    def p_value(self) -> float:
        """Of "both groups are served alike": the smaller of the two, twice, since there were two chances."""
        return min(1.0, 2 * min(self.p_area, self.p_promised))


def group_gap(
    correct: Floats, probability: Floats, learner: Ints, in_first: npt.NDArray[np.bool_], *, deals: int, seed: int
) -> GroupGap:
    """Compare a model on two groups of learners.

    Args:
        correct: 0 or 1, float64 [n].
        probability: What the model said, float64 [n].
        learner: Code of each row's learner, 0 … m - 1, int64 [n].
        in_first: Whether learner m is in the first group, bool [m].
        deals: Random deals, and bootstrap draws.
        seed: Of both.

    Raises:
        ModelError: A group has only right or only wrong answers, or none.
    """
    counts = _histograms(correct, probability, learner, in_first.size)
    error = np.bincount(learner, probability - correct, in_first.size).astype(np.float64)
    answers = np.bincount(learner, minlength=in_first.size).astype(np.float64)
    first, second = counts[in_first].sum(axis=0), counts[~in_first].sum(axis=0)
    if min(first.sum(axis=1).min(), second.sum(axis=1).min()) == 0:
        raise ModelError(
            "A group has no right or no wrong answers, so it has no ROC curve",
            fix="Compare groups with more answers, or leave this one out.",
        )
    observed, promised = _area_between(first, second), _over_promised(error, answers, in_first)
    draw = np.random.default_rng(seed)
    ones, others = np.flatnonzero(in_first), np.flatnonzero(~in_first)
    members = np.stack([draw.permutation(in_first) for _ in range(deals)])
    dealt = _sums(members, counts)
    by_chance = np.array(
        [_area_between(each, rest) for each, rest in zip(dealt, counts.sum(axis=0) - dealt, strict=True)]
    )
    promised_by_chance = np.array([_over_promised(error, answers, each) for each in members])
    drawn = [_sums(_times(who, in_first.size, deals, draw), counts) for who in (ones, others)]
    differences = np.array([_auc(one) - _auc(other) for one, other in zip(*drawn, strict=True)])
    low, high = np.quantile(differences, [0.025, 0.975])
    return GroupGap(
        abroca=observed,
        by_chance=float(by_chance.mean()),
        over_promised=promised,
        p_area=float((1 + (by_chance >= observed).sum()) / (deals + 1)),
        p_promised=float((1 + (np.abs(promised_by_chance) >= abs(promised)).sum()) / (deals + 1)),
        auc=(_auc(first), _auc(second)),
        auc_low=float(low),
        auc_high=float(high),
        learners=(ones.size, others.size),
        detectable=float(np.quantile(by_chance, 0.95)),
    )


def _sums(members: npt.NDArray[np.bool_] | Floats, counts: Floats) -> Floats:
    """Histograms of each selection of learners, float64 [selections, 2, bins], in one product of matrices."""
    summed = members.astype(np.float64) @ counts.reshape(counts.shape[0], -1)
    return np.asarray(summed.reshape(-1, *counts.shape[1:]))


def _times(who: npt.NDArray[np.intp], learners: int, draws: int, draw: np.random.Generator) -> Floats:
    """How often each learner is drawn, with replacement, from a group as large as it is, float64 [draws, learners]."""
    times = np.zeros((draws, learners))
    times[:, who] = draw.multinomial(who.size, np.full(who.size, 1 / who.size), size=draws)
    return times


def _over_promised(error: Floats, answers: Floats, members: npt.NDArray[np.bool_]) -> float:
    return float(error[members].sum() / answers[members].sum() - error[~members].sum() / answers[~members].sum())


def _histograms(correct: Floats, probability: Floats, learner: Ints, learners: int) -> Floats:
    """Answers of each learner by outcome and bin of probability, float64 [m, 2, bins]: sums of these make any group."""
    # Bins of equal numbers of answers lose less of a ROC curve than bins of equal width.
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, _BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, probability, side="right")
    counts = np.zeros((learners, 2, edges.size + 1))
    np.add.at(counts, (learner, correct.astype(np.int64), bins), 1.0)
    return counts


def _curve(counts: Floats) -> tuple[Floats, Floats]:
    """False and true positive rates at thresholds from high to low."""
    falling = counts[:, ::-1].cumsum(axis=1)
    rates = falling / falling[:, -1:]
    return np.concatenate([[0.0], rates[0]]), np.concatenate([[0.0], rates[1]])


def _auc(counts: Floats) -> float:
    false, true = _curve(counts)
    return float(np.trapezoid(true, false))


def _area_between(first: Floats, second: Floats) -> float:
    heights = [np.interp(_GRID, *_curve(counts)) for counts in (first, second)]
    return float(np.trapezoid(np.abs(heights[0] - heights[1]), _GRID))
