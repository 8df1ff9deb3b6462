"""The paired bootstrap over learners: known where the answer is, and lawful where it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aivo_assets.tracing.judging.bootstrap import Interval, calibration_bootstrap, paired_bootstrap
from aivo_assets.tracing.model.scores import expected_calibration_error


def bounds(differences: list[float], learners: list[int], **changed: float) -> Interval:
    return paired_bootstrap(
        np.array(differences),
        np.array(learners),
        samples=int(changed.get("samples", 400)),
        confidence=changed.get("confidence", 0.95),
        seed=int(changed.get("seed", 0)),
    )


def test_a_difference_that_every_learner_shares_is_certain() -> None:
    interval = bounds([-0.25] * 12, [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3])
    assert (interval.mean, interval.lower, interval.upper) == (-0.25, -0.25, -0.25)
    assert interval.learners == 4


def test_one_learner_says_nothing_of_others_so_rows_are_not_drawn() -> None:
    interval = bounds([-1.0, 1.0, -1.0, 1.0], [7, 7, 7, 7])
    assert (interval.lower, interval.upper) == (0.0, 0.0)


def test_two_opposed_learners_by_hand() -> None:
    """Both, one twice, the other twice: means 0, -1, +1 with chances 1/2, 1/4, 1/4."""
    interval = bounds([-1.0, 1.0], [0, 1], samples=4000, confidence=0.7)
    assert (interval.mean, interval.lower, interval.upper) == (0.0, 0.0, 0.0)
    interval = bounds([-1.0, 1.0], [0, 1], samples=4000, confidence=0.8)
    assert (interval.lower, interval.upper) == (-1.0, 1.0)


def test_a_learner_counts_with_all_of_its_events() -> None:
    assert bounds([1.0, 0.0, 0.0, 0.0], [0, 1, 1, 1]).mean == 0.25


def test_bounds_agree_with_the_normal_approximation() -> None:
    random = np.random.default_rng(5)
    learners = np.repeat(np.arange(2000), 5)
    per_learner = random.normal(0.01, 0.3, 2000)
    interval = paired_bootstrap(per_learner[learners], learners, samples=4000, confidence=0.95, seed=0)
    error = per_learner.std() / np.sqrt(2000)
    assert interval.upper - interval.mean == pytest.approx(1.645 * error, rel=0.08)
    assert interval.mean - interval.lower == pytest.approx(1.645 * error, rel=0.08)


@given(arrays.arrays(np.int64, st.integers(1, 50), elements=st.integers(0, 9)), st.integers(0, 99))
def test_identical_predictions_differ_by_exactly_nothing(learners: np.ndarray, seed: int) -> None:
    interval = paired_bootstrap(np.zeros(learners.size), learners, samples=100, confidence=0.95, seed=seed)
    assert (interval.mean, interval.lower, interval.upper) == (0.0, 0.0, 0.0)


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 8)), min_size=1, max_size=60), st.integers(0, 9))
def test_swapping_the_models_mirrors_the_bounds(rows: list[tuple[float, int]], seed: int) -> None:
    differences, learners = [list(column) for column in zip(*rows, strict=True)]
    ours = bounds(differences, learners, seed=seed)
    swapped = bounds([-each for each in differences], learners, seed=seed)
    assert swapped.mean == pytest.approx(-ours.mean, abs=1e-12)
    assert (swapped.lower, swapped.upper) == (
        pytest.approx(-ours.upper, abs=1e-9),
        pytest.approx(-ours.lower, abs=1e-9),
    )
    assert ours.lower <= ours.upper
    assert min(differences) - 1e-9 <= ours.lower
    assert ours.upper <= max(differences) + 1e-9


def test_the_same_seed_gives_the_same_bounds() -> None:
    random = np.random.default_rng(1)
    differences, learners = random.normal(size=200).tolist(), random.integers(0, 40, 200).tolist()
    assert bounds(differences, learners, seed=3) == bounds(differences, learners, seed=3)
    assert bounds(differences, learners, seed=3) != bounds(differences, learners, seed=4)


def calibration(correct: np.ndarray, ours: np.ndarray, theirs: np.ndarray, learners: np.ndarray) -> Interval:
    return calibration_bootstrap(correct, ours, theirs, learners, samples=1000, confidence=0.95, seed=0)


@given(
    st.integers(1, 60).flatmap(
        lambda rows: st.tuples(
            arrays.arrays(np.float64, rows, elements=st.sampled_from([0.0, 1.0])),
            *[arrays.arrays(np.float64, rows, elements=st.sampled_from([0.1, 0.3, 0.5, 0.5001, 0.9]))] * 2,
            arrays.arrays(np.int64, rows, elements=st.integers(0, 5)),
        )
    )
)
def test_the_difference_in_calibration_is_that_of_the_two_calibration_errors(
    given_rows: tuple[np.ndarray, ...],
) -> None:
    correct, ours, theirs, learners = given_rows
    expected = expected_calibration_error(correct, ours) - expected_calibration_error(correct, theirs)
    found = calibration(correct, ours, theirs, learners)
    assert found.mean == pytest.approx(expected, abs=1e-12)
    assert calibration(correct, ours, ours, learners).upper == 0.0


def school(learners: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, their true probabilities and who gave them: twenty of each learner."""
    random = np.random.default_rng(3)
    truth = random.uniform(0.3, 0.9, learners * 20)
    return (random.random(truth.size) < truth).astype(float), truth, np.repeat(np.arange(learners), 20)


def test_a_model_that_promises_too_much_is_surely_worse_calibrated() -> None:
    correct, truth, learners = school(400)
    found = calibration(correct, truth + 0.08, truth, learners)
    assert found.mean == pytest.approx(0.08, abs=0.02)
    assert found.lower > 0.04


def test_two_models_that_err_by_chance_are_not_told_apart_by_their_calibration() -> None:
    correct, truth, learners = school(40)
    blurred = np.clip(truth + np.random.default_rng(4).normal(0, 0.02, truth.size), 0, 1)
    found = calibration(correct, blurred, truth, learners)
    assert found.lower < 0 < found.upper


def test_one_learner_s_error_of_calibration_is_not_sure() -> None:
    """All of the difference is one learner's, who is missing from a third of the resamples."""
    correct, truth, learners = school(30)
    said = np.where(learners == 7, 0.02, truth)
    found = calibration(correct, said, truth, learners)
    assert found.lower <= 0.005 < found.upper
