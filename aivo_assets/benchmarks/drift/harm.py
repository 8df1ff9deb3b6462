"""How harmful a change is, by measure. Belongs here: what a retrained model would win back; no detector is asked.

The retrained model is the champion with boosted trees on top, fitted on half of the learners of the changed days and
scored on the other half, both ways: what any model that has seen such days would win, whichever it is.
"""

from dataclasses import dataclass
from typing import Literal

import lightgbm as lgb
import numpy as np

from aivo_assets.benchmarks.drift.service import Champion, Scored
from aivo_assets.settings import DriftSettings
from aivo_assets.tracing.model.scores import losses
from aivo_assets.tracing.model.splits import learner_folds

HARMLESS_SHARE = 0.05
"""Less than this share of what the model knew is what the trees win on untouched weeks too, give or take."""
ROUNDS = 60
_TREES = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 0,
    "verbosity": -1,
}

Kind = Literal["harmful", "slight", "lost", "harmless"]


@dataclass(frozen=True)
class Harm:
    """A change in nats per answer, over the days that follow its onset.

    Attributes:
        loss_rise: Log loss of the champion, changed days minus the same days untouched.
        recoverable: Log loss that a retrained model wins back, changed minus untouched days.
        worth: What the champion knew, nats.
    """

    loss_rise: float
    recoverable: float
    worth: float

    def kind(self, settings: DriftSettings) -> Kind:
        """harmful: the loss rises and a retrained model wins back more than `retrain_score` of what the model knew.

        harmless: it would win back less than a twentieth, and no more is lost. lost: the loss rises by more than
        `retrain_score` though a retrained model wins nothing back (labels that are noise); people must know, and no
        training helps. slight: what lies between.
        """
        won, rise = self.recoverable / self.worth, self.loss_rise / self.worth
        if rise > 0 and won > settings.retrain_score:
            return "harmful"
        if won >= HARMLESS_SHARE:
            return "slight"
        return "lost" if rise > settings.retrain_score else "harmless"


def measure_harm(champion: Champion, changed: tuple[float, float], untouched: tuple[float, float]) -> Harm:
    """Compare the same days with and without the change; each is what `won_back` says of them."""
    return Harm(loss_rise=changed[1] - untouched[1], recoverable=changed[0] - untouched[0], worth=champion.worth.nats)


def won_back(scored: Scored) -> tuple[float, float]:
    """Log loss won by the trees, and the champion's own, nats."""
    probability = scored.events["probability"].to_numpy()
    correct = scored.table.target
    logit = np.log(probability / (1.0 - probability))
    half = learner_folds(scored.events["learner"], folds=2, seed=0)
    after = np.empty_like(probability)
    for fold in (0, 1):
        fit, held = half != fold, half == fold
        data = lgb.Dataset(scored.table.values[fit], correct[fit], init_score=logit[fit], free_raw_data=False)
        trees = lgb.train(_TREES, data, ROUNDS)
        raw = np.asarray(trees.predict(scored.table.values[held], raw_score=True), dtype=np.float64)
        after[held] = 1.0 / (1.0 + np.exp(-(logit[held] + raw)))
    now = float(losses(correct, probability).mean())
    return now - float(losses(correct, np.clip(after, 1e-6, 1 - 1e-6)).mean()), now
