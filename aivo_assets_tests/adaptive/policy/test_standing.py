"""A decision stands until practice of the skill says more: not time, nor a model that sees it a little otherwise."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.adaptive.policy.policy import success_zone_policy
from aivo_assets.adaptive.policy.ranking import ranked
from aivo_assets.adaptive.policy.threshold_policy import threshold_policy
from aivo_assets_tests.adaptive.learners import SETTINGS, TODAY, day, signals
from aivo_assets_tests.adaptive.policy.cases import BASICS, CASES, EASY, POLICY, decide

DOWN: dict[str, Any] = {
    "previous_day": day(1),
    "previous_rule": "level_down",
    "previous_kind": "level_down",
    "previous_plan": "practice",
    "previous_current_level": 5,
    "previous_level": 3,
    "previous_policy_level": 3,
    "previous_priority": "medium",
    "decided_on": day(4),
}


@pytest.mark.parametrize(("since", "stands"), [(0, True), (2, True), (3, False), (None, False)])
def test_it_stands_until_three_answers_came_whatever_the_signals_say(since: int | None, stands: bool) -> None:
    found = decide(**EASY, **DOWN, answers_since=since)
    kept = ("level_down", 3, "medium", day(4))
    anew = ("level_up", 6, "medium", TODAY)
    assert (found["rule"], found["recommended_level"], found["priority"], found["decided_on"]) == (
        kept if stands else anew
    )
    assert (found["stands"], found["kind"], found["kind_beneath"]) == (stands, found["rule"], found["rule"])


def test_how_long_it_stands_is_a_setting() -> None:
    longer = success_zone_policy(SETTINGS.model_copy(update={"followed_events": 6}))
    assert decide(longer, **EASY, **DOWN, answers_since=5)["kind"] == "level_down"
    assert decide(longer, **EASY, **DOWN, answers_since=6)["kind"] == "level_up"


def test_a_break_comes_between_and_hides_what_stands_without_taking_it_back() -> None:
    found = decide(**EASY, **DOWN, answers_since=1, focus=0.1)
    assert (found["kind"], found["kind_beneath"], found["recommended_level"]) == ("break", "level_down", 3)
    assert (found["priority"], found["decided_on"], found["stands"]) == ("urgent", day(4), True)


def test_the_priority_stands_too() -> None:
    urgent = {**BASICS, "p_level_upper": 0.35}
    before = {**DOWN, "previous_rule": "remediation", "previous_priority": "high"}
    assert decide(**urgent)["priority"] == "urgent"
    assert decide(**urgent, **before, answers_since=0)["priority"] == "high"


@pytest.mark.parametrize(("new", "stands"), [(0, True), (1, False)])
def test_to_carry_on_stands_only_as_long_as_nothing_new_came(new: int, stands: bool) -> None:
    before = {**DOWN, "previous_rule": "maintain_stretch", "previous_policy_level": 5, "previous_priority": "low"}
    found = decide(**EASY, **before, answers_since=9, answers_new=new)
    assert (found["kind"], found["stands"]) == (("maintain", True) if stands else ("level_up", False))


def test_answers_are_counted_on_as_long_as_the_learner_carries_on_at_the_level() -> None:
    """Else one answer a day would never be enough to say at which level a learner works."""
    before = {**DOWN, "previous_rule": "maintain_stretch", "previous_policy_level": 5}
    again = decide(**before, answers_since=2, answers_new=1)
    assert (again["rule"], again["stands"], again["decided_on"]) == ("maintain_in_zone", False, day(4))
    assert decide(**before, answers_since=2, answers_new=1, current_level=6)["decided_on"] == TODAY
    assert decide(**EASY, **before, answers_since=2, answers_new=1)["decided_on"] == TODAY


@pytest.mark.parametrize("rule", ["break_tired", "a_rule_that_was_taken_out", "threshold_failures", None])
def test_what_this_table_does_not_know_or_what_passes_does_not_stand(rule: str | None) -> None:
    found = decide(**EASY, **{**DOWN, "previous_rule": rule}, answers_since=0)
    assert (found["kind"], found["stands"], found["decided_on"]) == ("level_up", False, TODAY)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(CASES), st.sampled_from(CASES)), min_size=1, max_size=6))
def test_whatever_was_decided_is_decided_again_without_practice(pairs: list[Any]) -> None:
    """Tomorrow may look like any other case: what was said yesterday of the level is said again, and ranks alike."""
    yesterday = pl.concat([signals(skill_id=f"skill-{place}", **old[1]) for place, (old, _) in enumerate(pairs)])
    first = POLICY.decide(yesterday)
    told = first.select(
        "rule", "kind", "plan", "current_level", "recommended_level", "priority", "decided_on", "attempts"
    )
    rows = [
        signals(
            skill_id=f"skill-{place}",
            **{
                **new[1],
                "previous_day": day(1),
                "previous_rule": before["rule"],
                "previous_kind": before["kind"],
                "previous_plan": before["plan"],
                "previous_current_level": before["current_level"],
                "previous_level": before["recommended_level"],
                "previous_policy_level": before["recommended_level"],
                "previous_priority": before["priority"],
                "decided_on": before["decided_on"],
                "answers_since": 4,
                "answers_new": 0,
                "attempts": before["attempts"],
                "session_current": False,
            },
        )
        for place, ((_, new), before) in enumerate(zip(pairs, told.iter_rows(named=True), strict=True))
        if before["kind"] != "break"
    ]
    if rows:
        then = POLICY.decide(pl.concat(rows))
        lasting = first.filter(~pl.col("passes"))
        columns = ("skill_id", "rule", "kind", "plan", "recommended_level", "priority", "decided_on")
        assert then.select(columns).equals(lasting.select(columns))
        orders = [ranked(rows, POLICY, SETTINGS)["skill_id"].to_list() for rows in (then, lasting)]
        assert orders[0] == orders[1]


def test_the_threshold_rules_stand_as_long() -> None:
    before = {**DOWN, "previous_rule": "threshold_failures", "previous_policy_level": 4}
    assert decide(threshold_policy(), **before, answers_since=2)["rule"] == "threshold_failures"
    assert decide(threshold_policy(), **before, answers_since=3)["rule"] != "threshold_failures"
