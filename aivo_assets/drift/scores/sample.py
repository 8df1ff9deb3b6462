"""Scored events as arrays. Belongs here: from frame to arrays and what is computed once a sample; no comparison."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.arrays import Floats
from aivo_assets.drift.scores.inference import Codes
from aivo_assets.errors import ModelError

MOST_EXTREME = 1e-6
"""Probabilities are kept this far from 0 and 1, so that one surprise cannot weigh more than 14 nats."""


@dataclass(frozen=True)
class Sample:
    """The scored events of a window or a reference.

    Attributes:
        frame: The rows, in the order of the arrays.
        probability: float64 [n].
        correct: float64 [n], 0 or 1.
        logit: log-odds of `probability`, float64 [n].
        learner: int64 [n], 0 … learners - 1.
        memory: What was computed of this sample once, by name; no part of what it is.
        carried: Columns computed of its events once, float64 [n, …] by name; a part of the sample keeps its rows.
    """

    frame: pl.DataFrame
    probability: Floats
    correct: Floats
    logit: Floats
    learner: Codes
    memory: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    carried: dict[str, Floats] = field(default_factory=dict, compare=False, repr=False)

    def column(self, name: str) -> Floats:
        """A numeric column, float64 [n], NaN where unknown."""
        return self.frame[name].cast(pl.Float64).to_numpy()  # null becomes NaN

    def sorted_column(self, name: str) -> Floats:
        """The known values of a numeric column, ascending."""
        if name not in self.memory:
            values = self.column(name)
            self.memory[name] = np.sort(values[~np.isnan(values)])
        known: Floats = self.memory[name]
        return known

    @property
    def events(self) -> int:
        """Number of events."""
        return len(self.correct)

    @property
    def learners(self) -> int:
        """Number of learners."""
        return int(self.learner.max()) + 1 if self.events else 0

    def take(self, rows: NDArray[np.bool_]) -> "Sample":
        """The events where `rows`, bool [n], is true; learners are renumbered."""
        return Sample(
            frame=self.frame[np.flatnonzero(rows)],
            probability=self.probability[rows],
            correct=self.correct[rows],
            logit=self.logit[rows],
            learner=np.unique(self.learner[rows], return_inverse=True)[1].astype(np.int64),
            carried={name: column[rows] for name, column in self.carried.items()},
        )

    @property
    def residual(self) -> Floats:
        """Answer minus probability."""
        return self.correct - self.probability

    @property
    def variance(self) -> Floats:
        """Variance of the answer under the model, p(1 - p)."""
        return self.probability * (1.0 - self.probability)

    @property
    def log_loss(self) -> float:
        """Mean log loss, nats."""
        return float(np.mean(np.logaddexp(0.0, self.logit) - self.correct * self.logit))

    @property
    def base_rate_loss(self) -> float:
        """Log loss of a constant at this sample's own share of correct answers: its entropy, nats."""
        share = float(np.clip(self.correct.mean(), MOST_EXTREME, 1.0 - MOST_EXTREME))
        return float(-share * np.log(share) - (1.0 - share) * np.log1p(-share))


def read_sample(events: pl.DataFrame) -> Sample:
    """Turn scored events into a sample.

    Args:
        events: Rows with the columns of `SCORED_EVENTS`.

    Raises:
        ModelError: A probability is missing or outside [0, 1], or an answer is neither 0 nor 1.
    """
    broken = events.filter(
        ~pl.col("probability").is_between(0.0, 1.0).fill_null(False) | ~pl.col("correct").is_in([0, 1]).fill_null(False)
    )
    if broken.height:
        row = broken.row(0, named=True)
        raise ModelError(
            f"{broken.height} of {events.height} scored events cannot be judged, the first of {row['day']}: "
            f"probability={row['probability']!r}, correct={row['correct']!r}",
            fix="Score the days of the window again with the champion.",
        )
    probability = np.clip(events["probability"].to_numpy().astype(np.float64), MOST_EXTREME, 1.0 - MOST_EXTREME)
    return Sample(
        frame=events,
        probability=probability,
        correct=events["correct"].to_numpy().astype(np.float64),
        logit=np.log(probability) - np.log1p(-probability),
        learner=events["learner"].rank("dense").to_numpy().astype(np.int64) - 1,
    )
