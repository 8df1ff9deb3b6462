"""A teacher's word is obeyed, recorded, and ends when it should."""

from typing import Any

import pytest

from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.overrides import in_force
from aivo_assets_tests.adaptive.advice.consistency import consistent
from aivo_assets_tests.adaptive.learners import SETTINGS, TODAY, day, ladder, signals
from aivo_assets_tests.adaptive.policy.cases import EASY, HARD
from aivo_assets_tests.adaptive.policy.word_rows import word, words


def told(*given: dict[str, Any], **known: Any) -> dict[str, Any]:
    found = recommend(
        signals(**known),
        ladder("fractions", per_level=8),
        settings=SETTINGS,
        wording=load_wording(SETTINGS),
        made_by="test",
        known=Known(overrides=words(*given)),
    )
    return found.row(0, named=True)


def evidence(found: dict[str, Any], signal: str) -> list[tuple[float, float]]:
    return [(each["value"], each["threshold"]) for each in found["evidence"] if each["signal"] == signal]


@pytest.mark.parametrize(("level", "kind"), [(8, "level_up"), (2, "level_down"), (5, "maintain")])
def test_a_pinned_level_wins_over_the_policy(level: int, kind: str) -> None:
    found = told(word("pin", level=level, until=TODAY), **consistent(EASY))
    assert (found["recommended_level"], found["kind"], found["override"]) == (level, kind, "pin")
    assert (found["policy_kind"], found["policy_level"]) == ("level_up", 6)
    assert evidence(found, "override_pinned_level") == [(level, 6)]
    assert "has set the level until 20 Mar 2024" in found["counterfactual"]
    assert "“move up”, at level 6" in found["counterfactual"]
    assert found["content_level"] == level


def test_a_pin_that_agrees_leaves_the_policys_own_words() -> None:
    found = told(word("pin", level=6, until=TODAY), **consistent(EASY))
    assert (found["rule"], found["kind"], found["override"]) == ("level_up", "level_up", "pin")
    assert evidence(found, "p_level") != []


@pytest.mark.parametrize(("removed", "level"), [(0, 6), (1, 6), (-1, 2)])
def test_what_was_taken_back_does_not_hold_from_that_day_on(removed: int, level: int) -> None:
    pin = word("pin", level=2, until=TODAY, removed_on=day(removed))
    assert told(pin, **consistent(EASY))["recommended_level"] == level


def test_a_pin_ends_with_its_day_and_begins_with_its_own() -> None:
    assert told(word("pin", level=2, until=day(1)), **consistent(EASY))["recommended_level"] == 6
    assert told(word("pin", back=-1, level=2, until=day(-9)), **consistent(EASY))["recommended_level"] == 6


def test_the_last_pin_counts() -> None:
    earlier, later = word("pin", back=5, level=2, until=day(-5)), word("pin", back=2, level=7, until=day(-1))
    assert told(later, earlier)["recommended_level"] == 7


def test_a_break_goes_on_being_called_for_while_a_level_is_pinned() -> None:
    found = told(word("pin", level=3, until=TODAY), focus=0.1)
    assert (found["kind"], found["recommended_level"], found["override"]) == ("break", 3, "pin")


def test_a_rejected_kind_is_not_repeated_until_the_days_are_over() -> None:
    no = {"kind": "level_up", "reason": "not_now"}
    found = told(word("reject", **no), **consistent(EASY))
    assert (found["kind"], found["rule"], found["recommended_level"]) == ("maintain", "override_reject", 5)
    assert (found["override"], found["policy_kind"], found["changed"]) == ("reject", "level_up", False)
    assert evidence(found, "override_rejected_days") == [(1, SETTINGS.reject_days)]
    assert "recently declined “move up”" in found["counterfactual"]
    over = told(word("reject", back=SETTINGS.reject_days, **no), **consistent(EASY))
    assert (over["kind"], over["override"]) == ("level_up", None)


def test_another_kind_than_the_rejected_one_is_said() -> None:
    found = told(word("reject", kind="level_up", reason="not_now"), **consistent(HARD))
    assert (found["kind"], found["override"]) == ("level_down", None)
    assert evidence(found, "override_rejected_days") == [(1, SETTINGS.reject_days)]


def test_no_counterfactual_promises_what_was_rejected() -> None:
    near = consistent(EASY) | {"attempts_at_level": 8}
    assert "move up" in told(**near)["counterfactual"]
    assert "move up" not in told(word("reject", kind="level_up", reason="other"), **near)["counterfactual"]


def test_an_acceptance_is_recorded_and_changes_nothing() -> None:
    found, without = told(word("accept", kind="level_up"), **consistent(EASY)), told(**consistent(EASY))
    assert found["override"] == "accept"
    assert evidence(found, "override_accepted_days") == [(1, SETTINGS.reject_days)]
    differing = {name for name in found if found[name] != without[name]}
    assert differing == {"override", "evidence"}


def test_a_word_concerns_its_own_learner_and_skill_only() -> None:
    pin = word("pin", level=2, until=TODAY)
    for other in ({"learner": "bob"}, {"skill_id": "ratios"}, {"subject": "reading"}):
        assert told({**pin, **other}, **consistent(EASY))["recommended_level"] == 6


def test_what_is_in_force_does_not_depend_on_the_order_in_which_it_was_read() -> None:
    given = [word("pin", level=2, until=TODAY), word("reject", back=3, kind="break"), word("reject", kind="level_up")]
    there, back = (in_force(words(*rows), as_of=TODAY, settings=SETTINGS) for rows in (given, given[::-1]))
    assert there.equals(back)
    assert there["rejected"].item().to_list() == ["break", "level_up"]
