"""Logistic regression with a Gaussian prior. Belongs here: the Newton iteration."""

import numpy as np
import scipy

from aivo_assets.arrays import Floats, Mask

MOST_STEPS = 50
PRECISE_ENOUGH = 1e-10


def posterior_mode(
    design: Floats,
    correct: Floats,
    centre: Floats,
    precision: Floats,
    *,
    weight: Floats | float = 1.0,
    free: Mask | None = None,
) -> Floats:
    """Coefficients of greatest posterior density, by damped Newton steps from the centre of the prior.

    A step longer than one is cut to one, for far starts where the curvature has vanished.

    Args:
        design: float64 [n, k].
        correct: float64 [n], 0.0 or 1.0.
        centre: Mean of the prior, float64 [k].
        precision: Inverse variance of the prior, float64 [k], above 0.
        weight: Of each row, float64 [n], or one for all.
        free: bool [k], the coefficients that are fitted; the others are held at zero. None: all are fitted.

    Returns:
        float64 [k].
    """
    free = np.ones(centre.size, dtype=bool) if free is None else free
    columns, coefficients = design[:, free], np.where(free, centre, 0.0)
    for _ in range(MOST_STEPS):
        probability = scipy.special.expit(design @ coefficients)
        gradient = columns.T @ (weight * (probability - correct)) + (precision * (coefficients - centre))[free]
        curvature = weight * (probability * (1 - probability))
        hessian = columns.T @ (columns * curvature[:, None]) + np.diag(precision[free])
        step = np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
        step /= max(1.0, float(np.abs(step).max()))
        coefficients[free] -= step
        if np.abs(step).max() < PRECISE_ENOUGH:
            break
    return coefficients
