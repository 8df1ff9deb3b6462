"""What a value of a source means."""

from datetime import date

import polars as pl
import pytest

from aivo_assets.errors import SourceError
from aivo_assets.events import conversion


def test_whole_floats_read_as_the_identifiers_they_were() -> None:
    assert conversion.text(pl.Series("id", [12.0, 12.5, None, float("nan")])).to_list() == ["12", "12.5", None, None]


def test_text_is_trimmed_and_na_may_be_a_name() -> None:
    assert conversion.text(pl.Series("id", [" a ", "  ", "NA", None])).to_list() == ["a", None, "NA", None]


def test_text_cannot_be_made_of_lists() -> None:
    with pytest.raises(SourceError, match="List"):
        conversion.text(pl.Series("learner_id", [["a"]]))


def test_skills_are_a_sorted_set() -> None:
    assert conversion.skills(pl.Series("s", [["b", " a", "b"], [], [""], None])).to_list() == [
        ["a", "b"],
        None,
        None,
        None,
    ]
    assert conversion.skills(pl.Series("s", [7, None])).to_list() == [["7"], None]


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
    given = pl.Series("n", ["", " NA ", "null", "x", None])
    assert conversion.is_missing(given, as_text=False).to_list() == [True, True, True, False, True]
    assert conversion.is_missing(given, as_text=True).to_list() == [True, False, False, False, True]
