"""What a value of a column of times means, and what is said of one that means nothing."""

# ruff: noqa: DTZ001 - times without a zone are what sources hand over

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.events.times.counted import EPOCH, Counted
from aivo_assets.events.times.reading import TimeReading, moments, reasons

IN_UTC = TimeReading()
NEW_YORK = TimeReading("America/New_York")


def moment(text: str | None, reading: TimeReading = IN_UTC, zone: str | None = None) -> datetime | None:
    zones = None if zone is None else pl.Series("zone", [zone])
    read: datetime | None = moments(pl.Series("at", [text], dtype=pl.String), zones, reading).item()
    return read


def reason(text: str, reading: TimeReading = IN_UTC, zone: str | None = None) -> str:
    zones = None if zone is None else pl.Series("zone", [zone])
    return str(reasons(pl.Series("at", [text]), zones, reading).item())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01 10:00:00+00", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01 10:00:00.25-05:30", datetime(2024, 5, 1, 15, 30, 0, 250_000, tzinfo=UTC)),
        ("2024-05-01 10:00:00,25", datetime(2024, 5, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-5-1 7:05", datetime(2024, 5, 1, 7, 5, tzinfo=UTC)),
        ("2024/05/01 07:05:09 PM", datetime(2024, 5, 1, 19, 5, 9, tzinfo=UTC)),
        ("2024-05-01 12:05 am", datetime(2024, 5, 1, 0, 5, tzinfo=UTC)),
        ("2024-05-01", datetime(2024, 5, 1, tzinfo=UTC)),
        ("20240501T100000Z", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01T10:00+02:00[Europe/Paris]", datetime(2024, 5, 1, 8, tzinfo=UTC)),
        ("2024-05-01 10:00 Europe/Athens", datetime(2024, 5, 1, 7, tzinfo=UTC)),
        ("2024-05-01 10:00:00 UTC+3", datetime(2024, 5, 1, 7, tzinfo=UTC)),
        ("1 May 2024, 10:07 PM", datetime(2024, 5, 1, 22, 7, tzinfo=UTC)),
        ("Wednesday, 1 May 2024, 9:05 AM", datetime(2024, 5, 1, 9, 5, tzinfo=UTC)),
        ("May 1, 2024", datetime(2024, 5, 1, tzinfo=UTC)),
        ("01-Sep-2023 06:00:00", datetime(2023, 9, 1, 6, tzinfo=UTC)),
        ("Wed May  1 09:05:00 UTC 2024", datetime(2024, 5, 1, 9, 5, tzinfo=UTC)),
        ("Wed May 01 2024 09:00:00 GMT+0200 (CEST)", datetime(2024, 5, 1, 7, tzinfo=UTC)),
    ],
)
def test_forms_that_cannot_be_mistaken_are_read(text: str, meant: datetime) -> None:
    assert moment(text) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yesterday", "is not a date and time"),
        ("00:12:13", "is not a date and time"),
        ("2024-13-01 00:00:00", "does not exist"),
        ("2024-02-30", "does not exist"),
        ("2024-05-01 13:05 PM", "does not exist"),
        ("1 Foo 2024", "does not exist"),
        ("07/08/2023 10:00", "day or month comes first"),
        ("7.8.2023", "day or month comes first"),
        ("07/08/23", "two digits"),
        ("1693526400", "what it counts is not known"),
        ("1.69353E+12", "rounded by a spreadsheet"),
        ("2024-05-01 10:00 IST", "time zone IST, which is not known"),
        ("2024-05-01 10:00 Ada_Lovelace_of_London", "of an unusual form"),
    ],
)
def test_what_is_no_time_says_why(text: str, said: str) -> None:
    assert moment(text) is None
    assert said in reason(text)


@pytest.mark.parametrize("text", ["infinity", "1e300", "", None])
def test_what_stands_for_nothing_is_null(text: str | None) -> None:
    assert moment(text) is None


def test_day_or_month_first_is_what_the_reading_says() -> None:
    assert moment("07/08/2023 9:05", TimeReading(day_first=True)) == datetime(2023, 8, 7, 9, 5, tzinfo=UTC)
    assert moment("07.08.2023", TimeReading(day_first=False)) == datetime(2023, 7, 8, tzinfo=UTC)
    assert "does not exist" in reason("08/31/2023", TimeReading(day_first=True))


