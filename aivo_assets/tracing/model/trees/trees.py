"""Boosted trees as text and as what they predict. Belongs here: LightGBM's model behind two functions; no fitting.

LightGBM writes its trees as plain text, so that loading a model runs no code from its file. On two cores it fits these
tables about twice as fast as scikit-learn's histogram boosting, at near equal log loss (docs/accuracy.md). Its import
takes more than a second, and only fitting and its own measure of importance need it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aivo_assets.arrays import Floats
from aivo_assets.errors import ModelError
from aivo_assets.tracing.model.trees.tree_walk import Forest, logits, read_forest

if TYPE_CHECKING:
    from lightgbm.callback import CallbackEnv

_FEATURES = re.compile(r"^max_feature_idx=(\d+)$", re.MULTILINE)


class Trees:
    """A fitted model.

    Attributes:
        text: The trees in LightGBM's own format; equal texts predict equal bits.

    Raises:
        ModelError: The text holds no trees of this format.
    """

    def __init__(self, text: str) -> None:
        features = _FEATURES.search(text)
        if features is None:
            raise ModelError("These are not trees: the text names no features", fix="Train the model again.")
        self.text = text
        self._features = int(features[1]) + 1

    @property
    def rounds(self) -> int:
        """Number of trees."""
        return self.text.count("\nTree=")

    def decision_function(self, values: NDArray[np.float32]) -> Floats:
        """Logit of a right answer for each row, float64 [n], of features, float32 [n, F], NaN where unknown."""
        if not len(values):
            return np.empty(0)
        if values.shape[1] != self._features:
            raise ModelError(
                f"The trees read {self._features} features, and {values.shape[1]} are given",
                fix="Give the features that they were fitted on.",
            )
        return logits(self._forest, values)

    @cached_property
    def _forest(self) -> Forest:
        return read_forest(self.text)

    def gain(self, names: tuple[str, ...]) -> dict[str, float]:
        """Share of the loss that splits on each feature took away while fitting, by name; sums to 1 if there is any."""
        from lightgbm import Booster  # noqa: PLC0415 - see the module's first lines

        gained = np.asarray(Booster(model_str=self.text).feature_importance("gain"), dtype=np.float64)
        return dict(zip(names, (gained / max(float(gained.sum()), 1e-300)).tolist(), strict=True))


@dataclass(frozen=True)
class Grown:
    """Trees up to their best round, and the log loss after each round until there, on what fitted and what ended it."""

    trees: Trees
    fit_curve: tuple[float, ...]
    held_out_curve: tuple[float, ...]


def grow(
    fitting: tuple[NDArray[np.float32], Floats],
    stopping: tuple[NDArray[np.float32], Floats],
    parameters: dict[str, object],
    *,
    most_rounds: int,
    patience: int,
    categories: tuple[int, ...] = (),
    report: Callable[[int, float], None] | None = None,
) -> Grown:
    """Boost until the log loss on the stopping rows has not fallen for `patience` rounds.

    Args:
        fitting: Features and answers of what is fitted.
        stopping: The same of what ends it.
        parameters: LightGBM's.
        most_rounds: It ends there at the latest.
        patience: Rounds without gain.
        categories: Columns whose numbers only name something.
        report: Called after each round with its number, from 1, and the log loss on the stopping rows.
    """
    import lightgbm  # noqa: PLC0415 - see the module's first lines

    options = {"objective": "binary", "metric": "binary_logloss", "verbosity": -1, **parameters}
    data = lightgbm.Dataset(
        fitting[0], label=fitting[1], params=options, categorical_feature=list(categories), free_raw_data=True
    )
    unseen = lightgbm.Dataset(stopping[0], label=stopping[1], reference=data, params=options)

    curves: list[tuple[float, float]] = []

    def look(at: "CallbackEnv") -> None:
        fit, held_out = (float(entry[2]) for entry in at.evaluation_result_list)
        curves.append((fit, held_out))
        if report is not None:
            report(at.iteration + 1, held_out)

    look.before_iteration = False  # type: ignore[attr-defined]  # LightGBM's way to order callbacks
    look.order = 20  # type: ignore[attr-defined]  # early stopping comes at 30 and ends the round by raising
    booster = lightgbm.train(
        options,
        data,
        num_boost_round=most_rounds,
        valid_sets=[data, unseen],
        valid_names=["fit", "held out"],
        callbacks=[lightgbm.early_stopping(patience, verbose=False), look],
    )
    best = booster.best_iteration or len(curves)
    fit_curve, held_out_curve = zip(*curves[:best], strict=True)
    return Grown(Trees(booster.model_to_string(num_iteration=best)), fit_curve, held_out_curve)
