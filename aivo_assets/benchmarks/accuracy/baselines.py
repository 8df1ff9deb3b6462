"""What costs nothing to say, in the same run. Belongs here: a constant, difficulty alone, ability and difficulty."""

import numpy as np

from aivo_assets.arrays import Floats
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.model.scores import clipped

CONSTANT, ITEM_DIFFICULTY, ABILITY_AND_DIFFICULTY, BEST_LR = "constant", "item difficulty", "IRT-like", "Best-LR"

_COLUMNS: dict[str, tuple[str, ...]] = {
    CONSTANT: (),
    ITEM_DIFFICULTY: ("item_difficulty",),
    ABILITY_AND_DIFFICULTY: ("ability", "item_difficulty"),
}


def predict_baselines(train: FeatureTable, test: FeatureTable) -> dict[str, Floats]:
    """Logistic regressions on no column, on difficulty, and on online ability and difficulty.

    The last one is a Rasch model (1960) whose abilities are filtered online instead of fitted to all answers.

    Args:
        train: Features whose statistics are out of fold, and answers.
        test: Features.

    Returns:
        Name of the baseline to float64 [test rows] in [1e-6, 1 - 1e-6].
    """
    return {name: _regress(train, test, columns) for name, columns in _COLUMNS.items()}


def _regress(train: FeatureTable, test: FeatureTable, columns: tuple[str, ...]) -> Floats:
    if not columns:
        return clipped(np.full(test.height, float(train.target.mean())))
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - a second of import

    fitting, asked = (np.column_stack([table.column(name) for name in columns]) for table in (train, test))
    model = LogisticRegression().fit(fitting.astype(np.float64), train.target)
    return clipped(np.asarray(model.predict_proba(asked.astype(np.float64))[:, 1], dtype=np.float64))
