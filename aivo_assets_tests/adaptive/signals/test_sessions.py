"""The clock, sessions, focus, tiredness and streaks, each by hand."""

import polars as pl
import pytest

from aivo_assets.adaptive.signals.sessions import last_session, streaks, timeline
from aivo_assets_tests.adaptive.learners import SETTINGS, TODAY, answers


def session(events: pl.DataFrame, *, expected: float = 0.5, typical_s: float | None = 40.0) -> dict[str, object]:
    ordered = timeline(events.lazy(), session_gap_minutes=30).with_columns(
        expected=pl.lit(expected), typical_time_s=pl.lit(typical_s, dtype=pl.Float64)
    )
    return last_session(ordered, as_of=TODAY, settings=SETTINGS).collect().row(0, named=True)


def test_the_clock_adds_exact_gaps_to_the_first_coarse_time_of_a_day() -> None:
    events = answers(correct=[1, 1, 1], gap_s=[7, 100]).with_columns(pl.col("occurred_at").dt.truncate("1m"))
    at = timeline(events.lazy(), session_gap_minutes=30).collect()["at_s"]
    assert (at - at[0]).to_list() == [0, 7, 107]


def test_a_pause_beyond_the_gap_starts_a_new_session() -> None:
    events = answers(correct=[1, 0, 1, 1], gap_s=[60, 31 * 60, 90])
    found = session(events)
    assert found["session_events"] == 2
    assert found["session_minutes"] == pytest.approx(1.5)


def test_a_pause_of_just_the_gap_does_not() -> None:
    assert session(answers(correct=[1, 1], gap_s=30 * 60))["session_events"] == 2


def test_a_session_runs_on_past_midnight() -> None:
    late = answers(back=1, correct=[1, 1], gap_s=10 * 60, hour=23).with_columns(
        pl.col("occurred_at") + pl.duration(minutes=45)
    )
    early = answers(back=0, correct=[1], hour=0).with_columns(pl.col("occurred_at") + pl.duration(minutes=5))
    found = session(pl.concat([late, early]))
    assert found["session_events"] == 3
    assert found["session_minutes"] == pytest.approx(20)


def test_the_session_id_of_the_source_parts_sessions_without_a_pause() -> None:
    events = answers(correct=[1, 1, 1], session=["a", "a", "b"])
    assert session(events)["session_events"] == 1


def test_the_time_of_the_first_answer_belongs_to_the_session() -> None:
    found = session(answers(correct=[1, 1], gap_s=60, response_time_ms=30_000))
    assert found["session_minutes"] == pytest.approx(1.5)


def test_a_pause_too_long_for_an_exercise_is_no_work() -> None:
    """Typical 40 s, so 200 s at most: 60 s count; 24 pauses of 7.5 minutes are 24 answers of 40 s each, not 3 hours."""
    found = session(answers(correct=[1] * 26, gap_s=[60] + [450] * 24))
    assert found["session_minutes"] == pytest.approx(181)
    assert found["working_minutes"] == pytest.approx((60 + 24 * 40) / 60)


def test_what_was_really_answered_for_long_counts_up_to_the_limit() -> None:
    """200 s are the limit: of 300 s that an answer took 200 s count, of 150 s all."""
    long = session(answers(correct=[1, 1], gap_s=400, response_time_ms=[0, 300_000]))
    assert long["working_minutes"] == pytest.approx(200 / 60)
    assert session(answers(correct=[1, 1], gap_s=400, response_time_ms=[0, 150_000]))["working_minutes"] == 2.5


@pytest.mark.parametrize(
    ("typical_s", "gap_s", "minutes"),
    [
        (2.0, 120, 2.0),
        (2.0, 121, 2 / 60),
        (200.0, 600, 10.0),
        (200.0, 601, 200 / 60),
        (None, 600, 10.0),
        (None, 601, 0),
    ],
)
def test_the_limit_is_two_minutes_at_least_and_ten_at_most(typical_s: float | None, gap_s: int, minutes: float) -> None:
    assert session(answers(correct=[1, 1], gap_s=gap_s), typical_s=typical_s)["working_minutes"] == pytest.approx(
        minutes
    )


