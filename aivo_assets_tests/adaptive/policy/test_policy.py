"""Each rule of the policy on a learner made for it, the order of rules, and the table's own laws."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.adaptive.policy.evidence import listed
from aivo_assets.adaptive.policy.policy import KINDS, LEVEL_UP, MAINTAIN, success_zone_policy
from aivo_assets.adaptive.policy.rules import PRIORITIES, Criterion, Kind, Policy, Rule
from aivo_assets.adaptive.policy.threshold_policy import threshold_policy
from aivo_assets_tests.adaptive.learners import SETTINGS, signals
from aivo_assets_tests.adaptive.policy.cases import (
    BASICS,
    BELOW,
    CASES,
    EASY,
    FAILING,
    FALL,
    HARD,
    POLICY,
    THRESHOLD_CASES,
    decide,
)


@pytest.mark.parametrize(("rule", "learner", "kind", "level"), CASES, ids=[case[0] for case in CASES])
def test_each_rule_fires_on_the_learner_made_for_it(rule: str, learner: dict[str, Any], kind: str, level: int) -> None:
    decision = decide(**learner)
    assert (decision["rule"], decision["kind"], decision["recommended_level"]) == (rule, kind, level)


def test_every_rule_and_every_kind_has_such_a_learner() -> None:
    assert [case[0] for case in CASES] == [rule.name for rule in POLICY.rules]
    assert {case[2] for case in CASES} == {kind.name for kind in KINDS}
    assert len(KINDS) == 7


@pytest.mark.parametrize(
    ("learner", "instead"),
    [
        ({"focus": 0.4}, "maintain_in_zone"),
        ({"working_minutes": 50.0}, "maintain_in_zone"),
        ({"working_minutes": 49.0, "session_minutes": 181.0}, "maintain_in_zone"),
        ({**FALL, "working_minutes": 14.9}, "maintain_in_zone"),
        ({**FALL, "session_fall_z": 1.6}, "maintain_in_zone"),
        ({**EASY, "days_since_move": 3}, "level_up"),
        ({**HARD, **FAILING, "recent_accuracy": 0.4}, "maintain_too_few"),
        ({**HARD, **FAILING, "attempts_since_move": 9}, "maintain_too_few"),
        ({**HARD, **FAILING, "p_level": 0.6}, "maintain_too_few"),
        ({**HARD, "gain_easier": 0.06}, "level_down"),
        ({**BELOW, "never_moved": True}, "level_down_first"),
        ({**BELOW, "never_moved": True, "attempts": 4}, "maintain_stretch"),
        ({**BELOW, "never_moved": True, "recent_accuracy": 0.7}, "maintain_stretch"),
        ({**BELOW, "never_moved": True, "p_level": 0.7}, "maintain_in_zone"),
        ({**BELOW, "never_moved": True, "gain_easier": 0.05}, "maintain_stretch"),
        ({**BELOW, "never_moved": False}, "maintain_stretch"),
        ({**BELOW, "never_moved": True, "items_below": 0}, "change_approach_first"),
        ({**HARD, "never_moved": True, "attempts": 4, "attempts_at_level": 4, "items_below": 0}, "maintain_too_few"),
        ({**HARD, "never_moved": True, "recent_accuracy": 0.7, "items_below": 0}, "maintain_doubtful"),
        ({**HARD, "gain_easier": 0.03, "attempts_at_level": 9}, "maintain_too_few"),
        ({**BASICS, "p_below": 0.6}, "level_down"),
        ({**BASICS, "recent_accuracy": 0.65}, "level_down"),
        ({**HARD, "attempts_at_level": 9}, "maintain_too_few"),
        ({**HARD, "p_level": 0.6}, "maintain_stretch"),
        ({**EASY, "p_level": 0.84}, "maintain_in_zone"),
        ({**EASY, "attempts_at_level": 4, "p_level_lower": 0.9}, "maintain_too_few"),
        ({**EASY, "p_above": 0.69}, "enrichment_ceiling"),
        ({"ability_trend": 0.05}, "maintain_in_zone"),
        ({"hint_rate": 0.5}, "maintain_in_zone"),
    ],
)
def test_a_learner_just_beside_a_threshold_is_decided_otherwise(learner: dict[str, Any], instead: str) -> None:
    assert decide(**learner)["rule"] == instead


def test_rest_comes_before_all_else_and_tells_what_it_hides() -> None:
    tired = decide(**BASICS, focus=0.2)
    assert (tired["kind"], tired["kind_beneath"], tired["priority"]) == ("break", "remediation", "high")
    assert decide(**BASICS, focus=0.19)["priority"] == "urgent"


@pytest.mark.parametrize("gate", ["latest", "session_current"])
def test_a_break_concerns_only_what_the_learner_is_at_today(gate: str) -> None:
    assert decide(focus=0.1, **{gate: False})["kind"] == "maintain"


def test_a_break_leaves_the_plan_as_it_was_and_other_kinds_set_it() -> None:
    assert decide(focus=0.1, previous_plan="remediation")["plan"] == "remediation"
    assert decide(focus=0.1)["plan"] == "practice"
    assert decide(previous_plan="remediation")["plan"] == "practice"
    assert decide(**BASICS)["plan"] == "remediation"


def test_remediation_is_urgent_where_even_the_upper_end_is_hopeless() -> None:
    assert decide(**BASICS)["priority"] == "high"
    assert decide(**{**BASICS, "p_level_upper": 0.39})["priority"] == "urgent"


@pytest.mark.parametrize(("level", "expected"), [(1, 1), (2, 1), (3, 1), (4, 2)])
def test_remediation_goes_two_levels_back_and_never_below_one(level: int, expected: int) -> None:
    assert decide(**BASICS, current_level=level)["recommended_level"] == expected


@pytest.mark.parametrize(
    ("likely", "recommended"),
    [
        ([0.99, 0.98, 0.97, 0.96, 0.95, 0.93, 0.90, 0.86, 0.78, 0.70], 8),  # 9 is in the middle, 8 within reach
        ([0.99, 0.98, 0.97, 0.96, 0.90, 0.84, 0.78, 0.70, 0.60, 0.50], 7),
        ([0.96, 0.94, 0.92, 0.90, 0.86, 0.65, 0.50, 0.30, 0.20, 0.10], 6),  # where none is nearer: one level
        (None, 6),
    ],
)
def test_a_move_aims_at_the_middle_of_the_zone_within_reach(likely: list[float] | None, recommended: int) -> None:
    assert decide(**EASY, level_probabilities=likely)["recommended_level"] == recommended


def test_remediation_goes_at_least_two_levels_back_and_further_where_that_is_still_too_hard() -> None:
    steep = [0.80, 0.70, 0.60, 0.50, 0.40, 0.30, 0.20, 0.10, 0.05, 0.02]
    assert decide(**BASICS, level_probabilities=steep)["recommended_level"] == 2  # 1 fits best, 5 - 3 is in reach
    assert decide(threshold_policy(), failures_at_level=5, level_probabilities=steep)["recommended_level"] == 4


def test_evidence_is_exactly_what_decided() -> None:
    rule = next(rule for rule in POLICY.rules if rule.name == "level_down")
    evidence = signals(**HARD).select(listed(rule.evidence).alias("evidence"))["evidence"][0].to_list()
    assert {"signal": "p_level", "value": 0.55, "threshold": 0.6, "direction": "<"} in evidence
    assert {"signal": "recent_accuracy", "value": 0.5, "threshold": 0.7, "direction": "<"} in evidence
    assert [entry["signal"] for entry in evidence] == [test.signal for test in rule.tests]


def test_thresholds_are_those_of_the_settings() -> None:
    strict = success_zone_policy(SETTINGS.model_copy(update={"minimum_attempts": 30}))
    assert decide(strict, **EASY)["rule"] == "enrichment_promising"
    assert decide(strict, **HARD)["rule"] == "maintain_too_few"


def test_an_eighth_kind_is_one_more_row() -> None:
    game = Kind("play_a_game", plan="play")
    rule = Rule("play_after_a_week", game, (Criterion("streak_days", ">=", 7),), "low", 0.7)
    extended = Policy("with_play", (rule, *POLICY.rules), passing=POLICY.passing)
    assert decide(extended, streak_days=7)["kind"] == "play_a_game"
    assert decide(extended, streak_days=6)["kind"] == "maintain"


def test_a_table_that_may_leave_a_learner_without_an_answer_is_refused() -> None:
    rule = Rule("sometimes", LEVEL_UP, (Criterion("p_level", ">", 0.5),), "low", 0.7)
    with pytest.raises(ValueError, match="last rule"):
        Policy("gaps", (rule,))
    with pytest.raises(ValueError, match="repeat"):
        Policy("twice", (Rule("a", MAINTAIN, (), "low", 0.7), Rule("a", MAINTAIN, (), "low", 0.7)))


probability = st.one_of(st.none(), st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "p_level": probability,
            "p_level_lower": probability,
            "p_level_upper": probability,
            "p_above": probability,
            "p_below": probability,
            "recent_accuracy": st.floats(0, 1),
            "focus": probability,
            "hint_rate": probability,
            "session_minutes": st.floats(0, 200),
            "working_minutes": st.floats(0, 200),
            "growth_at_level": st.one_of(st.none(), st.floats(-1, 1)),
            "ability_trend": st.one_of(st.none(), st.floats(-1, 1)),
            "current_level": st.integers(1, 10),
            "attempts_at_level": st.integers(0, 50),
            "failures_at_level": st.integers(0, 50),
            "successes_at_level": st.integers(0, 50),
            "days_at_level": st.integers(0, 60),
            "days_since_move": st.one_of(st.none(), st.integers(0, 60)),
            "items_below": st.integers(0, 3),
            "items_above": st.integers(0, 3),
        }
    ),
    st.sampled_from([POLICY, threshold_policy()]),
)
def test_whoever_comes_gets_one_kind_and_a_level_within_bounds_and_reach(
    learner: dict[str, Any], policy: Policy
) -> None:
    decision = decide(policy, **learner)
    assert decision["kind"] in {kind.name for kind in KINDS}
    assert decision["priority"] in PRIORITIES
    step = decision["recommended_level"] - learner["current_level"]
    shift = next(kind.shift for kind in KINDS if kind.name == decision["kind"])
    assert 1 <= decision["recommended_level"] <= 10
    assert step * shift >= 0
    assert abs(step) <= (max(policy.reach, abs(shift)) if shift else 0)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.02, 0.98), st.integers(1, 10))
def test_a_move_never_calls_for_its_opposite(p: float, level: int) -> None:
    """With levels a full step apart, whoever was moved and is as able as before is not moved back."""

    def at(shift: float) -> float:
        odds = p / (1 - p) * 2.718281828 ** (-shift * max(SETTINGS.level_step))
        return odds / (1 + odds)

    def seen(shift: int) -> dict[str, Any]:
        values: dict[str, Any] = {"p_level": at(shift), "p_above": at(shift + 1), "p_below": at(shift - 1)}
        values["level_probabilities"] = [at(other - level) for other in range(1, 11)]
        return {**values, "p_level_lower": 0.0, "p_level_upper": 1.0}

    opposite = {"level_up": {"level_down", "remediation"}, "level_down": {"level_up"}}
    first = decide(**seen(0), current_level=level, recent_accuracy=0.9 if p > 0.7 else 0.3)
    if first["kind"] in opposite:
        shift = first["recommended_level"] - level
        for accuracy in (0.0, 1.0):
            then = decide(**seen(shift), current_level=first["recommended_level"], recent_accuracy=accuracy)
            assert then["kind"] not in opposite[first["kind"]]


@pytest.mark.parametrize(
    ("told", "learner", "kind", "level"), THRESHOLD_CASES, ids=[case[0] for case in THRESHOLD_CASES]
)
def test_the_threshold_rules_decide_as_specified(told: str, learner: dict[str, Any], kind: str, level: int) -> None:
    decision = decide(threshold_policy(), **{"failures_at_level": 4, **learner})
    assert (decision["kind"], decision["recommended_level"]) == (kind, level), told


def test_decisions_keep_the_order_of_rows() -> None:
    rows = pl.concat([signals(learner=name, **known) for name, known in (("b", EASY), ("a", HARD), ("c", {}))])
    assert POLICY.decide(rows)["kind"].to_list() == ["level_up", "level_down", "maintain"]
