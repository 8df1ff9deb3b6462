"""A model that knows less of one group is found; one that serves both alike is not, however few the learners are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from aivo_assets.errors import ModelError
from aivo_assets.tracing.judging.group_fairness import GroupGap, group_gap


def school(
    learners: int, answers: int, blindness: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Answers of two groups; of the second the model sees the truth through noise of this size."""
    draw = np.random.default_rng(seed)
    first = np.arange(2 * learners) < learners
    learner = np.repeat(np.arange(2 * learners), answers)
    truth = draw.normal(0, 0.8, 2 * learners)[learner] + draw.normal(0, 1, learner.size)
    correct = (draw.random(learner.size) < expit(truth)).astype(np.float64)
    noise = np.where(first[learner], 0.0, blindness) * draw.normal(0, 1, learner.size)
    return correct, expit(truth + noise), learner, first


def measured(learners: int, answers: int, blindness: float, seed: int) -> GroupGap:
    return group_gap(*school(learners, answers, blindness, seed), deals=99, seed=seed)


@pytest.mark.slow
def test_of_twenty_fair_models_chance_alone_flags_few_and_twenty_biased_ones_are_found() -> None:
    fair = [measured(60, 20, 0.0, seed) for seed in range(20)]
    biased = [measured(60, 20, 2.0, seed) for seed in range(20)]
    assert sum(gap.p_value <= 0.05 for gap in fair) <= 3  # 5 % of twenty is one; more than three has p = 0.016
    assert sum(gap.p_value <= 0.05 for gap in biased) >= 19
    assert all(gap.abroca > 0 and gap.by_chance > 0 for gap in fair), "it is above zero by chance"
    assert all(gap.auc_low > 0 for gap in biased)


def test_a_model_that_is_blind_for_one_group_is_found_and_a_fair_one_is_not() -> None:
    assert measured(60, 20, 2.0, 0).p_value <= 0.05 < measured(60, 20, 0.0, 0).p_value


def test_a_group_that_is_promised_too_much_is_found_though_it_is_ranked_as_well() -> None:
    correct, probability, learner, first = school(80, 25, 0.0, 8)
    promised = np.where(first[learner], probability, probability**0.6)
    gap = group_gap(correct, promised, learner, first, deals=99, seed=0)
    assert gap.p_area > 0.05 >= gap.p_promised
    assert gap.p_value <= 0.05
    assert gap.over_promised < 0, "the first group is promised less than the second"


def test_smaller_groups_can_be_told_from_chance_less() -> None:
    assert measured(15, 20, 0.0, 3).detectable > measured(150, 20, 0.0, 3).detectable


@given(st.integers(0, 50))
@hypothesis_settings(max_examples=10)
def test_the_area_is_symmetric_and_its_curves_are_those_of_scikit_learn(seed: int) -> None:
    correct, probability, learner, first = school(30, 30, 1.0, seed)
    one = group_gap(correct, probability, learner, first, deals=1, seed=0)
    other = group_gap(correct, probability, learner, ~first, deals=1, seed=0)
    assert one.abroca == pytest.approx(other.abroca)
    assert one.auc == other.auc[::-1]
    rows = first[learner]
    assert one.auc[0] == pytest.approx(roc_auc_score(correct[rows], probability[rows]), abs=2e-3)


def test_a_group_without_a_curve_is_refused() -> None:
    correct, probability, learner, first = school(5, 5, 0.0, 0)
    correct[first[learner]] = 1.0
    with pytest.raises(ModelError, match="no right or no wrong"):
        group_gap(correct, probability, learner, first, deals=3, seed=0)
