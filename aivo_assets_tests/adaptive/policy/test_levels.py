"""Levels and the item bank."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets.adaptive.schema import ITEM_BANK, LEVELS
from aivo_assets.errors import ModelError
from aivo_assets_tests.adaptive.learners import SETTINGS, TODAY, items, ladder

difficulties = st.lists(st.floats(-6, 6, allow_nan=False), min_size=1, max_size=60)


def levels_of(content: pl.DataFrame, **options: pl.DataFrame) -> pl.DataFrame:
    return subject_levels(content, day=TODAY, settings=SETTINGS, **options)


@settings(max_examples=50)
@given(difficulties)
def test_a_harder_item_never_has_a_lower_level(values: list[float]) -> None:
    content = items(values)
    bank = item_bank(content, levels_of(content), day=TODAY).sort("difficulty")
    assert bank["level"].is_sorted()
    assert bank["level"].is_between(1, 10).all()
    assert ((bank["level_lower"] <= bank["level"]) & (bank["level"] <= bank["level_upper"])).all()
    assert bank["level_certainty"].is_between(0, 1).all()


@settings(max_examples=50)
@given(difficulties)
def test_each_subject_has_ten_levels_that_touch_and_hold_all_items(values: list[float]) -> None:
    levels = levels_of(items(values))
    assert levels["level"].to_list() == list(range(1, 11))
    assert levels["items"].sum() == len(values)
    assert levels["upper"][:-1].to_list() == levels["lower"][1:].to_list()
    assert levels["lower"][0] is None
    assert levels["upper"][-1] is None
    assert levels["difficulty"].is_sorted()
    step = levels["lower"][2] - levels["lower"][1]
    assert SETTINGS.level_step[0] - 1e-9 <= step <= SETTINGS.level_step[1] + 1e-9


def test_a_level_is_one_eighth_of_the_range_between_the_outer_twentieths() -> None:
    """-2 … 2 in steps of 0.04: the quantiles are -1.8 and 1.8, a level 0.45 logits wide, level 2 begins at -1.8."""
    levels = levels_of(items([-2 + place * 0.04 for place in range(101)]))
    assert levels["lower"][1] == pytest.approx(-1.8)
    assert levels["lower"][2] == pytest.approx(-1.35)
    assert levels["lower"][9] == pytest.approx(1.8)


def test_a_subject_with_three_items_uses_three_levels_and_leaves_seven_empty() -> None:
    levels = levels_of(items([-1.0, 0.0, 1.0]))
    assert levels.filter(pl.col("items") > 0).height == 3
    empty = levels.filter(pl.col("items") == 0)
    assert empty.height == 7
    assert empty["difficulty"].is_finite().all()


def test_items_that_are_alike_share_a_middle_level() -> None:
    content = items([0.3, 0.3, 0.3])
    assert item_bank(content, levels_of(content), day=TODAY)["level"].unique().to_list() == [6]


def test_subjects_are_cut_apart() -> None:
    easy, hard = items([-3, -2, -1], subject="reading"), items([1, 2, 3], skill="algebra", subject="mathematics")
    together = levels_of(pl.concat([easy, hard]))
    assert_frame_equal(together.filter(pl.col("subject") == "reading"), levels_of(easy))
    assert_frame_equal(together.filter(pl.col("subject") == "mathematics"), levels_of(hard))


def test_an_uncertain_item_has_a_wide_band_and_little_certainty() -> None:
    content = items([-2.0, -1.0, 0.0, 1.0, 2.0]).with_columns(
        difficulty_sd=pl.Series([0.05, 0.05, 1.5, 0.05, 0.05]), log_response_time=float("nan")
    )
    bank = item_bank(content, levels_of(content), day=TODAY)
    unsure = bank.filter(pl.col("difficulty") == 0.0).row(0, named=True)
    assert unsure["level_upper"] - unsure["level_lower"] >= 4
    assert unsure["level_certainty"] < 0.5
    assert bank.filter(pl.col("difficulty") == 2.0)["level_certainty"].item() > 0.9
    assert bank["typical_time_s"].is_null().all()


def test_the_typical_time_is_told_in_seconds() -> None:
    assert ladder()["typical_time_s"].to_list() == pytest.approx([40.0] * 10)


def test_levels_stay_while_the_items_have_hardly_moved_and_follow_when_they_have() -> None:
    content = items([-2 + place * 0.04 for place in range(101)])
    before = levels_of(content)
    cuts = ["level", "lower", "upper"]
    nudged = levels_of(content.with_columns(pl.col("difficulty") + 0.1), before=before)
    assert_frame_equal(nudged.select(cuts), before.select(cuts))
    moved = levels_of(content.with_columns(pl.col("difficulty") + 1.0), before=before)
    assert moved["lower"][1] == pytest.approx(before["lower"][1] + 1.0)


def test_no_items_give_no_levels_and_an_empty_bank_of_the_right_columns() -> None:
    content = items([])
    levels = levels_of(content)
    assert dict(levels.schema) == dict(LEVELS.schema)
    assert levels.is_empty()
    bank = item_bank(content, levels, day=TODAY)
    assert dict(bank.schema) == dict(ITEM_BANK.schema)
    assert bank.is_empty()


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_an_item_without_a_finite_difficulty_is_refused_by_name(value: float | None) -> None:
    content = items([0.0, 1.0]).with_columns(difficulty=pl.Series([0.0, value]))
    with pytest.raises(ModelError, match="fractions-2"):
        levels_of(content)


def test_a_bank_whose_subject_has_no_levels_is_refused() -> None:
    with pytest.raises(ModelError, match="history"):
        item_bank(items([0.0], subject="history"), levels_of(items([0.0])), day=TODAY)
