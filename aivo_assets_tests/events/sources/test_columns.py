"""Which column is taken for which, and that it is said or refused."""

import pytest

from aivo_assets.errors import SourceError
from aivo_assets.events.sources.columns import EVENT_NAMES, mapped, told

REQUIRED = ("learner_id", "item_id", "correct")


def taken(available: list[str], **chosen: str) -> dict[str, str]:
    return mapped(EVENT_NAMES, chosen, available, place="answers.csv", required=REQUIRED)


def test_a_column_that_is_there_twice_is_not_chosen_by_chance() -> None:
    header = ["student", "item", "correct", "skill", "skill (2)"]
    with pytest.raises(SourceError, match="'skill' twice"):
        taken(header)
    assert taken(header, skill_ids="skill (2)")["skill_ids"] == "skill (2)"


def test_a_second_column_that_would_do_is_said() -> None:
    header = ["student", "item", "correct", "skill_id", "kc", "time", "created_at", "mood"]
    columns, others = told({"a.csv": (taken(header), header)})[0], told({"a.csv": (taken(header), header)})[1:]
    assert "not used: kc, created_at, mood" in columns
    assert "occurred_at is taken from time, and could be created_at (--map occurred_at=…)" in others
    assert "skill_ids is taken from skill_id, and could be kc (--map skill_ids=…)" in others


def test_files_of_another_shape_are_told_apart() -> None:
    one, two = ["student", "item", "correct"], ["learner", "item", "correct"]
    sentences = told({"a.csv": (taken(one), one), "b.csv": (taken(two), two)})
    assert [sentence.split(":")[0] for sentence in sentences] == ["columns (a.csv)", "columns (b.csv)"]


@pytest.mark.parametrize("first_line", [["12", "q1", "0"], ["amir", "q1", "2024-02-05 10:11"]])
def test_a_file_without_names_is_told_so(first_line: list[str]) -> None:
    with pytest.raises(SourceError, match="looks like values and not like names"):
        taken(first_line)
