"""What a value of a source means."""

# ruff: noqa: DTZ001 - times without a zone are what sources hand over

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.errors import SourceError
from aivo_assets.events import conversion
from aivo_assets.events.conversion import TimeReading

START = datetime(2009, 9, 1, tzinfo=UTC)
UTC_READING = TimeReading("UTC", START)
NEW_YORK = TimeReading("America/New_York", START)


def moment(text: str | None, reading: TimeReading = UTC_READING, zone: str | None = None) -> datetime | None:
    zones = None if zone is None else pl.Series("zone", [zone])
    read: datetime | None = conversion.moments(pl.Series("at", [text], dtype=pl.String), zones, reading).item()
    return read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01 10:00:00+00", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01 10:00:00.25-05:30", datetime(2024, 5, 1, 15, 30, 0, 250_000, tzinfo=UTC)),
        ("2024-05-01 10:00", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("90.5", datetime(2009, 9, 1, 0, 1, 30, 500_000, tzinfo=UTC)),
    ],
)
def test_a_time_may_be_written_in_iso_or_as_seconds_since_the_first_event(text: str, meant: datetime) -> None:
    assert moment(text) == meant


@pytest.mark.parametrize("text", ["yesterday", "2024-13-01 00:00:00", "2024-02-30", "infinity", "1e300", "", None])
def test_what_is_no_time_is_null(text: str | None) -> None:
    assert moment(text) is None


def test_a_time_without_an_offset_is_local() -> None:
    assert moment("2024-01-01 10:00:00", NEW_YORK) == datetime(2024, 1, 1, 15, tzinfo=UTC)
    assert moment("2024-01-01 10:00:00Z", NEW_YORK) == datetime(2024, 1, 1, 10, tzinfo=UTC)


def test_the_zone_of_the_row_goes_before_the_zone_of_the_settings() -> None:
    assert moment("2024-01-01 10:00:00", NEW_YORK, zone="Europe/Paris") == datetime(2024, 1, 1, 9, tzinfo=UTC)
    assert moment("2024-01-01 10:00:00", NEW_YORK, zone="") == datetime(2024, 1, 1, 15, tzinfo=UTC)
    assert moment("2024-01-01 10:00:00", NEW_YORK, zone="Mars/Olympus") is None


def test_the_hour_that_the_clock_skips_is_no_time_and_the_one_it_repeats_is_the_first() -> None:
    assert moment("2024-03-10 02:30:00", NEW_YORK) is None
    assert moment("2024-11-03 01:30:00", NEW_YORK) == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)


def test_an_unknown_zone_in_the_settings_is_one_clear_error() -> None:
    with pytest.raises(SourceError, match="no time zone"):
        moment("2024-01-01", TimeReading("Middle/Earth", START))


@settings(deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))
def test_iso_text_reads_back_to_the_microsecond(naive: datetime) -> None:
    assert moment(naive.isoformat(timespec="microseconds")) == naive.replace(tzinfo=UTC)
    assert moment(naive.replace(tzinfo=UTC).isoformat(sep=" ")) == naive.replace(tzinfo=UTC)


def test_naive_and_aware_date_times_of_a_typed_file() -> None:
    naive = pl.Series("at", [datetime(2024, 1, 1, 10)])
    assert conversion.moments(naive, None, NEW_YORK).item() == datetime(2024, 1, 1, 15, tzinfo=UTC)
    aware = naive.dt.replace_time_zone("Europe/Paris")
    assert conversion.moments(aware, None, NEW_YORK).item() == datetime(2024, 1, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"), [("1", 1), ("0.0", 0), ("TRUE", 1), ("false", 0), ("-1", -1), ("0.5", None), ("300", None)]
)
def test_a_flag_is_a_whole_number_or_a_truth_value(text: str, meant: int | None) -> None:
    assert conversion.whole_number(pl.Int8)(pl.Series("correct", [text])).item() == meant


def test_durations_are_rounded_because_they_were_measured() -> None:
    given = pl.Series("ms", ["12.6", "-4", "soon", "inf", "9e30"])
    assert conversion.milliseconds(given).to_list() == [13, -4, None, None, None]


def test_dates_may_carry_a_time_and_must_exist() -> None:
    given = pl.Series("born", ["2001-02-03", "2001-02-03 00:00:00", "2001-02-30", "3/2/2001"])
    assert conversion.date_only(given).to_list() == [date(2001, 2, 3), date(2001, 2, 3), None, None]


def test_missing_differs_from_unreadable() -> None:
    assert conversion.is_missing(pl.Series("n", [None, "x", "0"])).to_list() == [True, False, False]
    assert conversion.is_missing(pl.Series("n", [None, float("nan"), 0.0])).to_list() == [True, True, False]
