"""What right and wrong look like, and which columns cannot be that."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.values import labels
from aivo_assets.events.values.labels import LabelReading, LabelSurvey

KNOWN = LabelReading()


def looked_at(values: list[object], reading: LabelReading = KNOWN) -> list[str]:
    survey = LabelSurvey()
    survey.add(pl.Series("correct", values, strict=False))
    return labels.check(survey, reading, column="result", place="answers.csv")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("1", 1), ("0.0", 0), ("+1", 1), (" TRUE ", 1), ("false", 0), ("T", 1), ("f", 0), ("Yes", 1), ("n", 0),
        ("Right", 1), ("WRONG", 0), ("Incorrect", 0), ("ok", 1), (1.0, 1), (True, 1), (False, 0), (0, 0),
        ("-1", None), ("2", None), ("0.5", None), ("maybe", None), (0.5, None), (1.0000001, None), (-1, None),
    ],
)  # fmt: skip
def test_right_and_wrong_have_their_usual_spellings_and_nothing_is_rounded(value: object, meant: int | None) -> None:
    assert labels.read(pl.Series("correct", [value]), KNOWN).item() == meant


def test_values_of_the_settings_are_the_only_ones_that_count() -> None:
    reading = LabelReading.of({"solved": 1, "GAVE UP": 0, "2": 1}, None)
    given = pl.Series("correct", ["Solved", "gave up", "2.0", "1", "skipped"])
    assert labels.read(given, reading).to_list() == [1, 0, 1, None, None]
    assert set(labels.reasons(given.tail(2), reading)) == {"correct is none of the values of --correct-values"}
    with pytest.raises(SettingsError, match="two meanings"):
        LabelReading.of({"a": 1, "A": 0}, None)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 100))
def test_points_are_right_from_the_threshold_on(points: list[float], threshold: float) -> None:
    read = labels.read(pl.Series("correct", points), LabelReading(threshold=threshold))
    assert read.to_list() == [int(each >= threshold) for each in points]


def test_a_half_says_that_a_threshold_is_missing_and_the_rest_what_is_accepted() -> None:
    told = labels.reasons(pl.Series("correct", ["0.5", "-1", "hm"]), KNOWN).to_list()
    assert "--correct-threshold" in told[0]
    assert all("yes/no" in reason and "--correct-values" in reason for reason in told[1:])


@pytest.mark.parametrize(
    "values",
    [
        [-1, 1, 1, -1],
        [1, 2, 2, 1],
        [0, 1, 2, 2, 1, 0],
        [0, 100, 60, 80],
        ["OK", "ERROR", "OK", "BUG"],
        ["A", "B", "T", "C", "F", "D", "A", "B"],
        ["passed", "failed"],
        [0.25, 0.5, 0.75, 1.0],
        [[1], [0]],
    ],
)
def test_columns_of_which_a_part_would_leave_a_wrong_picture_are_refused(values: list[object]) -> None:
    with pytest.raises(SourceError, match=r"answers\.csv: the column 'result' holds") as error:
        looked_at(values)
    assert "--correct-values" in error.value.fix
    assert "Accepted are 1/0, true/false" in error.value.fix


@pytest.mark.parametrize("values", [[0, 1, 1, 0, -1], [0, 0, 1, 0.5], ["y", "n", None], [1, 1], [None, None], []])
def test_a_few_other_values_are_left_to_be_set_aside(values: list[object]) -> None:
    assert looked_at(values) in ([], ["correct: 'n' = 0, 'y' = 1"], ["correct: 'y' = 1, 'n' = 0"])


def test_what_the_settings_explain_is_accepted() -> None:
    assert looked_at([1, 2, 2, 1], LabelReading.of({"1": 1, "2": 0}, None)) == ["correct: '1' = 1, '2' = 0"]
    assert "right from 60" in looked_at([0, 100, 60, 80], LabelReading(threshold=60))[0]
    with pytest.raises(SourceError, match="neither right nor wrong"):
        looked_at(["OK", "ERROR"], LabelReading.of({"fine": 1, "bad": 0}, None))


def test_a_column_of_lists_is_refused_by_its_type() -> None:
    with pytest.raises(SourceError, match="values of the type List"):
        looked_at([[1], [0]])


def test_a_threshold_says_what_it_makes_of_the_answers_and_one_in_percent_of_shares_is_refused() -> None:
    (told,) = looked_at([0, 40, 60, 100], LabelReading(threshold=60))
    assert "2 right, 2 wrong" in told
    with pytest.raises(SourceError, match="none of them reaches 60"):
        looked_at([0, 0.4, 0.6, 1], LabelReading(threshold=60))