def test_a_session_is_current_on_the_as_of_day_only() -> None:
    assert session(answers(back=0, correct=[1]))["session_current"] is True
    assert session(answers(back=1, correct=[1]))["session_current"] is False


def test_focus_is_that_of_the_source_where_it_gives_one() -> None:
    found = session(answers(correct=[1, 1], focus=[0.2, 0.6], response_time_ms=40_000))
    assert found["focus"] == pytest.approx(0.4)
    assert found["focus_source"] == "given"


def test_rapid_guesses_are_answers_below_a_tenth_of_the_typical_time() -> None:
    """Typical 40 s, so below 4 s: three of ten are rapid, the others take 40 s each: effort 0.7, steady."""
    times = [3_900, 1_000, 500] + [40_000] * 7
    found = session(answers(correct=[1] * 10, response_time_ms=times))
    assert found["focus"] == pytest.approx(0.7)
    assert found["focus_source"] == "derived"


def test_no_answer_slower_than_ten_seconds_is_a_rapid_guess() -> None:
    found = session(answers(correct=[1] * 5, response_time_ms=11_000), typical_s=600.0)
    assert found["focus"] == pytest.approx(1.0)


def test_without_a_typical_time_answers_below_three_seconds_are_rapid() -> None:
    times = [2_900, 2_900, 3_100, 3_100, 3_100]
    assert session(answers(correct=[1] * 5, response_time_ms=times), typical_s=None)["focus"] == pytest.approx(0.6)


def test_uneven_response_times_halve_focus_at_most() -> None:
    """4 s to 40 000 s: the standard deviation of the logs is far beyond 1.8."""
    times = [5_000, 40_000_000, 5_000, 40_000_000, 5_000, 40_000_000]
    assert session(answers(correct=[1] * 6, response_time_ms=times))["focus"] == pytest.approx(0.5)


@pytest.mark.parametrize("times", [None, [None, None, None, None, 40_000]])
def test_focus_is_unknown_where_response_times_are(times: list[int | None] | None) -> None:
    found = session(answers(correct=[1] * 5, response_time_ms=times))
    assert found["focus"] is None
    assert found["focus_source"] is None


def test_tiredness_is_the_fall_from_the_first_half_to_the_second() -> None:
    """8 of 8, then 2 of 8: a fall of 0.75; noise sqrt(0.25 · (1/8 + 1/8)) = 0.25, so three standard errors."""
    found = session(answers(correct=[1] * 8 + [1, 1, 0, 0, 0, 0, 0, 0]))
    assert found["session_first_half"] == 1.0
    assert found["session_second_half"] == 0.25
    assert found["session_fall"] == pytest.approx(0.75)
    assert found["session_fall_z"] == pytest.approx(3.0)


def test_harder_tasks_at_the_end_are_no_tiredness() -> None:
    events = answers(correct=[1] * 8 + [1, 1, 0, 0, 0, 0, 0, 0])
    ordered = timeline(events.lazy(), session_gap_minutes=30).with_columns(
        expected=pl.when(pl.col("sequence") < 8).then(0.95).otherwise(0.20), typical_time_s=pl.lit(40.0)
    )
    found = last_session(ordered, as_of=TODAY, settings=SETTINGS).collect().row(0, named=True)
    assert found["session_fall"] == pytest.approx(0.0)


def test_nothing_is_said_of_tiredness_in_a_short_session() -> None:
    found = session(answers(correct=[1, 1, 1, 0, 0, 0, 0, 0, 0]))
    assert found["session_fall"] is None
    assert found["session_first_half"] is None


@pytest.mark.parametrize(
    ("days_back", "streak"),
    [([0], 1), ([1], 1), ([2], 0), ([0, 1, 2], 3), ([1, 2, 3, 5], 3), ([0, 2, 3], 1), ([0, 1, 3, 4, 5], 2)],
)
def test_a_streak_counts_days_in_a_row_up_to_today_or_yesterday(days_back: list[int], streak: int) -> None:
    events = pl.concat([answers(back=back, correct=[1, 0]) for back in days_back])
    assert streaks(events.lazy(), as_of=TODAY).collect()["streak_days"].to_list() == [streak]
