"""White space, Unicode and words for "no value": the same in every column of text."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.events.values.tidying import MISSING, OUTER, composed, tidied
from aivo_assets.settings import SourceSettings


def column(values: list[str | None], missing: tuple[str, ...] = MISSING) -> list[str | None]:
    return tidied(pl.DataFrame({"name": pl.Series(values, dtype=pl.String)}), missing)["name"].to_list()


@pytest.mark.parametrize(
    "word", ["NA", "n/a", "#N/A", "<NA>", "Null", "(null)", "none", "NAN", "NaT", "\\N", "undefined"]
)
def test_words_for_no_value_are_none_in_any_case(word: str) -> None:
    assert column([word, f" {word}\u00a0", f"{word}1"]) == [None, None, f"{word}1"]


def test_the_setting_replaces_the_words() -> None:
    assert column(["NA", "-", "", "absent"], ("-", "Absent")) == ["NA", None, None, None]
    assert column(["NA", ""], ()) == ["NA", None]


def test_the_setting_is_a_list_with_commas_or_json() -> None:
    assert SourceSettings(missing="-, n. a.").missing_values == ("-", "n. a.")
    assert SourceSettings(missing='["a,b", "?"]').missing_values == ("a,b", "?")
    assert SourceSettings(missing="[]").missing_values == ()
    with pytest.raises(ValueError, match="missing"):
        SourceSettings(missing="[1]")
    with pytest.raises(ValueError, match="missing"):
        SourceSettings(missing="[NA]")


def test_marks_that_nobody_sees_are_cut_off_at_both_ends_only() -> None:
    assert column(["\ufeffu1", "u1\u200b", "\u00a0u1\u3000", "u\u00a01", "u1\x00\x00"]) == [
        "u1",
        "u1",
        "u1",
        "u\u00a01",
        "u1",
    ]


def test_lists_are_tidied_member_by_member() -> None:
    frame = pl.DataFrame({"skill_ids": [["a ", "NA"], ["null"], [], None, ["e\u0301"]]})
    assert tidied(frame)["skill_ids"].to_list() == [["a"], None, None, None, ["\u00e9"]]
    numbers = pl.DataFrame({"skill_ids": [[1.0, float("nan")], [None], []]})
    assert tidied(numbers)["skill_ids"].to_list() == [[1.0], None, None]


def test_places_stay_and_zones_do_not() -> None:
    frame = pl.DataFrame({"_location": ["NA "], "_zone": ["NA "], "n": [1]})
    assert tidied(frame).row(0) == ("NA ", None, 1)


def test_categories_are_text() -> None:
    frame = pl.DataFrame({"learner_id": pl.Series(["a ", "NULL"], dtype=pl.Categorical)})
    assert tidied(frame)["learner_id"].to_list() == ["a", None]


def test_column_names_are_composed() -> None:
    assert composed(["\ufeffe\u0301le\u0300ve ", "b"]) == ["\u00e9l\u00e8ve", "b"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=6), min_size=1, max_size=6))
def test_tidying_is_nfc_without_outer_marks_and_twice_is_once(texts: list[str]) -> None:
    once = column([*texts])
    assert column(once) == once
    for given_text, tidy in zip(texts, once, strict=True):
        expected = unicodedata.normalize("NFC", given_text.strip(OUTER))
        absent = expected == "" or expected.lower() in {word.lower() for word in MISSING}
        assert tidy == (None if absent else expected)
