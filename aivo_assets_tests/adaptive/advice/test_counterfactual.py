"""A counterfactual is true: put into the signals, it makes the policy say the kind that it names."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.adaptive.advice.counterfactual import ORDER, WAYS, add_counterfactual, with_nearest
from aivo_assets.adaptive.policy.policy import success_zone_policy
from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets.adaptive.policy.threshold_policy import threshold_policy
from aivo_assets_tests.adaptive.learners import SETTINGS, signals
from aivo_assets_tests.adaptive.policy.cases import CASES, EASY, HARD, THRESHOLD_CASES

POLICY = success_zone_policy(SETTINGS)


def explained(rows: pl.DataFrame, policy: Policy = POLICY) -> pl.DataFrame:
    return with_nearest(add_counterfactual(policy.decide(rows), policy, SETTINGS))


def applied(row: dict[str, Any], changes: list[dict[str, Any]]) -> pl.DataFrame:
    """The signals of a row with the changes put in."""
    rows = signals()
    known = {name: row[name] for name in rows.columns}
    for change in changes:
        assert known[change["signal"]] == pytest.approx(change["value"])
        known[change["signal"]] = change["instead"]
    typed = {
        name: pl.Series([value], dtype=pl.Float64).cast(rows.schema[name]).item() if isinstance(value, float) else value
        for name, value in known.items()
    }
    return signals(**typed)


def learners(**choices: list[Any]) -> pl.DataFrame:
    count = max(len(values) for values in choices.values())
    return pl.concat([signals(**{name: values[at] for name, values in choices.items()}) for at in range(count)])


@pytest.mark.parametrize(
    ("policy", "cases"), [(POLICY, CASES), (threshold_policy(), THRESHOLD_CASES)], ids=["success_zone", "threshold"]
)
def test_applied_to_the_signals_each_yields_the_kind_that_it_names(policy: Policy, cases: list[Any]) -> None:
    rows = pl.concat([signals(**case[1]) for case in cases])
    found = explained(rows, policy)
    named = 0
    for row in found.iter_rows(named=True):
        for way in WAYS:
            if row[f"cf_{way}"] is not None:
                said = policy.decide(applied(row, row[f"cf_{way}_changes"]))["kind"].item()
                assert said == row[f"cf_{way}_kind"] != row["kind"]
                named += 1
    assert named >= 8


@settings(max_examples=12, deadline=None)
@given(
    st.floats(0.05, 0.97),
    st.floats(0.05, 1.2),
    st.integers(0, 10),
    st.integers(0, 30),
    st.one_of(st.none(), st.just(1)),
)
def test_it_is_true_whoever_comes(p: float, sd: float, successes: int, attempts: int, moved: int | None) -> None:
    low, high = max(p - 0.15 * sd, 0.02), min(p + 0.15 * sd, 0.98)
    rows = signals(
        p_level=p,
        p_level_lower=low,
        p_level_upper=high,
        p_above=max(p - 0.08, 0.01),
        p_below=min(p + 0.08, 0.99),
        success_sd=sd,
        recent_successes=successes,
        recent_accuracy=successes / 10,
        attempts_at_level=attempts,
        days_since_move=moved,
    )
    row = explained(rows).row(0, named=True)
    if row["counterfactual_kind"] is None:
        assert row["counterfactual_changes"] == []
    else:
        again = POLICY.decide(applied(row, row["counterfactual_changes"]))
        assert again["kind"].item() == row["counterfactual_kind"]


def test_fewer_answers_than_it_says_would_not_do() -> None:
    row = explained(signals(**EASY, attempts_at_level=7)).row(0, named=True)
    assert (row["kind"], row["cf_right"], row["cf_right_kind"]) == ("enrichment", 3, "level_up")


def test_right_answers_lead_up_and_wrong_ones_down() -> None:
    rows = pl.concat([signals(**case[1]) for case in CASES])
    place = {**{name: float(number) for number, name in enumerate(ORDER)}, "change_approach": 1.5}
    found = explained(rows)
    for row in found.iter_rows(named=True):
        if row["cf_right"] is not None:
            assert place[row["cf_right_kind"]] > place[row["kind"]]
            assert row["cf_right_kind"] in ORDER
        if row["cf_wrong"] is not None:
            assert place[row["cf_wrong_kind"]] < place[row["kind"]]
            assert row["cf_wrong_kind"] in ORDER


def test_where_no_hints_are_recorded_answers_record_none() -> None:
    row = explained(signals(**EASY)).row(0, named=True)
    assert row["hint_rate"] is None
    assert "hint_rate" not in {change["signal"] for change in row["cf_wrong_changes"]}
    assert row["cf_wrong_kind"] != "change_approach"


def test_a_break_ends_with_its_session() -> None:
    row = explained(signals(**HARD, working_minutes=55.0, focus=0.2)).row(0, named=True)
    assert (row["kind"], row["counterfactual_kind"]) == ("break", "level_down")
    assert row["counterfactual_changes"] == [{"signal": "session_current", "value": 1.0, "instead": 0.0}]


@pytest.mark.parametrize(("since", "fewest"), [(None, 3), (8, 3), (0, 3), (1, 2), (2, 1)])
def test_no_fewer_answers_are_named_than_the_next_decision_waits_for(since: int | None, fewest: int) -> None:
    """Success hangs on the threshold, so one wrong answer would do; but a move that is asked for stands for three."""
    stands = {"previous_rule": "level_up", "previous_policy_level": 6, "previous_priority": "medium"}
    hanging = {**EASY, "p_level": 0.853, "recent_successes": 9, "answers_since": since, "answers_new": since}
    row = explained(signals(**stands, **hanging, success_sd=0.9)).row(0, named=True)
    assert (row["kind"], row["stands"]) == ("level_up", since is not None and since < 3)
    assert (row["cf_wrong"], row["cf_wrong_kind"]) == (fewest, "maintain")


def test_to_carry_on_is_looked_at_anew_with_every_answer() -> None:
    hanging = {"p_level": 0.605, "p_below": 0.75, "recent_successes": 6, "recent_accuracy": 0.6}
    row = explained(signals(**hanging, success_sd=0.9)).row(0, named=True)
    assert (row["kind"], row["cf_wrong"], row["cf_wrong_kind"]) == ("maintain", 1, "level_down")


def test_without_a_model_answers_are_not_said_to_move_it() -> None:
    row = explained(signals(p_level=None, p_above=None, p_below=None, success_sd=None)).row(0, named=True)
    assert row["counterfactual_kind"] is None


def test_a_learners_counterfactual_does_not_depend_on_the_company() -> None:
    rows = pl.concat([signals(learner=str(place), **case[1]) for place, case in enumerate(CASES)])
    together = explained(rows)
    for place in (0, 5, 11):
        alone = explained(rows[place : place + 1])
        assert alone.equals(together[place : place + 1])
