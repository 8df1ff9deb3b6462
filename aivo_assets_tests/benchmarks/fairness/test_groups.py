"""Groups are compared with the rest of those whose attribute is known, and many comparisons are corrected for."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from aivo_assets.benchmarks.fairness.groups import compare_groups, holm
from aivo_assets.benchmarks.fairness.power import BIASES, measure_power


def drawn(blind_for: str, seed: int = 5) -> tuple[pl.DataFrame, pl.DataFrame]:
    """180 learners of three valleys and two languages; the model sees nothing of one valley."""
    draw = np.random.default_rng(seed)
    names = [f"learner-{number}" for number in range(180)]
    valleys = ["north", "west", "south"] * 60
    languages = [None if number % 10 == 0 else ["de", "it"][number % 2] for number in range(180)]
    learner = np.repeat(np.arange(180), 25)
    truth = draw.normal(0, 1.2, learner.size)
    said = np.where(np.array(valleys)[learner] == blind_for, 0.0, truth)
    predicted = pl.DataFrame(
        {
            "learner": [names[each] for each in learner],
            "correct": (draw.random(learner.size) < expit(truth)).astype(np.float64),
            "probability": expit(said + draw.normal(0, 0.01, learner.size)),
        }
    )
    return predicted, pl.DataFrame({"learner": names, "valley": valleys, "language": languages})


@pytest.mark.slow
def test_the_group_that_the_model_is_blind_for_is_flagged_and_a_fair_attribute_is_not() -> None:
    predicted, learners = drawn("south")
    found = {
        (row.attribute, row.group): row for row in compare_groups(predicted, learners, least=20, deals=199, seed=0)
    }
    assert found["valley", "south"].is_flagged
    assert found["valley", "south"].auc[0] == pytest.approx(0.5, abs=0.06)
    assert found["valley", "south"].auc_high < 0
    assert not found["language", "de"].is_flagged
    assert found["language", "de"].learners == (72, 90), "who has no known language is on neither side"
    assert ("valley × language", "south × it") in found


def test_groups_that_are_too_small_are_left_out() -> None:
    predicted, learners = drawn("south")
    rows = compare_groups(predicted, learners, least=61, deals=19, seed=0)
    assert {row.attribute for row in rows} == {"language"}


def test_holm_is_that_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_every_kind_of_bias_is_found_more_often_than_none() -> None:
    found = {row.bias: row.flagged for row in measure_power(schools=2, learners=150, answers=20, deals=39, seed=1)}
    assert found.keys() == BIASES.keys()
    assert all(found[bias] >= found["none"] for bias in BIASES)
    assert sum(found.values()) - found["none"] >= 5
