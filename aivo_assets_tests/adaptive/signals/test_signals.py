"""Signals by hand, and the laws that they keep."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.adaptive.signals.signals import assignment_sizes, compute_signals
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets_tests.adaptive.learners import SETTINGS, SUBJECT, TODAY, answers, day, ladder, mastery, student

BANK = ladder("fractions", "ratios")
TEN = [0.97, 0.95, 0.92, 0.88, 0.80, 0.70, 0.60, 0.50, 0.40, 0.30]


def all_signals(
    *events: pl.DataFrame,
    answers_of_models: pl.DataFrame | None = None,
    students: pl.DataFrame | None = None,
    before: pl.DataFrame | None = None,
    **options: Any,
) -> pl.DataFrame:
    interactions = pl.concat([ANONYMISED_INTERACTIONS.empty(), *events])
    return compute_signals(
        interactions.lazy(),
        BANK,
        SKILL_MASTERY.empty() if answers_of_models is None else answers_of_models,
        STUDENT_MODELS.empty() if students is None else students,
        before,
        as_of=TODAY,
        settings=SETTINGS,
        session_gap_minutes=30,
        interval=0.8,
        **options,
    )


def signal(*events: pl.DataFrame, **options: Any) -> dict[str, Any]:
    found = all_signals(*events, **options)
    assert found.height == 1
    return found.row(0, named=True)


def recommended(
    back: int,
    *,
    current: int,
    level: int,
    since: int | None = None,
    kind: str = "maintain",
    decided: int | None = None,
    passes: bool = False,
) -> pl.DataFrame:
    row = {
        "learner": "ada",
        "day": day(back),
        "subject": SUBJECT,
        "skill_id": "fractions",
        "kind": kind,
        "plan": "practice",
        "current_level": current,
        "recommended_level": level,
        "level_since": None if since is None else day(since),
        "decided_on": day(back if decided is None else decided),
        "passes": passes,
    }
    return pl.DataFrame([row], schema=dict(RECOMMENDATIONS.schema))


def test_recent_accuracy_is_of_the_last_ten_and_overall_of_all() -> None:
    found = signal(answers(back=1, correct=[0] * 8), answers(back=0, correct=[1] * 6))
    assert found["attempts"] == 14
    assert (found["recent_attempts"], found["recent_successes"]) == (10, 6)
    assert found["recent_accuracy"] == pytest.approx(0.6)
    assert found["overall_accuracy"] == pytest.approx(6 / 14)


def test_a_skill_not_practised_in_the_active_window_has_no_row() -> None:
    old = answers(back=SETTINGS.active_days, correct=[1], skills=("ratios",), item="ratios-3")
    found = all_signals(old, answers(back=SETTINGS.active_days - 1, correct=[1]))
    assert found["skill_id"].to_list() == ["fractions"]


def test_an_event_of_two_skills_counts_for_both_and_one_of_them_is_the_latest() -> None:
    found = all_signals(answers(correct=[1, 0], skills=("ratios", "fractions")))
    assert found.select("skill_id", "attempts", "latest").rows() == [("fractions", 2, True), ("ratios", 2, False)]


def test_events_after_the_day_are_not_seen() -> None:
    known = answers(back=1, correct=[1, 1, 0])
    assert_frame_equal(all_signals(known), all_signals(known, answers(back=-1, correct=[0] * 20)))


def test_time_per_task_is_the_response_time_where_known_and_the_pause_elsewhere() -> None:
    timed = signal(answers(correct=[1, 1, 1], response_time_ms=[10_000, 20_000, 90_000]))
    assert (timed["time_per_task_s"], timed["time_source"]) == (20.0, "response")
    paused = signal(answers(correct=[1, 1, 1], gap_s=[40, 50]))
    assert (paused["time_per_task_s"], paused["time_source"]) == (45.0, "gap")
    single = signal(answers(correct=[1]))
    assert (single["time_per_task_s"], single["time_source"]) == (None, None)


def test_hint_use_is_the_share_of_recent_answers_with_a_hint_and_unknown_without_records() -> None:
    assert signal(answers(correct=[1, 1, 1, 1], hint_count=[0, 2, 1, None]))["hint_rate"] == pytest.approx(2 / 3)
    assert signal(answers(correct=[1, 1]))["hint_rate"] is None


def test_completion_is_what_was_done_of_what_an_assignment_has() -> None:
    """Three others did five tasks each; ada did two of the five."""
    others = [
        answers(name, correct=[1] * 5, item=[f"fractions-{k}" for k in range(1, 6)], assignment="a1")
        for name in ("bob", "cyd", "dan")
    ]
    ada = answers(correct=[1, 1], item=["fractions-1", "fractions-2"], assignment="a1")
    sizes = assignment_sizes(pl.concat([*others, ada]).lazy())
    assert sizes.rows() == [("a1", 5.0)]
    assert signal(ada, assignments=sizes)["completion"] == pytest.approx(0.4)
    assert signal(ada)["completion"] is None


def test_the_trend_of_ability_allows_for_difficulty_where_that_of_accuracy_does_not() -> None:
    """Easy tasks first (expected 0.78), hard ones last (expected 0.22): accuracy falls, ability does not."""
    easy = answers(back=5, correct=[1, 1, 1, 0], item="fractions-3")
    hard = answers(back=0, correct=[0, 0, 0, 1], item="fractions-8")
    found = signal(easy, hard, students=student(ability=0.0))
    assert found["accuracy_trend"] == pytest.approx(-0.5)
    assert found["ability_trend"] == pytest.approx(0.05, abs=0.02)


def test_too_few_answers_on_either_side_have_no_trend() -> None:
    found = signal(answers(back=5, correct=[1, 1]), answers(back=0, correct=[0] * 6))
    assert found["accuracy_trend"] is None
    assert found["ability_trend"] is None


def test_the_current_level_is_the_median_of_the_items_lately_practised() -> None:
    found = signal(answers(correct=[1] * 5, item=[f"fractions-{level}" for level in (2, 4, 4, 5, 9)]))
    assert (found["current_level"], found["level_source"]) == (4, "practised")


def test_a_learner_of_unknown_items_stands_where_the_model_puts_the_zone_and_else_in_the_middle() -> None:
    unknown = answers(correct=[1, 1, 1], item="no-such-item")
    by_model = signal(unknown, answers_of_models=mastery(probabilities=TEN))
    assert (by_model["current_level"], by_model["level_source"]) == (5, "model")
    assert signal(unknown)["level_source"] == "middle"


@pytest.mark.parametrize(
    ("practised", "level", "source"),
    [(6, 6, "followed"), (7, 6, "followed"), (5, 5, "kept"), (4, 5, "kept"), (9, 9, "practised"), (1, 1, "practised")],
)
def test_a_level_is_sticky_around_what_was_recommended(practised: int, level: int, source: str) -> None:
    """Recommended 5 → 6 four days ago; four answers since, all at one level."""
    since = answers(back=1, correct=[1] * 4, item=f"fractions-{practised}")
    found = signal(answers(back=6, correct=[1] * 4), since, before=recommended(4, current=5, level=6))
    assert (found["current_level"], found["level_source"]) == (level, source)
    assert found["previous_level"] == 6


def test_a_recommendation_stands_until_practice_speaks_and_one_of_the_same_day_is_not_read() -> None:
    """Recommended 5 → 6 four days ago: without practice since, or with two answers, the learner still is at 5."""
    events = answers(back=6, correct=[1] * 4)
    for since in ([], [answers(back=1, correct=[0, 0])]):
        found = signal(events, *since, before=recommended(4, current=5, level=6))
        assert (found["current_level"], found["level_source"], found["previous_level"]) == (5, "standing", 6)
        assert (found["level_since"], found["answers_since"]) == (None, sum(part.height for part in since))
    assert signal(events, before=recommended(0, current=5, level=6))["previous_day"] is None


def test_answers_are_counted_from_the_decision_and_not_from_the_last_time_that_it_was_told() -> None:
    """Decided five days ago and told again every day: one answer a day speaks after three days."""
    told = pl.concat([recommended(back, current=5, level=6, decided=5) for back in (5, 4, 3, 2, 1)])
    one_a_day = [answers(back=back, correct=[1], item="fractions-6") for back in (4, 2, 0)]
    two = signal(*one_a_day[:2], before=told)
    assert (two["answers_since"], two["level_source"], two["decided_on"]) == (2, "standing", day(5))
    three = signal(*one_a_day, before=told)
    assert (three["answers_since"], three["level_source"], three["current_level"]) == (3, "followed", 6)
    assert (three["level_since"], three["attempts_since_move"]) == (day(5), 3)


def test_a_break_is_no_recommendation_about_the_skill() -> None:
    told = pl.concat(
        [recommended(3, current=5, level=4, kind="level_down"), recommended(1, current=5, level=4, passes=True)]
    )
    found = signal(answers(back=4, correct=[1] * 4), before=told)
    assert (found["previous_day"], found["previous_kind"]) == (day(3), "level_down")


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
def test_of_several_recommendations_the_last_counts_in_whatever_order_they_come(order: list[int]) -> None:
    days = [
        recommended(3, current=5, level=6, kind="level_up"),
        recommended(2, current=5, level=5),
        recommended(1, current=6, level=4, since=2, kind="remediation"),
    ]
    found = signal(answers(back=4, correct=[1] * 4), before=pl.concat([days[place] for place in order]))
    assert (found["previous_day"], found["previous_kind"], found["previous_current_level"]) == (
        day(1),
        "remediation",
        6,
    )
    assert found["previous_level"] == 4


def test_a_recommendation_older_than_the_history_is_forgotten() -> None:
    history = SETTINGS.history_days
    events = answers(correct=[1] * 4)
    assert signal(events, before=recommended(history, current=5, level=5))["previous_day"] == day(history)
    assert signal(events, before=recommended(history + 1, current=5, level=5))["previous_day"] is None


@pytest.mark.parametrize(
    ("level", "gain"),
    # Of 7, level 6 is nearest to 0.70; of 9, it is as far as a move goes.
    [(1, None), (2, 0.97 - 0.95), (7, 0.70 - 0.60), (9, 0.70 - 0.40)],
)
def test_the_gain_of_easier_tasks_is_taken_where_a_move_down_would_go(level: int, gain: float | None) -> None:
    found = signal(answers(correct=[1] * 4, item=f"fractions-{level}"), answers_of_models=mastery(probabilities=TEN))
    assert found["current_level"] == level
    assert found["gain_easier"] == (None if gain is None else pytest.approx(gain, abs=1e-6))


def test_what_was_done_at_a_level_counts_from_the_day_after_the_move() -> None:
    """Moved to 6 four days ago: that day's answers count for the old level, answers at level 9 for none."""
    events = [
        answers(back=4, correct=[1] * 7),
        answers(back=3, correct=[1, 1, 0], item="fractions-6"),
        answers(back=0, correct=[0, 1], item=["fractions-7", "fractions-9"]),
    ]
    found = signal(*events, before=recommended(4, current=5, level=6, kind="level_up"))
    assert (found["attempts_at_level"], found["successes_at_level"], found["failures_at_level"]) == (4, 2, 2)
    assert (found["days_at_level"], found["practice_days_at_level"]) == (4, 2)
    assert found["attempts_since_move"] == 5  # whatever their level
    assert (found["level_since"], found["days_since_move"]) == (day(4), 4)


