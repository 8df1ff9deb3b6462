"""The answers that a counterfactual names are given as a learner would give them, and then the code itself decides."""

from datetime import date

import polars as pl

from aivo_assets.benchmarks.validity.hypothetical import PAUSE_S, SECONDS_EACH, added_answers, try_out
from aivo_assets.settings import PolicySettings
from aivo_assets_tests.adaptive.learners import ladder
from aivo_assets_tests.benchmarks.validity.spread_answers import spread

TODAY = date(2024, 1, 10)
SETTINGS = PolicySettings()


def past(learner: str, items: list[str], day: date) -> pl.DataFrame:
    """Answers of one morning, in the columns of the platform."""
    count = len(items)
    rows = spread().head(count)
    return rows.with_columns(
        learner=pl.lit(learner),
        item_id=pl.Series(items),
        skill_ids=pl.Series([["fractions"]] * count),
        subject=pl.lit("mathematics"),
        day=pl.lit(day),
        occurred_at=pl.lit(day).cast(pl.Datetime("us", "UTC")).dt.offset_by("9h")
        + pl.duration(minutes=pl.int_range(count)),
        sequence=pl.int_range(count, dtype=pl.Int32),
    )


def asked(learner: str, number: int, level: int = 5) -> pl.DataFrame:
    row = {"learner": learner, "subject": "mathematics", "skill_id": "fractions", "current_level": level}
    return pl.DataFrame({**row, "number": number}, schema_overrides={"current_level": pl.Int8, "number": pl.Int32})


def test_answers_are_to_new_items_of_the_level_and_follow_the_day() -> None:
    bank = ladder("fractions", per_level=3)
    at_level = bank.filter(pl.col("level") == 5)["item_id"].to_list()
    before = past("ann", at_level[:1], TODAY)
    made = added_answers(asked("ann", 3), before, bank, TODAY, right=False, tolerance=1)
    assert made["item_id"].to_list()[:2] == at_level[1:]
    third = bank.filter(pl.col("item_id") == made["item_id"][2])["level"].item()
    assert third in (4, 6)
    assert made["correct"].to_list() == [0, 0, 0]
    assert made["sequence"].to_list() == [1, 2, 3]
    assert made["gap_s"].to_list() == [PAUSE_S, SECONDS_EACH, SECONDS_EACH]
    assert made["day"].unique().to_list() == [TODAY]
    assert made.filter(pl.col("occurred_at") <= pl.lit(before["occurred_at"].max())).is_empty()
    assert made.schema == before.schema


def test_the_first_answer_of_a_day_has_no_pause_before_it() -> None:
    bank = ladder("fractions", per_level=3)
    before = past("ann", bank["item_id"].to_list()[:2], date(2024, 1, 8))
    made = added_answers(asked("ann", 2), before, bank, TODAY, right=True, tolerance=1)
    assert made["sequence"].to_list() == [0, 1]
    assert made["gap_s"].to_list() == [None, SECONDS_EACH]


def test_a_bank_without_enough_items_of_the_level_is_not_tried() -> None:
    bank = ladder("fractions", per_level=1)
    decided = (
        asked("ann", 4)
        .rename({"number": "cf_right"})
        .with_columns(kind=pl.lit("maintain"), cf_right_kind=pl.lit("level_up"))
    )
    ways = ("wrong", "days", "rest")
    nothing = {f"cf_{way}": pl.lit(None, pl.Int32) for way in ways}
    nothing |= {f"cf_{way}_kind": pl.lit(None, pl.String) for way in ways}
    before = past("ann", bank["item_id"].to_list()[:2], TODAY)

    def never(*_: object) -> pl.DataFrame:
        raise AssertionError("there is nothing to decide")

    found = try_out(decided.with_columns(**nothing), before, bank, never, as_of=TODAY, most=5, settings=SETTINGS)
    assert found.is_empty()
