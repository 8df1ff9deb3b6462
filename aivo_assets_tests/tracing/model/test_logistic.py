"""The one logistic regression: where the gradient vanishes, and what is held stays held."""

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.tracing.model.logistic import posterior_mode


@given(st.integers(0, 10_000), st.booleans())
def test_the_gradient_of_the_posterior_vanishes_at_the_mode(seed: int, weighted: bool) -> None:
    random = np.random.default_rng(seed)
    design = np.column_stack([random.normal(size=(60, 2)), np.ones(60)])
    correct = (random.random(60) < 0.6).astype(np.float64)
    centre, precision = np.array([1.0, 0.0, 0.0]), np.array([4.0, 1.0, 0.5])
    weight = random.uniform(0.1, 2.0, 60) if weighted else np.ones(60)
    mode = posterior_mode(design, correct, centre, precision, weight=weight)
    error = weight * (scipy.special.expit(design @ mode) - correct)
    assert design.T @ error + precision * (mode - centre) == pytest.approx(np.zeros(3), abs=1e-7)


def test_a_coefficient_that_is_not_free_is_zero_and_the_others_are_fitted_without_its_column() -> None:
    random = np.random.default_rng(3)
    design = random.normal(size=(200, 3))
    correct = (random.random(200) < scipy.special.expit(design[:, 1])).astype(np.float64)
    centre, precision = np.zeros(3), np.ones(3)
    held = posterior_mode(design, correct, centre, precision, free=np.array([True, False, True]))
    without = posterior_mode(design[:, [0, 2]], correct, centre[:2], precision[:2])
    assert held[1] == 0.0
    assert held[[0, 2]] == pytest.approx(without)
