"""Several boosted models and one calibration. Belongs here: from features to probabilities; not what made the features.

The logits of models with other seeds are averaged, then mapped to probabilities on rows that no tree was fitted on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aivo_assets.arrays import Floats
from aivo_assets.settings import TrainingSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.model.calibration import Calibration
from aivo_assets.tracing.model.scores import clipped
from aivo_assets.tracing.model.splits import Rows
from aivo_assets.tracing.model.trees.boosting import Boosted, Report, fit_boosted
from aivo_assets.tracing.model.trees.trees import Trees


@dataclass(frozen=True)
class Ensemble:
    """What turns features into probabilities.

    Attributes:
        estimators: Boosted models; their logits are averaged.
        calibration: From the mean logit to a probability.
    """

    estimators: tuple[Trees, ...]
    calibration: Calibration

    def predict(self, values: NDArray[np.float32]) -> Floats:
        """Probability of a right answer, float64 [n] in [1e-6, 1 - 1e-6], of features, float32 [n, F]."""
        return clipped(self.calibration.apply(mean_logits(self.estimators, values)))


def fit_ensemble(
    table: FeatureTable, fit: Rows, calibrate: Rows, settings: TrainingSettings, *, report: Report | None = None
) -> tuple[Ensemble, tuple[Boosted, ...]]:
    """Fit the trees on some rows of a table and the calibration on others.

    Args:
        table: Features and answers.
        fit: Rows that fit the trees; each model holds out a part of their learners to end its boosting.
        calibrate: Rows that calibrate.
        settings: Of the training.
        report: Called about once a second while boosting runs.

    Raises:
        ModelError: The rows cannot fit a model: one outcome only, or constraints on what is no feature.
    """
    fitted = [fit_boosted(table, fit, settings, model=model, report=report) for model in range(settings.models)]
    estimators = tuple(trees for trees, _ in fitted)
    logits = mean_logits(estimators, table.values[calibrate])
    calibration = Calibration.fit(settings.calibration, logits, table.target[calibrate])
    return Ensemble(estimators, calibration), tuple(boosted for _, boosted in fitted)


def mean_logits(estimators: tuple[Trees, ...], values: NDArray[np.float32]) -> Floats:
    """Mean logit over the estimators, float64 [n]."""
    logits = np.zeros(values.shape[0])
    for trees in estimators:
        logits += trees.decision_function(values)
    return logits / len(estimators)
