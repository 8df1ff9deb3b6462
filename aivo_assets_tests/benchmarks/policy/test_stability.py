"""How far advice stays the same overnight, by hand and in a tiny trial."""

import math
from typing import Any

import polars as pl
import pytest

from aivo_assets.benchmarks.policy.stability import stability

Evening = tuple[int, int, int, str, int]  # day, skill, rank, kind, answers so far


def advice(*evenings: Evening, row: int = 0, passes: str = "break") -> pl.DataFrame:
    schema = {"day": pl.Int32, "skill": pl.Int64, "rank": pl.Int32, "kind": pl.String, "attempts": pl.Int32}
    frame = pl.DataFrame(list(evenings), schema=schema, orient="row")
    return frame.with_columns(row=pl.lit(row, pl.Int64), passes=pl.col("kind") == passes)


@pytest.mark.parametrize(
    ("new", "other", "nothing", "few"),
    [(0, "maintain", 1.0, 1.0), (0, "level_down", 0.0, 0.0), (2, "maintain", None, 1.0), (3, "maintain", None, None)],
)
def test_a_change_counts_by_what_was_practised_meanwhile(
    new: int, other: str, nothing: float | None, few: float | None
) -> None:
    found = stability(advice((0, 7, 1, "level_down", 12), (1, 7, 1, other, 12 + new)))
    for name, share in (("changed, nothing new", nothing), ("changed, under 3 new", few)):
        assert math.isnan(found[name]) if share is None else found[name] == share


def test_only_what_came_first_counts_in_the_first_figure_and_all_in_the_other() -> None:
    rows = advice(
        (0, 7, 1, "level_up", 5), (0, 8, 2, "maintain", 9), (1, 7, 2, "level_up", 5), (1, 8, 1, "enrichment", 9)
    )  # fmt: skip
    found = stability(rows)
    assert found["changed, nothing new"] == 0.0
    assert found["changed, all ranks, nothing new"] == 0.5
    assert found["first changed, no practice"] == 1.0  # another skill came first


def test_who_practised_anything_may_be_told_something_else_first() -> None:
    rows = advice(
        (0, 7, 1, "level_up", 5), (0, 8, 2, "maintain", 9), (1, 7, 2, "level_up", 5), (1, 8, 1, "maintain", 10)
    )
    assert math.isnan(stability(rows)["first changed, no practice"])


@pytest.mark.parametrize("kinds", [("break", "maintain"), ("maintain", "break")])
def test_a_break_ends_with_its_session_and_is_no_change(kinds: tuple[str, str]) -> None:
    found = stability(advice((0, 7, 1, kinds[0], 5), (1, 7, 1, kinds[1], 5)))
    assert all(math.isnan(share) for share in found.values())


def test_evenings_that_do_not_follow_each_other_are_not_compared() -> None:
    found: dict[str, Any] = stability(advice((0, 7, 1, "level_up", 5), (2, 7, 1, "maintain", 5)))
    assert math.isnan(found["changed, all ranks, nothing new"])
