"""Confidence, impact and time to effect, by hand and by law."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from aivo_assets.adaptive.advice.outlook import add_outlook, learning_efficiency
from aivo_assets.adaptive.policy.policy import success_zone_policy
from aivo_assets_tests.adaptive.learners import SETTINGS, signals

POLICY = success_zone_policy(SETTINGS)
SAME = [0.8] * 10


def outlook(**known: Any) -> dict[str, Any]:
    return add_outlook(POLICY.decide(signals(**known)), SETTINGS).row(0, named=True)


def test_confidence_of_a_well_known_learner_is_binomial() -> None:
    """P(at least 7 of 10 at 0.8) = 0.879."""
    found = outlook(level_probabilities=SAME, success_sd=0.0)
    assert found["expected_successes"] == 7
    assert found["confidence_model"] == pytest.approx(binom.sf(6, 10, 0.8), abs=2e-3)


def test_less_knowledge_means_less_confidence() -> None:
    sure, unsure = (outlook(level_probabilities=SAME, success_sd=sd)["confidence_model"] for sd in (0.2, 1.2))
    assert unsure < sure


def test_no_more_is_expected_than_the_model_does() -> None:
    found = outlook(level_probabilities=[0.55] * 10)
    assert found["expected_successes"] == 5
    assert found["confidence_model"] > 0.5


def test_without_a_model_the_recent_answers_speak() -> None:
    """8 of 10 and two answers at the zone's middle: (8 + 1.55) / 12."""
    found = outlook(level_probabilities=None, p_level=None, success_sd=None)
    assert found["p_new"] == pytest.approx(9.55 / 12)
    assert 0 < found["confidence_model"] < 1


def test_most_is_learnt_near_82_percent_and_never_nothing() -> None:
    shares = pl.Series("p", [0.1, 0.5, 0.7, 0.824, 0.9, 0.99])
    found = pl.select(learning_efficiency(pl.lit(shares)))["p"].to_list()
    assert found[3] == pytest.approx(1.0, abs=1e-3)
    assert max(found) == found[3]
    assert found[0] == found[1] == 0.25
    assert found[2] == pytest.approx(0.8473 * 0.21 / 0.22383, abs=1e-3)


def test_impact_is_the_growth_by_ten_well_placed_exercises() -> None:
    """Success 0.824 everywhere: one logit more, from 0.824 to 0.927."""
    found = outlook(level_probabilities=[0.824] * 10, p_level=0.824)
    assert found["expected_impact"] == pytest.approx(0.9272 - 0.824, abs=1e-3)


def test_a_break_gives_back_what_chance_does_not_explain_of_the_fall() -> None:
    found = outlook(session_fall=0.4, session_fall_z=2.0, working_minutes=25.0, p_level=0.5)
    assert found["kind"] == "break"
    assert found["expected_impact"] == pytest.approx(0.4 * 0.75)
    assert found["time_to_effect_days"] == 1


@pytest.mark.parametrize(("pace", "days"), [(2.0, 5), (3.0, 4), (40.0, 1), (0.05, 28)])
def test_time_to_effect_is_ten_answers_at_the_learners_own_pace(pace: float, days: int) -> None:
    assert outlook(pace=pace)["time_to_effect_days"] == days


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 0.99), st.floats(0.0, 3.0), st.integers(1, 10))
def test_numbers_stay_within_their_ranges(p: float, sd: float, level: int) -> None:
    found = outlook(level_probabilities=[p] * 10, p_level=p, success_sd=sd, current_level=level)
    assert 0 <= found["confidence_model"] <= 1
    assert 0 <= found["expected_impact"] <= 1
    assert 1 <= found["expected_successes"] <= found["expected_attempts"]
