"""A clock that begins in the past and runs fast: every process sees the same present, and it never goes back."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.errors import SettingsError
from aivo_assets.operations.server.fast_clock import BEGINNING, FastClock, platform_time, set_going
from aivo_assets.settings import Settings

BEGAN = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
START = date(2025, 9, 17)
MIDNIGHT = datetime(2025, 9, 17, tzinfo=UTC)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def place(home: Path, start: date | None = START, speed: float = 360) -> Settings:
    return Settings.model_validate({"home": home, "clock": {"start": start, "speed": speed}})


def test_without_a_start_it_is_the_machines_clock_and_leaves_no_trace(tmp_path: Path) -> None:
    assert platform_time(place(tmp_path, start=None), BEGAN) == BEGAN
    assert not list(tmp_path.iterdir())


def test_it_stands_at_midnight_until_it_is_set_going_and_then_a_day_takes_four_minutes(tmp_path: Path) -> None:
    settings = place(tmp_path / "new home")
    assert platform_time(settings, BEGAN - timedelta(hours=1)) == MIDNIGHT
    assert platform_time(settings, BEGAN) == MIDNIGHT
    assert not list(tmp_path.iterdir())  # asking leaves no trace
    set_going(settings, BEGAN)
    assert platform_time(settings, BEGAN) == MIDNIGHT
    assert platform_time(settings, BEGAN + timedelta(minutes=1)) == MIDNIGHT + timedelta(hours=6)
    assert platform_time(settings, BEGAN + timedelta(minutes=4)) == MIDNIGHT + timedelta(days=1)
    kept = json.loads((tmp_path / "new home" / BEGINNING).read_text())
    assert kept == {"began": BEGAN.isoformat(), "start": "2025-09-17", "speed": 360.0}


def test_it_is_set_going_once_and_everybody_agrees(tmp_path: Path) -> None:
    set_going(place(tmp_path), BEGAN)
    later = BEGAN + timedelta(minutes=3)
    set_going(place(tmp_path), later)
    assert platform_time(place(tmp_path), later) == MIDNIGHT + timedelta(hours=18)
    assert [path.name for path in tmp_path.iterdir()] == [BEGINNING]


@pytest.mark.parametrize(("start", "speed"), [(START, 120), (START, 720), (START - timedelta(days=1), 360)])
def test_a_clock_that_runs_is_not_set_otherwise_for_it_might_go_back(tmp_path: Path, start: date, speed: float) -> None:
    set_going(place(tmp_path), BEGAN)
    with pytest.raises(SettingsError, match="was set going at 2025-09-17 with speed 360") as refused:
        platform_time(place(tmp_path, start, speed), BEGAN + timedelta(minutes=3))
    assert "take a new AIVO_HOME" in refused.value.fix


def test_the_machines_clock_needs_no_setting_going(tmp_path: Path) -> None:
    set_going(place(tmp_path, start=None), BEGAN)
    assert not list(tmp_path.iterdir())


@given(a=instants, b=instants, speed=st.floats(1, 1e5))
def test_it_never_goes_back_never_passes_the_present_and_is_not_slower_until_then(
    a: datetime, b: datetime, speed: float
) -> None:
    clock = FastClock(MIDNIGHT, BEGAN, speed)
    earlier, later = min(a, b), max(a, b)
    assert clock.at(earlier) <= clock.at(later) <= max(later, MIDNIGHT)
    if clock.at(later) < later and earlier >= BEGAN:
        rounding = timedelta(microseconds=2)
        assert clock.at(later) - clock.at(earlier) >= later - earlier - rounding


def test_once_it_has_caught_up_it_goes_on_with_the_machines_clock() -> None:
    clock = FastClock(MIDNIGHT, BEGAN, 1e6)
    caught_up = BEGAN + timedelta(minutes=10)
    assert clock.at(caught_up) == caught_up
    assert clock.at(caught_up + timedelta(hours=1)) == caught_up + timedelta(hours=1)


def test_a_start_in_the_future_is_refused(tmp_path: Path) -> None:
    for use in (platform_time, set_going):
        with pytest.raises(SettingsError, match="lies in the future"):
            use(place(tmp_path, start=date(2027, 1, 1)), BEGAN)


@pytest.mark.parametrize("content", ["", "{}", '{"began": "yesterday"}', '{"began": 5}'])
def test_a_beginning_that_cannot_be_read_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / BEGINNING).write_text(content)
    with pytest.raises(SettingsError, match="beginning of the platform's clock"):
        platform_time(place(tmp_path), BEGAN)
