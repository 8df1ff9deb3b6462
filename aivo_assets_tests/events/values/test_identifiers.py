"""Which text is one identity, whatever a number went through on its way."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.errors import SourceError
from aivo_assets.events.values.identifiers import skills, text


def read(*values: object) -> list[str | None]:
    return text(pl.Series("id", values)).to_list()


def test_a_float_reads_as_the_whole_number_it_was_also_as_text() -> None:
    assert read(12.0, 12.5, None, float("nan")) == ["12", "12.5", None, None]
    assert read("4711.0", "4711", "0815.00", "-3.0") == ["4711", "4711", "0815", "-3"]


def test_versions_and_names_with_points_stay_as_they_are() -> None:
    assert read("1.10", "2.0.1", "unit 3.0", "3.0 b", "5e10", "E+01") == [
        "1.10",
        "2.0.1",
        "unit 3.0",
        "3.0 b",
        "5e10",
        "E+01",
    ]


def test_numbers_in_their_shortest_form_are_exact_and_rounded_ones_are_none() -> None:
    assert read("2e+05", "1.5e+06", "1.23457E+14", "2E+05", "1e+16") == ["200000", "1500000", None, None, None]


def test_floats_that_cannot_tell_neighbours_apart_are_no_identifiers() -> None:
    assert read(2.0**53, 2.0**53 - 1, float("inf")) == [None, "9007199254740991", None]
    assert read("9007199254740994.0", "9007199254740994") == [None, "9007199254740994"]
    assert text(pl.Series("id", [2.0**24, 5.0], dtype=pl.Float32)).to_list() == [None, "5"]


def test_whole_numbers_of_any_length_and_decimals_are_exact() -> None:
    assert text(pl.Series("id", [2**62 + 1])).to_list() == [str(2**62 + 1)]
    assert text(pl.Series("id", ["31.00"]).cast(pl.Decimal(20, 2))).to_list() == ["31"]


def test_an_identifier_cannot_be_a_list() -> None:
    with pytest.raises(SourceError, match="List"):
        text(pl.Series("learner_id", [["a"]]))


def test_skills_are_a_sorted_set_of_identifiers() -> None:
    assert skills(pl.Series("s", [["b", "a", "b"], [], None, ["8.0", "8"]])).to_list() == [
        ["a", "b"],
        None,
        None,
        ["8"],
    ]
    assert skills(pl.Series("s", [[1.0, 2.5], [2.0**60]])).to_list() == [["1", "2.5"], None]
    assert skills(pl.Series("s", [7, None])).to_list() == [["7"], None]


@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1, max_size=5))
def test_a_column_of_whole_numbers_is_the_same_through_floats(numbers: list[int]) -> None:
    assert read(*map(str, numbers)) == read(*numbers) == text(pl.Series("id", numbers, dtype=pl.Float64)).to_list()
