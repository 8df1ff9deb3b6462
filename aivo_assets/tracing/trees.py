"""Boosted trees as text and as what they predict. Belongs here: LightGBM's model behind two functions; no fitting.

LightGBM writes its trees as plain text, so that loading a model runs no code from its file. On two cores it fits these
tables about three times faster than scikit-learn's histogram boosting, at equal log loss (docs/accuracy.md).
"""

from collections.abc import Callable

import lightgbm
import numpy as np
from numpy.typing import NDArray

from aivo_assets.errors import ModelError

Floats = NDArray[np.float64]


class Trees:
    """A fitted model.

    Attributes:
        text: The trees in LightGBM's own format; equal texts predict equal bits.
    """

    def __init__(self, text: str) -> None:
        try:
            self._booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise ModelError(f"These are not trees: {error}", fix="Train the model again.") from error
        self.text = text

    @property
    def rounds(self) -> int:
        """Number of trees."""
        return int(self._booster.num_trees())

    def decision_function(self, values: NDArray[np.float32]) -> Floats:
        """Logit of a right answer for each row, float64 [n], of features, float32 [n, F], NaN where unknown."""
        if not len(values):
            return np.empty(0)
        return np.asarray(self._booster.predict(values, raw_score=True), dtype=np.float64)

    def gain(self, names: tuple[str, ...]) -> dict[str, float]:
        """Share of the loss that splits on each feature took away while fitting, by name; sums to 1 if there is any."""
        gained = np.asarray(self._booster.feature_importance("gain"), dtype=np.float64)
        return dict(zip(names, (gained / max(float(gained.sum()), 1e-300)).tolist(), strict=True))


def grow(
    fitting: tuple[NDArray[np.float32], Floats],
    stopping: tuple[NDArray[np.float32], Floats],
    parameters: dict[str, object],
    *,
    most_rounds: int,
    patience: int,
    report: Callable[[int, float], None] | None = None,
) -> tuple[Trees, float, float]:
    """Boost until the log loss on the stopping rows has not fallen for `patience` rounds.

    Args:
        fitting: Features and answers of what is fitted.
        stopping: The same of what ends it.
        parameters: LightGBM's.
        most_rounds: It ends there at the latest.
        patience: Rounds without gain.
        report: Called after each round with its number, from 1, and the log loss on the stopping rows.

    Returns:
        The trees up to the best round, and the log loss on the fitting and on the stopping rows there.
    """
    told = {"objective": "binary", "metric": "binary_logloss", "verbosity": -1, **parameters}
    data = lightgbm.Dataset(fitting[0], label=fitting[1], params=told, free_raw_data=True)
    unseen = lightgbm.Dataset(stopping[0], label=stopping[1], reference=data, params=told)

    def look(at: "lightgbm.callback.CallbackEnv") -> None:
        if report is not None and at.evaluation_result_list:
            report(at.iteration + 1, float(at.evaluation_result_list[0][2]))

    booster = lightgbm.train(
        told,
        data,
        num_boost_round=most_rounds,
        valid_sets=[unseen],
        callbacks=[lightgbm.early_stopping(patience, verbose=False), look],
    )
    trees = Trees(booster.model_to_string(num_iteration=booster.best_iteration))
    held_out = float(booster.best_score["valid_0"]["binary_logloss"])
    return trees, _log_loss(fitting[1], trees.decision_function(fitting[0])), held_out


def _log_loss(correct: Floats, logit: Floats) -> float:
    return float(np.mean(np.logaddexp(0.0, logit) - correct * logit))