@pytest.mark.parametrize(
    ("number", "counted", "meant"),
    [
        ("1693526400", Counted("s", EPOCH), datetime(2023, 9, 1, tzinfo=UTC)),
        ("1693526400.5", Counted("s", EPOCH), datetime(2023, 9, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("1693526400250", Counted("ms", EPOCH), datetime(2023, 9, 1, 0, 0, 0, 250_000, tzinfo=UTC)),
        ("1693526400000007", Counted("us", EPOCH), datetime(2023, 9, 1, 0, 0, 0, 7, tzinfo=UTC)),
        ("1693526400000007999", Counted("ns", EPOCH), datetime(2023, 9, 1, 0, 0, 0, 7, tzinfo=UTC)),
        ("90500", Counted("ms", datetime(2010, 1, 1, tzinfo=UTC)), datetime(2010, 1, 1, 0, 1, 30, 500_000, tzinfo=UTC)),
    ],
)
def test_numbers_count_what_the_reading_says(number: str, counted: Counted, meant: datetime) -> None:
    assert moment(number, TimeReading(counted=counted)) == meant
    typed = pl.Series("at", [float(number) if "." in number else int(number)])
    assert moments(typed, None, TimeReading(counted=counted)).item() == meant


def test_a_number_before_the_first_event_is_no_time() -> None:
    reading = TimeReading(counted=Counted("ms", datetime(2010, 1, 1, tzinfo=UTC)))
    assert moment("-1", reading) is None
    assert "before the first event" in reason("-1", reading)


def test_days_of_excel_are_local_and_of_whole_seconds() -> None:
    berlin = TimeReading("Europe/Berlin", Counted("excel"))
    assert moment("45170.5", berlin) == datetime(2023, 9, 1, 10, tzinfo=UTC)
    assert moment("45170.39652", berlin) == datetime(2023, 9, 1, 7, 30, 59, tzinfo=UTC)
    assert moment("43708.5", TimeReading(counted=Counted("excel1904"))) == datetime(2023, 9, 1, 12, tzinfo=UTC)


def test_a_format_reads_what_fits_it_with_seconds_or_without_and_nothing_else() -> None:
    reading = TimeReading(formats=("%d.%m.%y %H:%M", "%Y%m%d"))
    assert moment("31.08.23 7:05", reading) == datetime(2023, 8, 31, 7, 5, tzinfo=UTC)
    assert moment("31.08.23 07:05:30", reading) == datetime(2023, 8, 31, 7, 5, 30, tzinfo=UTC)
    assert moments(pl.Series("at", [20230831]), None, reading).item() == datetime(2023, 8, 31, tzinfo=UTC)
    assert moment("2023-08-31", reading) is None
    assert "--time-format" in reason("2023-08-31", reading)


def test_a_time_without_an_offset_is_local() -> None:
    assert moment("2024-01-01 10:00:00", NEW_YORK) == datetime(2024, 1, 1, 15, tzinfo=UTC)
    assert moment("2024-01-01 10:00:00Z", NEW_YORK) == datetime(2024, 1, 1, 10, tzinfo=UTC)


def test_the_zone_of_the_value_goes_before_that_of_the_row_and_that_before_the_setting() -> None:
    assert moment("2024-01-01 10:00:00", NEW_YORK, zone="Europe/Paris") == datetime(2024, 1, 1, 9, tzinfo=UTC)
    assert moment("2024-01-01 10:00:00", NEW_YORK, zone="") == datetime(2024, 1, 1, 15, tzinfo=UTC)
    assert moment("2024-01-01 10:00:00 PST", NEW_YORK, zone="Europe/Paris") == datetime(2024, 1, 1, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("EDT", 14), ("CST", 16), ("MDT", 16), ("PST", 18), ("US/Mountain", 16), ("CEST", 8), ("gmt", 10)],
)
def test_abbreviations_that_mean_one_offset_are_that_offset(zone: str, hour: int) -> None:
    assert moment("2010-07-01 10:00:00", zone=zone) == datetime(2010, 7, 1, hour, tzinfo=UTC)


def test_a_zone_that_is_not_known_is_named_and_may_be_given_a_meaning() -> None:
    assert moment("2024-01-01 10:00:00", zone="BST") is None
    assert "time zone BST" in reason("2024-01-01 10:00:00", zone="BST")
    dhaka = TimeReading(zones={"BST": "Asia/Dhaka"})
    assert moment("2024-01-01 10:00:00", dhaka, zone="BST") == datetime(2024, 1, 1, 4, tzinfo=UTC)


def test_the_hour_that_the_clock_skips_says_so_and_the_one_it_repeats_is_the_first() -> None:
    assert moment("2024-03-10 02:30:00", NEW_YORK) is None
    assert reason("2024-03-10 02:30:00", NEW_YORK) == "occurred_at is an hour that the clock of America/New_York skips"
    assert moment("2024-11-03 01:30:00", NEW_YORK) == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)


@settings(deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))
def test_what_is_written_reads_back(naive: datetime) -> None:
    assert moment(naive.isoformat(timespec="microseconds")) == naive.replace(tzinfo=UTC)
    assert moment(naive.replace(tzinfo=UTC).isoformat(sep=" ")) == naive.replace(tzinfo=UTC)
    minute = naive.replace(second=0, microsecond=0, tzinfo=UTC)
    assert moment(f"{naive:%d/%m/%Y %H:%M}", TimeReading(day_first=True)) == minute
    assert moment(f"{naive:%b %d, %Y %I:%M %p}") == minute


def test_naive_and_aware_date_times_of_a_typed_file() -> None:
    naive = pl.Series("at", [datetime(2024, 1, 1, 10)])
    assert moments(naive, None, NEW_YORK).item() == datetime(2024, 1, 1, 15, tzinfo=UTC)
    aware = naive.dt.replace_time_zone("Europe/Paris")
    assert moments(aware, None, NEW_YORK).item() == datetime(2024, 1, 1, 9, tzinfo=UTC)
    assert moments(pl.Series("at", [True]), None, NEW_YORK).item() is None
