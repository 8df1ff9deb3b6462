"""One more number for each learner, beside what the main brain reads. Belongs here: the candidates and their fit.

A candidate adds θ·x to the main brain's logit, θ being the learner's own and x a column that says how much it matters
now. θ begins at 0 and is moved by the learner's own past answers only: a Kalman step on the logistic likelihood with
the prior N(0, spread²), which shrinks it (the same step as in `tracing.kernel`). The spread is the population's, chosen
on training learners that no tree was fitted on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aivo_assets.arrays import Floats
from aivo_assets.tracing.fold.compiled import compiled
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.model.scores import clipped, losses

SPREADS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
_SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True)
class Candidate:
    """A personal parameter.

    Attributes:
        name: What the report calls it.
        meaning: What θ says of a learner.
        column: From features to x, float64 [n], before the training mean is taken off.
        centred: Whether it is; a forgetting of nothing is zero.
    """

    name: str
    meaning: str
    column: Callable[[FeatureTable], Floats]
    centred: bool


def _offset(table: FeatureTable) -> Floats:
    return np.ones(table.height)


def _pace(table: FeatureTable) -> Floats:
    return np.log1p(table.column("skill_opportunities").astype(np.float64))


def _forgetting(table: FeatureTable) -> Floats:
    seconds = np.expm1(np.nan_to_num(table.column("skill_log_gap").astype(np.float64)))
    return -np.log1p(seconds / _SECONDS_A_DAY)


CANDIDATES = (
    Candidate("offset", "always better or worse than said", _offset, centred=False),
    Candidate("pace of learning", "gains more or less from each opportunity on a skill", _pace, centred=True),
    Candidate("forgetting", "loses more or less with each doubling of the days since", _forgetting, centred=False),
)


@dataclass(frozen=True)
class Fitted:
    """A candidate with what the population says of it.

    Attributes:
        candidate: Which.
        centre: Taken off x.
        spread: Of θ between learners.
        training_gain: Log loss that it saved an event on the training learners it was chosen on.
    """

    candidate: Candidate
    centre: float
    spread: float
    training_gain: float

    def predict(self, table: FeatureTable, probability: Floats) -> Floats:
        """The main brain's probabilities made personal, each from the learner's rows before it.

        Args:
            table: Rows ascending by learner, day, sequence.
            probability: The main brain's, float64 [n].
        """
        x = self.candidate.column(table) - self.centre
        return clipped(follow(_learners(table), x, _logit(probability), table.target, self.spread**2))


def fit_candidate(candidate: Candidate, table: FeatureTable, probability: Floats) -> Fitted:
    """Choose the spread by log loss among `SPREADS`; none at all is not among them, so that its worth is seen.

    Args:
        candidate: Which.
        table: Training rows that no tree was fitted on, ascending by learner, day, sequence.
        probability: The main brain's, float64 [n].
    """
    x = candidate.column(table)
    centre = float(x.mean()) if candidate.centred else 0.0
    learners, logit, correct = _learners(table), _logit(probability), table.target
    plain = float(losses(correct, probability).mean())
    scores = {
        spread: float(losses(correct, clipped(follow(learners, x - centre, logit, correct, spread**2))).mean())
        for spread in SPREADS
    }
    best = min(scores, key=scores.__getitem__)
    return Fitted(candidate, centre, best, plain - scores[best])


@compiled
def follow(learners: npt.NDArray[np.int64], x: Floats, logit: Floats, correct: Floats, variance: float) -> Floats:
    """Probabilities with each learner's θ as their earlier rows have made it.

    Args:
        learners: Code of each row's learner; a learner's rows lie together, in order [n].
        x: What θ is multiplied with [n].
        logit: Of the main brain [n].
        correct: 0 or 1 [n].
        variance: Of θ between learners.
    """
    out = np.empty(len(x))
    theta, spread, last = 0.0, variance, np.int64(-1)
    for i in range(len(x)):
        if learners[i] != last:
            theta, spread, last = 0.0, variance, learners[i]
        out[i] = 1.0 / (1.0 + np.exp(-(logit[i] + theta * x[i])))
        weight = out[i] * (1.0 - out[i])
        gain = spread * x[i] / (1.0 + weight * spread * x[i] * x[i])
        theta += gain * (correct[i] - out[i])
        spread -= gain * x[i] * weight * spread
    return out


def _logit(probability: Floats) -> Floats:
    bounded = clipped(probability)
    return np.log(bounded) - np.log1p(-bounded)


def _learners(table: FeatureTable) -> npt.NDArray[np.int64]:
    return table.keys["learner"].rle_id().to_numpy().astype(np.int64)
