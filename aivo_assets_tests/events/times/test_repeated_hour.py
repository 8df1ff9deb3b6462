"""Which pass of a repeated hour a local time is of."""

# ruff: noqa: DTZ001 - times without a zone are what sources hand over

from datetime import datetime

import polars as pl
import pytest

from aivo_assets.events.times.repeated_hour import instants

LISBON = "Europe/Lisbon"  # clocks go back from 02:00 to 01:00 on 29 October 2023; before, local time is one hour ahead


def utc(times: list[str | None], learners: list[str] | None = None, zone: str = LISBON) -> list[str | None]:
    local = pl.Series("t", [None if at is None else datetime.fromisoformat(f"2023-10-29 {at}") for at in times])
    whose = None if learners is None else pl.Series(learners)
    return instants(local.cast(pl.Datetime("us")), zone, whose).dt.strftime("%H:%M").to_list()


def test_the_first_pass_is_meant_where_the_order_says_nothing() -> None:
    assert utc(["01:10"]) == ["00:10"]
    assert utc(["00:50", "01:10", "01:50", "02:05"]) == ["23:50", "00:10", "00:50", "02:05"]


def test_what_follows_a_time_that_goes_back_is_of_the_second_pass() -> None:
    assert utc(["01:40", "01:20", "01:20", "01:59", "02:01"]) == ["00:40", "01:20", "01:20", "01:59", "02:01"]


def test_a_file_that_stands_newest_first_is_read_from_its_end() -> None:
    assert utc(["02:01", "01:59", "01:20", "01:40", "00:30"]) == ["02:01", "01:59", "01:20", "00:40", "23:30"]


def test_in_a_file_in_order_of_time_the_row_of_another_learner_tells_as_well() -> None:
    assert utc(["00:10", "01:40", "01:20", "02:30"], ["a", "a", "b", "b"]) == ["23:10", "00:40", "01:20", "02:30"]


def test_where_learners_stand_one_after_the_other_only_their_own_rows_tell() -> None:
    times = ["00:10", "01:40", "03:00", "00:20", "01:20", "01:50", "01:05", "03:00"]
    assert utc(times, list("aaabbbbb")) == ["23:10", "00:40", "03:00", "23:20", "00:20", "00:50", "01:05", "03:00"]


def test_rows_in_no_order_are_of_the_first_pass() -> None:
    times = ["00:10", "01:40", "01:20", "01:50", "01:10", "03:00"]
    assert utc(times, list("aaaaaa")) == ["23:10", "00:40", "00:20", "00:50", "00:10", "03:00"]


@pytest.mark.parametrize("zone", ["Europe/Lisbon", "Australia/Lord_Howe", "UTC"])
def test_other_times_are_as_they_always_were(zone: str) -> None:
    times = [None, "12:00", None, "09:30"]
    local = pl.Series([None, datetime(2023, 10, 29, 12), None, datetime(2023, 10, 29, 9, 30)], dtype=pl.Datetime("us"))
    expected = local.dt.replace_time_zone(zone).dt.convert_time_zone("UTC").dt.strftime("%H:%M").to_list()
    assert utc(times, list("abca"), zone) == expected


def test_a_time_that_the_clock_skips_is_none() -> None:
    local = pl.Series([datetime(2023, 3, 26, 1, 30)], dtype=pl.Datetime("us"))
    assert instants(local, LISBON, None).to_list() == [None]