def test_growth_at_the_level_is_second_half_minus_first() -> None:
    found = signal(answers(correct=[0, 0, 0, 1, 1, 1]))
    assert found["growth_at_level"] == pytest.approx(1.0)
    assert signal(answers(correct=[0, 0, 1, 1, 1]))["growth_at_level"] is None


def test_model_answers_are_those_at_around_and_beside_the_level() -> None:
    """Band 0.6 … 0.8 of mastery: logits 0.405 … 1.386, so the sd is 0.981 / (2 · 1.2816) = 0.383."""
    found = signal(answers(correct=[1] * 3), answers_of_models=mastery(probabilities=TEN))
    assert [found[name] for name in ("p_below", "p_level", "p_above")] == pytest.approx([0.88, 0.80, 0.70])
    assert found["success_sd"] == pytest.approx(0.3827, abs=1e-4)
    assert (found["p_level_lower"], found["p_level_upper"]) == pytest.approx((0.7101, 0.8673), abs=1e-3)
    assert found["model_version"] == "brain-1"


@pytest.mark.parametrize(("level", "below", "above"), [(1, 0.97, 0.95), (10, 0.40, 0.30)])
def test_at_the_ends_of_the_scale_the_neighbour_is_the_level_itself(level: int, below: float, above: float) -> None:
    found = signal(answers(correct=[1] * 3, item=f"fractions-{level}"), answers_of_models=mastery(probabilities=TEN))
    assert (found["p_below"], found["p_above"]) == pytest.approx((below, above))


