"""The scores, by hand and by law."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from aivo_assets.tracing.model.scores import (
    Floats,
    Scores,
    area_under_curve,
    clipped,
    expected_calibration_error,
    losses,
    reliability,
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Floats, Floats]:
    size = draw(st.integers(1, 80))
    correct = draw(arrays.arrays(np.float64, size, elements=st.sampled_from([0.0, 1.0])))
    grid = st.integers(0, 20).map(lambda step: step / 20)  # a coarse grid, so that ties are common
    return correct, draw(arrays.arrays(np.float64, size, elements=grid))


def test_four_answers_by_hand() -> None:
    correct, said = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.8, 0.4, 0.3, 0.5])
    scores = Scores.of(correct, said)
    assert scores.log_loss == pytest.approx(-(math.log(0.8) + math.log(0.6) + math.log(0.3) + math.log(0.5)) / 4)
    assert scores.brier == pytest.approx((0.04 + 0.16 + 0.49 + 0.25) / 4)
    assert scores.auc == pytest.approx(2 / 3)  # of three pairs right-wrong, 0.3 is below 0.4
    assert scores.ece == pytest.approx((0.2 + 0.4 + 0.7 + 0.5) / 4)  # fewer answers than bins: a bin each
    assert (scores.events, scores.share_correct, scores.mean_probability) == (4, 0.75, pytest.approx(0.5))


def test_calibration_error_of_two_bins_by_hand() -> None:
    correct = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    said = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8])
    low, high = reliability(correct, said, bins=2)
    assert (low.events, low.mean_probability, low.share_correct) == (3, pytest.approx(0.2), pytest.approx(1 / 3))
    assert (high.lowest, high.highest, high.share_correct) == (0.6, 0.8, 1.0)
    assert expected_calibration_error(correct, said, bins=2) == pytest.approx(3 / 6 * (1 / 3 - 0.2) + 3 / 6 * 0.3)


def test_a_constant_that_is_right_on_the_whole_is_calibrated_in_any_order_of_rows() -> None:
    correct = np.array([0.0] * 30 + [1.0] * 30)
    assert expected_calibration_error(correct, np.full(60, 0.5)) == pytest.approx(0.0)


def test_bins_differ_in_size_by_at_most_one() -> None:
    parts = reliability(np.zeros(1000), np.linspace(0, 1, 1000))
    assert len(parts) == 15
    assert {part.events for part in parts} <= {66, 67}


def test_a_certain_error_costs_a_finite_loss() -> None:
    assert losses(np.array([1.0]), np.array([0.0]))[0] == pytest.approx(-math.log(1e-6))
    assert clipped(np.array([0.0, 1.0])).tolist() == [1e-6, 1 - 1e-6]


def test_auc_needs_both_outcomes() -> None:
    assert area_under_curve(np.ones(3), np.array([0.1, 0.2, 0.3])) is None


@given(answers())
def test_calibration_error_is_between_0_and_1(case: tuple[Floats, Floats]) -> None:
    assert 0 <= expected_calibration_error(*case) <= 1


@given(answers(), st.integers(0, 2**31))
def test_the_order_of_rows_does_not_matter(case: tuple[Floats, Floats], seed: int) -> None:
    correct, said = case
    order = np.random.default_rng(seed).permutation(correct.size)
    ours, shuffled = Scores.of(correct, said), Scores.of(correct[order], said[order])
    for name in ("log_loss", "brier", "ece", "mean_probability"):
        assert getattr(ours, name) == pytest.approx(getattr(shuffled, name), abs=1e-12)
    assert ours.auc == shuffled.auc


@given(answers().filter(lambda case: 0 < case[0].sum() < case[0].size))
def test_agrees_with_scikit_learn(case: tuple[Floats, Floats]) -> None:
    correct, said = case
    scores = Scores.of(correct, said)
    assert scores.auc == pytest.approx(roc_auc_score(correct, said))
    assert scores.log_loss == pytest.approx(log_loss(correct, clipped(said)))
    assert scores.brier == pytest.approx(brier_score_loss(correct, said))
