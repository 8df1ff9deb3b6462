"""Which items are listed: the best fitting by the main brain, sure before unsure ones, never what was just done."""

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.adaptive.advice.content import add_content, fitting_difficulty, richer_level
from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets_tests.adaptive.learners import SETTINGS, STEP, SUBJECT, TODAY, items, ladder

NARROW = SETTINGS.model_copy(update={"level_step": (STEP, STEP)})


def curve(ability: float) -> list[float]:
    """Success at the ten levels of `ladder` by the one-parameter model."""
    return [1 / (1 + math.exp(STEP * (level - 5.5) - ability)) for level in range(1, 11)]


def row(**known: Any) -> pl.DataFrame:
    """What is decided of one learner at level 5, whom level 5 fits exactly."""
    usual: dict[str, Any] = {
        "subject": SUBJECT,
        "skill_id": "fractions",
        "current_level": 5,
        "level_probabilities": curve(math.log(0.775 / 0.225) - 0.25),
        "content_skill": "fractions",
        "content_wanted": 5,
        "recent_items": [],
        "content_recent": [],
    }
    lists = pl.List(pl.String)
    schema: dict[str, Any] = {
        "current_level": pl.Int8,
        "content_wanted": pl.Int8,
        "recent_items": lists,
        "content_recent": lists,
    }
    return pl.DataFrame([{**usual, **known}], schema_overrides=schema | {"level_probabilities": pl.List(pl.Float32)})


def listed(bank: pl.DataFrame, **known: Any) -> tuple[list[str], int | None]:
    found = add_content(row(**known), bank, SETTINGS).row(0, named=True)
    return found["content"], found["content_level"]


def bank_of(*difficulties: float) -> pl.DataFrame:
    """The ladder of another skill, which sets the levels, and these items of the skill."""
    content = pl.concat([items([STEP * (level - 5.5) for level in range(1, 11)], skill="other"), items(difficulties)])
    return item_bank(content, subject_levels(content, day=TODAY, settings=NARROW), day=TODAY)


@given(st.floats(-3.0, 3.0))
def test_the_fitting_difficulty_is_where_the_model_sees_the_aim(ability: float) -> None:
    """By the one-parameter model that is `ability − logit(aim)`, to a tenth; at most one logit past the last items."""
    found = fitting_difficulty(row(level_probabilities=curve(ability)), ladder("fractions"), 0.7).item()
    end = STEP * 4.5 + 1
    wanted = min(max(ability - math.log(0.7 / 0.3), -end), end)
    assert found == pytest.approx(10 * wanted, abs=0.6)


def test_of_another_skill_or_without_a_model_no_difficulty_is_known() -> None:
    rows = pl.concat([row(content_skill="ratios"), row(level_probabilities=None)])
    assert fitting_difficulty(rows, ladder("fractions"), 0.7).to_list() == [None, None]


def test_the_best_fitting_comes_first() -> None:
    """Success is 0.775 at a difficulty of −0.25, the middle of level 5; levels 4 and 6 reach from −1.0 to 0.5."""
    bank = bank_of(-0.6, 0.2, -0.3, -0.1, -0.9)
    assert listed(bank)[0] == ["fractions-3", "fractions-4", "fractions-1", "fractions-2", "fractions-5"]


def test_a_learner_who_lags_within_the_level_gets_its_easier_side() -> None:
    """The level stays where hysteresis keeps it; what is listed moves with the learner, up to a level."""
    bank = bank_of(-1.4, -0.9, -0.3, 0.2)
    assert listed(bank, level_probabilities=curve(0.3)) == (["fractions-2", "fractions-3", "fractions-4"], 5)


def test_an_uncertain_difficulty_counts_as_a_distance() -> None:
    """0.3 away and sure (0.1 of a logit) beats in place and unsure (0.4)."""
    bank = bank_of(-0.25, 0.05)
    unsure = pl.when(pl.col("item_id") == "fractions-1").then(0.4).otherwise("difficulty_sd").alias("difficulty_sd")
    assert listed(bank)[0] == ["fractions-1", "fractions-2"]
    assert listed(bank.with_columns(unsure))[0] == ["fractions-2", "fractions-1"]


def test_what_was_just_done_is_not_listed_and_no_more_than_asked_for() -> None:
    bank = ladder("fractions", per_level=8)
    recent = [f"fractions-{number}" for number in range(33, 43)]
    found, level = listed(bank, recent_items=recent)
    assert len(found) == SETTINGS.content_items
    assert not set(found) & set(recent)
    assert level == 4  # the eight of level 5 are among the recent; of 4 and 6 the easier is told


def test_for_a_move_or_another_skill_only_that_level_is_listed() -> None:
    bank = ladder("fractions", "ratios", per_level=2)
    assert listed(bank, content_wanted=6) == (["fractions-11", "fractions-12"], 6)
    other = listed(bank, content_skill="ratios", content_wanted=3)
    assert (sorted(other[0]), other[1]) == (["ratios-5", "ratios-6"], 3)


def test_what_is_listed_of_a_learner_does_not_hang_on_the_others() -> None:
    bank = ladder("fractions", per_level=3)
    rows = [
        row(level_probabilities=curve(ability), current_level=level, content_wanted=level)
        for ability, level in ((0.0, 4), (1.0, 6), (-1.0, 2))
    ]
    rows.append(row(level_probabilities=None))
    together = add_content(pl.concat(rows), bank, SETTINGS)
    alone = pl.concat([add_content(one, bank, SETTINGS) for one in rows])
    assert together.equals(alone)
    assert (together["content"].list.len() == SETTINGS.content_items).sum() == 3


@pytest.mark.parametrize(
    ("known", "level"),
    [
        ({}, 6),
        ({"kind": "maintain"}, 5),
        ({"p_above": 0.69}, 5),
        ({"p_above": None}, 5),
        ({"items_above": 0}, 5),
        ({"content_wanted": 10}, 10),
    ],
)
def test_to_go_deeper_is_one_level_up_where_that_is_within_reach(known: dict[str, Any], level: int) -> None:
    usual = {"kind": "enrichment", "p_above": 0.7, "items_above": 1, "content_wanted": 5}
    frame = pl.DataFrame([{**usual, **known}], schema_overrides={"p_above": pl.Float64, "content_wanted": pl.Int8})
    assert frame.select(richer_level(SETTINGS, "enrichment")).item() == level
