"""One value, several skills: the separator of the settings and nothing else."""

import polars as pl
import pytest

from aivo_assets.events.values.skill_lists import split_skills


def parted(value: str, separator: str = ";") -> list[str]:
    skills: list[str] = split_skills(pl.DataFrame({"skill_ids": [value]}), separator)["skill_ids"].item().to_list()
    return skills


def test_only_the_separator_parts_skills() -> None:
    rule = "[SkillRule: Add/Sub; {a-b=c, x; b=c-a}]"
    assert parted(rule, "~~") == [rule]
    assert parted(f"{rule}~~Counting on, back", "~~") == [rule, "Counting on, back"]
    assert parted("12_7", "_") == ["12", "7"]
    assert parted("12_7") == ["12_7"]
    assert parted("a|b.c", "|") == ["a", "b.c"]
    assert parted("[a, b]") == ["[a, b]"]
    assert parted("[]b") == ["[]b"]


@pytest.mark.parametrize(
    ("printed", "skills"),
    [
        ("['x', 'z']", ["x", "z"]),
        ('["x; y", "it\'s"]', ["x; y", "it's"]),
        ("[3, 14, 2.5]", ["3", "14", "2.5"]),
        (" [ 'one' ] ", ["one"]),
        ("[]", []),
        ("['a', b]", ["['a', b]"]),
        ("['a' 'b']", ["['a' 'b']"]),
    ],
)
def test_a_list_as_json_or_python_print_it_is_read_where_every_member_is_quoted_or_a_number(
    printed: str, skills: list[str]
) -> None:
    assert parted(printed) == skills


def test_lists_of_a_typed_file_are_parted_already() -> None:
    frame = pl.DataFrame({"skill_ids": [["a;b", "c"]]})
    assert split_skills(frame, ";").equals(frame)
    assert split_skills(pl.DataFrame({"skill_ids": [None]}, schema={"skill_ids": pl.String}), ";").item() is None
