"""From a model's logit to a calibrated probability. Belongs here: the maps and their fitting; no scores.

Each map is a non-decreasing function of the logit, so it never changes who is ranked above whom:

- `platt`: sigmoid(a z + c) (Platt 1999);
- `beta`: sigmoid(a ln p - b ln(1 - p) + c) with p = sigmoid(z) (Kull, Silva Filho, Flach 2017), which bends the two
  ends separately and has the identity (a = b = 1, c = 0) among its members;
- `isotonic`: a step-wise line through pooled outcomes, free of any form and hungry for data;
- `none`: sigmoid(z).

`platt` and `beta` carry a Gaussian prior of standard deviation 0.1 around the identity, because boosted trees that were
stopped early are nearly calibrated: on two real school years a fit on 300 events without it cost 0.003 to 0.004 of log
loss on later events, with it 0.0005, and on 24,000 events it made no difference. Events of one outcome only cannot send
a parameter to infinity either. There `platt` was as good as `beta` or slightly better, and `isotonic` worse than none.
"""

from typing import Self

import numpy as np
import scipy
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.settings import CalibrationKind
from aivo_assets.tracing.model.logistic import posterior_mode

PRIOR_PRECISION = 100.0


class Calibration(BaseModel):
    """A fitted map from logit to probability.

    Attributes:
        kind: Which family.
        coefficients: (a, c) of platt, (a, b, c) of beta; empty otherwise.
        logits: Knots of isotonic, ascending; empty otherwise.
        probabilities: Values at the knots, non-decreasing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: CalibrationKind = "none"
    coefficients: tuple[float, ...] = ()
    logits: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    @classmethod
    def fit(cls, kind: CalibrationKind, logits: Floats, correct: Floats) -> Self:
        """Fit the map by maximum likelihood on events that the model was not fitted on.

        Args:
            kind: Which family.
            logits: float64 [n], the model's logits.
            correct: float64 [n], 0.0 or 1.0.
        """
        if kind == "none":
            return cls()
        if kind == "isotonic":
            return cls._fit_isotonic(logits, correct)
        identity = np.array([1.0, 0.0] if kind == "platt" else [1.0, 1.0, 0.0])
        coefficients = _fit_logistic(_design(kind, logits), correct, identity)
        return cls(kind=kind, coefficients=tuple(coefficients.tolist()))

    @classmethod
    def _fit_isotonic(cls, logits: Floats, correct: Floats) -> Self:
        from sklearn.isotonic import IsotonicRegression  # noqa: PLC0415 - a second of import, for one kind only

        fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(logits, correct)
        return cls(
            kind="isotonic",
            logits=tuple(fitted.X_thresholds_.tolist()),
            probabilities=tuple(fitted.y_thresholds_.tolist()),
        )

    def apply(self, logits: Floats) -> Floats:
        """Probabilities, float64 [n], of logits, float64 [n]."""
        if self.kind == "isotonic":
            return np.interp(logits, self.logits, self.probabilities)
        if self.kind == "none":
            return np.asarray(scipy.special.expit(logits), dtype=np.float64)
        return np.asarray(
            scipy.special.expit(_design(self.kind, logits) @ np.array(self.coefficients)), dtype=np.float64
        )


def _design(kind: CalibrationKind, logits: Floats) -> Floats:
    """Columns whose weighted sum is the calibrated logit; the last is the constant."""
    ones = np.ones_like(logits)
    if kind == "platt":
        return np.column_stack([logits, ones])
    return np.column_stack([-np.logaddexp(0.0, -logits), np.logaddexp(0.0, logits), ones])


def _fit_logistic(design: Floats, correct: Floats, identity: Floats) -> Floats:
    """Penalised maximum likelihood with non-negative slopes: a slope that comes out negative is held at zero."""
    precision, free = np.full(identity.size, PRIOR_PRECISION), np.ones(identity.size, dtype=bool)
    while True:
        coefficients = posterior_mode(design, correct, identity, precision, free=free)
        negative = (coefficients < 0) & free
        negative[-1] = False  # the constant may have any sign
        if not negative.any():
            return coefficients
        free &= ~negative
