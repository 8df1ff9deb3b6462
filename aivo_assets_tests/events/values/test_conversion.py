"""What a value of a source means."""

from datetime import date

import polars as pl
import pytest

from aivo_assets.events.values import conversion


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
