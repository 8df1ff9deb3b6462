"""Dates, percentages and plurals as the languages of CLDR write them."""

from datetime import UTC, date, datetime

import pytest

from aivo_assets.errors import SettingsError
from aivo_assets.language import Language

AT = datetime(2027, 3, 5, 7, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "day", "instant", "percent"),
    [
        ("en", "5 Mar 2027", "5 Mar 2027, 07:04", ("", "%")),
        ("de", "05.03.2027", "05.03.2027, 07:04", ("", "\N{NO-BREAK SPACE}%")),
        ("tr", "5 Mar 2027", "5 Mar 2027, 07:04", ("%", "")),
    ],
)
def test_each_language_writes_as_its_speakers_do(code: str, day: str, instant: str, percent: tuple[str, str]) -> None:
    language = Language(code)
    assert (language.date(AT.date()), language.instant(AT), language.percent) == (day, instant, percent)
    assert language.date(date(2027, 3, 5)) == day


@pytest.mark.parametrize(
    ("code", "forms"), [("en", ("one", "other")), ("de", ("one", "other")), ("pl", ("one", "few", "many"))]
)
def test_plurals_are_those_that_count_whole_things(code: str, forms: tuple[str, ...]) -> None:
    language = Language(code)
    assert language.plurals == forms
    assert sorted(number for form in forms for number in language.numbers(form)) == list(range(1000))


def test_polish_counts_2_to_4_otherwise_than_12_to_14() -> None:
    few = Language("pl").numbers("few")
    assert {2, 3, 4, 22, 104} <= set(few)
    assert not {1, 5, 12, 13, 14, 112} & set(few)


@pytest.mark.parametrize("code", ["xx", "", "not-a-language"])
def test_what_is_no_language_is_refused(code: str) -> None:
    with pytest.raises(SettingsError, match="no language of CLDR"):
        _ = Language(code).locale
