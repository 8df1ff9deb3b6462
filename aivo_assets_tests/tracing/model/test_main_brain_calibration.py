"""Calibration repairs probabilities that do not mean what they say, and leaves right ones alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.arrays import Floats
from aivo_assets.settings import CalibrationKind
from aivo_assets.tracing.model.calibration import Calibration
from aivo_assets.tracing.model.scores import expected_calibration_error, losses

MAPS: list[CalibrationKind] = ["platt", "beta", "isotonic"]


def answers(size: int, *, seed: int, stretch: float = 1.0, shift: float = 0.0) -> tuple[Floats, Floats]:
    """Logits that claim `stretch` times too much, and `shift` too high, and what happened."""
    random = np.random.default_rng(seed)
    truth = random.normal(0.5, 1.2, size)
    correct = (random.random(size) < 1 / (1 + np.exp(-truth))).astype(np.float64)
    return truth * stretch + shift, correct


@pytest.mark.parametrize("kind", MAPS)
@pytest.mark.parametrize(("stretch", "shift"), [(2.5, 0.0), (0.4, 0.0), (1.0, 1.0)])
def test_overconfident_timid_and_shifted_logits_are_repaired(
    kind: CalibrationKind, stretch: float, shift: float
) -> None:
    fitted = Calibration.fit(kind, *answers(20_000, seed=1, stretch=stretch, shift=shift))
    logits, correct = answers(20_000, seed=2, stretch=stretch, shift=shift)
    before, after = Calibration().apply(logits), fitted.apply(logits)
    assert losses(correct, after).mean() < losses(correct, before).mean() - 0.01
    assert expected_calibration_error(correct, after) < 0.025 < expected_calibration_error(correct, before)


def test_platt_finds_the_stretch_and_the_shift() -> None:
    fitted = Calibration.fit("platt", *answers(200_000, seed=3, stretch=2.0, shift=0.6))
    slope, constant = fitted.coefficients
    assert slope == pytest.approx(0.5, abs=0.01)
    assert constant == pytest.approx(-0.3, abs=0.02)


def test_beta_leaves_calibrated_logits_alone() -> None:
    grid = np.linspace(-4, 4, 81)
    fitted = Calibration.fit("beta", *answers(200_000, seed=4))
    np.testing.assert_allclose(fitted.apply(grid), Calibration().apply(grid), atol=0.01)


def test_beta_bends_the_ends_separately_where_platt_cannot() -> None:
    random = np.random.default_rng(5)
    logits = random.normal(0, 2, 100_000)
    truth = 1 / (1 + np.exp(-np.where(logits > 0, 0.3 * logits, 1.5 * logits)))
    correct = (random.random(logits.size) < truth).astype(np.float64)
    beta, platt = (Calibration.fit(kind, logits, correct).apply(logits) for kind in ("beta", "platt"))
    assert losses(correct, beta).mean() < losses(correct, platt).mean() - 0.005


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_logits_that_mean_the_opposite_are_ignored_rather_than_turned(kind: CalibrationKind) -> None:
    logits, correct = answers(5000, seed=6)
    said = Calibration.fit(kind, -logits, correct).apply(-logits)
    assert np.ptp(said) < 1e-9
    assert said[0] == pytest.approx(correct.mean(), abs=0.01)


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_few_events_change_little(kind: CalibrationKind) -> None:
    """Calibrated logits, 300 events to fit on: chance alone must not spoil what is right."""
    later, correct = answers(50_000, seed=100)
    before = losses(correct, Calibration().apply(later)).mean()
    fitted = [Calibration.fit(kind, *answers(300, seed=seed)) for seed in range(20)]
    after = np.mean([losses(correct, each.apply(later)).mean() for each in fitted])
    assert after < before + 0.0015


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_answers_of_one_kind_do_not_send_it_to_infinity(kind: CalibrationKind) -> None:
    fitted = Calibration.fit(kind, np.linspace(-2, 2, 50), np.ones(50))
    assert np.isfinite(fitted.coefficients).all()
    assert 0.5 < fitted.apply(np.array([0.0]))[0] < 0.9


@given(
    st.sampled_from(MAPS),
    st.lists(st.tuples(st.floats(-12, 12), st.sampled_from([0.0, 1.0])), min_size=2, max_size=60),
)
def test_more_logit_never_means_less_probability(kind: CalibrationKind, rows: list[tuple[float, float]]) -> None:
    logits, correct = (np.array(column) for column in zip(*rows, strict=True))
    said = Calibration.fit(kind, logits, correct).apply(np.linspace(-15, 15, 201))
    assert (np.diff(said) >= -1e-9).all()
    assert ((said >= 0) & (said <= 1)).all()


@pytest.mark.parametrize("kind", ["none", *MAPS])
def test_it_is_the_same_after_being_written_down(kind: CalibrationKind) -> None:
    logits, correct = answers(500, seed=7)
    fitted = Calibration.fit(kind, logits, correct)
    again = Calibration.model_validate_json(fitted.model_dump_json())
    assert (again.apply(logits) == fitted.apply(logits)).all()
