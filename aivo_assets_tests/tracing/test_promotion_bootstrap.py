"""The paired bootstrap over learners: known where the answer is, and lawful where it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from aivo_assets.tracing.bootstrap import Interval, paired_bootstrap


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
