"""What a whole column shows of its times, and where nobody can know."""

from datetime import UTC, datetime, time, timedelta

import polars as pl
import pytest

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.times.counted import EPOCH, Counted, Unit
from aivo_assets.events.times.reading import TimeReading
from aivo_assets.events.times.survey import Asked, TimeSurvey, decide, formats_of, looks_like_times

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SCHOOL_YEAR = datetime(2015, 9, 1, tzinfo=UTC)


def asked(unit: Unit | None = None, time_format: str | None = None, zone: str = "UTC") -> Asked:
    day_first, formats = formats_of(time_format)
    return Asked(unit, formats, day_first, zone, {}, SCHOOL_YEAR, first_event_is_set=False)


def decided(values: list[object], how: Asked | None = None, *, parts: int = 1) -> tuple[TimeReading, str]:
    survey = TimeSurvey(NOW, (how or asked()).formats)
    for part in range(parts):
        survey.add(pl.Series("at", values[part::parts]))
    reading, notes = decide(survey, how or asked(), column="when", place="answers.csv")
    return reading, "; ".join(notes)


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000)])
@pytest.mark.parametrize("as_text", [True, False])
def test_counts_since_1970_are_clear_and_the_inference_is_told(unit: Unit, factor: int, *, as_text: bool) -> None:
    values = [(1_262_304_000 + 86_400 * n) * factor for n in range(40)]
    reading, told = decided([str(value) for value in values] if as_text else list(values), parts=3)
    assert reading.counted == Counted(unit, EPOCH)
    assert "inferred" in told
    assert "2010-01-01 00:00:00" in told


def test_one_bad_number_in_ten_leaves_it_clear() -> None:
    assert decided([1_600_000_000 + n for n in range(19)] + [-1])[0].counted == Counted("s", EPOCH)


@pytest.mark.parametrize(
    "values",
    [
        [0, 25_000, 65_000, 3_690_000],  # milliseconds since the learner's first event
        [4_711, 38_503, 8_927],  # time that an answer took
        [45_170.5, 45_171.25],  # Excel, or seconds
        [0, 700_000_000, 900_000_000, 100_000, 5],  # milliseconds that reach into the seconds since 1970
        ["12", "13.5", "99"],
    ],
)
def test_small_numbers_do_not_tell_their_unit(values: list[object]) -> None:
    with pytest.raises(SourceError, match=r"'when' holds numbers \('.*not clear") as error:
        decided(values)
    assert "--time-unit" in error.value.fix
    assert "--map occurred_at" in error.value.fix


def test_a_unit_that_is_given_counts_from_the_first_event_or_from_1970_as_the_size_shows() -> None:
    reading, told = decided([0, 25_000, 65_000], asked("ms"))
    assert reading.counted == Counted("ms", SCHOOL_YEAR)
    assert "2015-09-01" in told
    assert decided([1_565_332_027_449], asked("ms"))[0].counted == Counted("ms", EPOCH)
    assert decided([45_170.5], asked("excel"))[0].counted == Counted("excel")


def test_a_unit_that_makes_impossible_years_is_refused_with_the_one_that_fits() -> None:
    with pytest.raises(SourceError, match="do not lie between 1990 and now") as error:
        decided([1_565_332_047_000, 1_565_332_087_000], asked("s"))
    assert "--time-unit ms" in error.value.fix


def test_numbers_that_are_dates_of_digits_are_read_as_such() -> None:
    assert decided(["20190203", "20191231"])[0].formats == ("%Y%m%d",)
    assert decided([20190203140509, 20191231000000])[0].formats == ("%Y%m%d%H%M%S",)
    with pytest.raises(SourceError, match="not clear"):
        decided(["20190203", "20224007"])


