"""Which tick comes when, and which would only make again what stands there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.replay.clock import ReplayClock
from aivo_assets.replay.ticks import UpToDate, in_order

START = datetime(2026, 3, 2, tzinfo=UTC)


def hourly(hours: int) -> list[datetime]:
    return [START + timedelta(hours=hours * number) for number in range(100)]


def test_ticks_of_one_instant_come_in_the_order_of_the_schedules() -> None:
    ticks = list(in_order({"slow": hourly(6), "fast": hourly(3)}, until=START + timedelta(hours=7)))
    assert [(tick.at.hour, tick.schedule) for tick in ticks] == [
        (0, "slow"),
        (0, "fast"),
        (3, "fast"),
        (6, "slow"),
        (6, "fast"),
    ]


@given(st.lists(st.lists(st.integers(0, 500), unique=True), min_size=1, max_size=4), st.integers(0, 500))
def test_every_tick_before_the_end_comes_once_and_time_never_goes_back(hours: list[list[int]], end: int) -> None:
    times = {str(place): sorted(START + timedelta(hours=hour) for hour in some) for place, some in enumerate(hours)}
    ticks = list(in_order(times, until=START + timedelta(hours=end)))
    assert [tick.at for tick in ticks] == sorted(tick.at for tick in ticks)
    assert len(ticks) == sum(hour < end for some in hours for hour in some)


def test_an_endless_schedule_ends_with_the_replay() -> None:
    def for_ever() -> Iterator[datetime]:
        at = START
        while True:
            yield at
            at += timedelta(hours=2)

    assert len(list(in_order({"check": for_ever()}, until=START + timedelta(days=1)))) == 12


def test_a_check_that_sees_nothing_new_would_change_nothing() -> None:
    standing = UpToDate()
    assert not standing.would_change_nothing("adaptive_check", "2026-03-02", 10)
    standing.ran("adaptive_check", "2026-03-02", 10)
    assert standing.would_change_nothing("adaptive_check", "2026-03-02", 10)
    assert not standing.would_change_nothing("student_model_update", "2026-03-02", 10)  # a level may have changed
    standing.ran("student_model_update", "2026-03-02", 10)
    assert standing.would_change_nothing("adaptive_check", "2026-03-02", 10)
    assert not standing.would_change_nothing("drift_monitoring", "2026-03-02", 10)


@pytest.mark.parametrize(
    ("partition", "arrived"), [("2026-03-03", 10), ("2026-03-02", 11)], ids=["another day", "new answers"]
)
def test_another_day_or_new_answers_are_something_new(partition: str, arrived: int) -> None:
    standing = UpToDate()
    standing.ran("adaptive_check", "2026-03-02", 10)
    assert not standing.would_change_nothing("adaptive_check", partition, arrived)


@pytest.mark.parametrize("job", ["main_brain_training", "weekly_full_retraining", "emergency_retrain", "late_events"])
def test_a_training_makes_every_check_new(job: str) -> None:
    standing = UpToDate()
    standing.ran("adaptive_check", "2026-03-02", 10)
    standing.ran("drift_monitoring", "2026-03-02", 10)
    standing.ran(job, "2026-03-01", 10)
    assert not standing.would_change_nothing("adaptive_check", "2026-03-02", 10)
    assert not standing.would_change_nothing("drift_monitoring", "2026-03-02", 10)


def test_a_training_is_never_taken_to_change_nothing() -> None:
    standing = UpToDate()
    standing.ran("main_brain_training", "2026-03-01", 10)
    assert not standing.would_change_nothing("main_brain_training", "2026-03-01", 10)


def test_after_a_failure_nothing_is_taken_to_stand() -> None:
    standing = UpToDate()
    standing.ran("adaptive_check", "2026-03-02", 10)
    standing.upset()
    assert not standing.would_change_nothing("adaptive_check", "2026-03-02", 10)


def test_the_clock_stands_until_it_is_moved_and_never_goes_back() -> None:
    clock = ReplayClock(START)
    assert clock.now() == clock.now() == START
    clock.advance(START + timedelta(hours=2))
    assert clock.now() == START + timedelta(hours=2)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(START)