@pytest.mark.parametrize(("level", "below", "above"), [(1, 0, 1), (2, 1, 1), (5, 3, 1), (10, 3, 0)])
def test_items_around_are_those_of_the_skill_as_far_as_a_move_goes_down_and_one_level_up(
    level: int, below: int, above: int
) -> None:
    found = signal(answers(correct=[1], item=f"fractions-{level}"))
    assert (found["items_below"], found["items_above"]) == (below, above)


def test_a_move_that_nobody_followed_is_no_move() -> None:
    """Told to go from 5 to 4 five days ago: who stays at 5 was never moved, who now works at 4 was."""
    told = recommended(5, current=5, level=4, kind="level_down")
    stayed, went = (answers(back=1, correct=[1] * 4, item=f"fractions-{level}") for level in (6, 3))
    events = answers(back=6, correct=[1] * 4)
    assert [signal(events, since, before=told)["never_moved"] for since in (stayed, went)] == [True, False]


def test_pace_is_answers_a_calendar_day() -> None:
    assert signal(answers(back=4, correct=[1] * 6), answers(back=1, correct=[1] * 4))["pace"] == pytest.approx(2.0)


def test_no_events_give_no_signals_of_the_right_columns() -> None:
    found = all_signals()
    assert found.is_empty()
    assert dict(found.schema) == dict(SIGNALS.schema)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob", "cyd"]),
        st.integers(0, 40),
        st.lists(st.integers(0, 1), min_size=1, max_size=8),
        st.sampled_from(["fractions-2", "fractions-5", "ratios-7"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda event: event[:2],
)


@settings(max_examples=15, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_learners_do_not_depend_on_each_other_nor_on_the_order_of_rows(events: list[Any], random: Any) -> None:
    frames = [
        answers(name, back=back, correct=outcomes, item=item, skills=(item.split("-")[0],), response_time_ms=9_000)
        for name, back, outcomes, item in events
    ]
    interactions = pl.concat(frames)
    shuffled = interactions[random.sample(range(interactions.height), interactions.height)]
    together = all_signals(interactions)
    assert_frame_equal(all_signals(shuffled), together)
    apart = [all_signals(interactions.filter(learner=name)) for name in ("ada", "bob", "cyd")]
    assert_frame_equal(pl.concat(apart), together)