def test_the_order_of_day_and_month_is_inferred_from_the_whole_column_and_told() -> None:
    reading, told = decided(["01/02/2023 10:00", "03/02/2023 10:00", "31/01/2023 10:00"], parts=2)
    assert reading.day_first is True
    assert "'31/01/2023 10:00'" in told
    assert decided(["1/2/2023", "1/31/2023"])[0].day_first is False


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["01/02/2023", "03/04/2023"], "whether day or month comes first: '01/02/2023', '03/04/2023'"),
        (["31/01/2023", "01/31/2023", "02/02/2023"], "day first .'31/01/2023'. and dates with the month first"),
        (["1:05", "2:07", "0:12"], "does not look like dates and times: '1:05', '2:07', '0:12'"),
        (["late", "early"], "does not look like dates"),
        (["05/04/23 10:00", "25/04/23 10:00"], "does not look like dates"),
    ],
)
def test_where_nobody_can_know_three_values_and_the_option_are_named(values: list[object], said: str) -> None:
    with pytest.raises(SourceError, match=said) as error:
        decided(values)
    assert "--time-format" in error.value.fix or "Correct the export" in error.value.fix


def test_a_format_that_is_given_decides() -> None:
    assert decided(["01/02/2023"], asked(time_format="month-first"))[0].day_first is False
    assert decided(["05/04/23 10:00"], asked(time_format="%d/%m/%y %H:%M"))[0].formats == ("%d/%m/%y %H:%M",)


@pytest.mark.parametrize("given", ["dd/mm/yyyy", "%H:%M", "%Q", "", "day first"])
def test_what_is_no_format_of_a_date_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="--time-format"):
        formats_of(given)


def test_a_few_dates_that_do_not_tell_are_left_to_be_set_aside() -> None:
    reading, told = decided([f"2023-05-{day:02d} 10:00" for day in range(1, 29)] + ["01/02/2023"])
    assert reading.day_first is None
    assert "'01/02/2023'" in told


def test_days_without_a_time_of_day_are_told() -> None:
    assert "stay in the order of the rows" in decided(["2023-05-01", "2023-05-02"])[1]
    assert "stay in the order" not in decided(["2023-05-01 10:00", "2023-05-02"])[1]


def test_a_column_without_values_decides_nothing() -> None:
    assert decided([None, None])[0] == TimeReading()


def test_columns_that_could_be_times_are_recognised() -> None:
    assert looks_like_times(pl.Series([1_675_728_000_000, 1_675_728_015_000]), NOW)
    assert looks_like_times(pl.Series(["2023-05-01", "2023-05-02"]), NOW)
    assert looks_like_times(pl.Series([NOW - timedelta(days=3)]), NOW)
    assert not looks_like_times(pl.Series([38_503, 8_927]), NOW)
    assert not looks_like_times(pl.Series(["a", "b"]), NOW)


@pytest.mark.parametrize("values", [[timedelta(seconds=3), timedelta(seconds=8)], [time(9, 5)]])
def test_durations_and_times_of_day_by_type_are_no_times(values: list[object]) -> None:
    with pytest.raises(SourceError, match="does not look like dates and times"):
        decided(values)


@pytest.mark.parametrize(
    ("values", "how", "said"),
    [
        ([1_650_000_000, 1_650_000_300], asked("ms"), "all of them are seconds since 1970"),
        ([41, 37_900, 512], asked("excel"), "do not lie between 1990 and now"),
        ([1_650_000_000, 1_650_000_300], asked("excel"), "do not lie between 1990 and now"),
        (["2022-06-01 9:00", "2022-06-02 9:00"], asked(time_format="%d.%m.%Y %H:%M"), "2 of 2 do not have the format"),
    ],
)
def test_what_the_settings_say_is_refused_where_the_values_contradict_it(
    values: list[object], how: Asked, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        decided(values, how)


def test_a_unit_for_text_is_told_to_be_of_no_use_and_one_beside_a_format_is_refused() -> None:
    assert "--time-unit ms is not used" in decided(["2022-06-01 09:00"], asked("ms"))[1]
    with pytest.raises(SettingsError, match="both are given"):
        decided(["2022-06-01 09:00"], asked("ms", "%Y-%m-%d %H:%M"))
