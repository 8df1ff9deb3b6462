"""Feature importance: how much worse a model gets without a feature. Belongs here: permutation importance.

A feature's values are shuffled among the rows (Breiman 2001; Fisher, Rudin and Dominici 2019). What two features
both tell, neither loses alone: small numbers mean "not needed beside the others", not "no connection".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.model.scores import losses

MOST_ROWS = 3000
MOST_SECONDS = 20.0
SHUFFLES = 2


@dataclass(frozen=True)
class Importance:
    """What was measured.

    Attributes:
        rows: Rows it was measured on.
        increase: By feature, the most important first: mean increase of log loss when it is shuffled.
        unmeasured: Features for which no time was left.
    """

    rows: int
    increase: dict[str, float]
    unmeasured: tuple[str, ...]


def permutation_importance(
    brain: MainBrain,
    table: FeatureTable,
    *,
    seed: int,
    most_rows: int = MOST_ROWS,
    most_seconds: float = MOST_SECONDS,
    timer: Callable[[], float] = time.perf_counter,
) -> Importance:
    """Measure every feature on a sample of rows that the model has not seen.

    The same arguments give the same numbers; on a machine too slow for `most_seconds` the last features are left out.

    Args:
        brain: The model.
        table: Features and answers, at least one row.
        seed: Of the sample and of the shuffles.
        most_rows: Most rows of the sample.
        most_seconds: No feature is begun later than this.
        timer: Seconds that only grow.
    """
    begun = timer()
    chosen = np.random.default_rng(seed).permutation(table.height)[:most_rows]
    sample = table.take(np.sort(chosen))
    correct = sample.target
    base = float(losses(correct, brain.predict(sample)).mean())
    increase: dict[str, float] = {}
    for position, name in enumerate(table.names):
        if timer() - begun > most_seconds:
            break
        random = np.random.default_rng([seed, position])
        values = np.concatenate([sample.values] * SHUFFLES)
        values[:, position] = np.concatenate([random.permutation(sample.values[:, position]) for _ in range(SHUFFLES)])
        shuffled = FeatureTable(sample.keys[list(range(sample.height)) * SHUFFLES], values, sample.schema)
        increase[name] = float(losses(np.tile(correct, SHUFFLES), brain.predict(shuffled)).mean()) - base
    ordered = dict(sorted(increase.items(), key=lambda entry: (-entry[1], entry[0])))
    return Importance(sample.height, ordered, tuple(name for name in table.names if name not in increase))
