"""The two-hourly question: every reason asks by itself, chance does not, and the numbers are kept either way."""

import math
from typing import Any

import polars as pl
import pytest

from aivo_assets.drift.verdicts.training_need import TRAINING_NEED, Champion, ask
from aivo_assets.settings import AdaptiveSettings
from aivo_assets_tests.drift.school import DAY, School

SETTINGS = AdaptiveSettings()
ITEMS = pl.Series([str(item) for item in range(500)])


def today(school: School, seed: int = 1) -> pl.DataFrame:
    return school.week(seed).with_columns(day=pl.lit(DAY))


def champion(new_events: int = 0, items: pl.Series = ITEMS) -> Champion:
    return Champion(known_items=items, fitted_events=10_000, new_events=new_events)


def answer(scored: pl.DataFrame, asked: Champion | None = None) -> dict[str, Any]:
    found = ask(scored, asked or champion(), day=DAY, settings=SETTINGS)
    assert found.schema == pl.Schema(TRAINING_NEED.schema)
    return found.row(0, named=True)


def test_a_day_as_promised_asks_for_nothing_and_its_numbers_are_kept() -> None:
    row = answer(today(School()))
    assert not row["needed"]
    assert row["reason"] == "Nothing asks for training before the night."
    assert row["events"] == 8000
    assert row["unseen_item_share"] == 0.0
    assert abs(row["calibration_gap"]) < 0.03
    assert row["excess_log_loss"] < SETTINGS.excess_log_loss


@pytest.mark.parametrize(
    ("scored", "asked", "reason"),
    [
        (today(School(flipped=0.2)), champion(), "nats above what it promised"),
        (today(School(harder=0.7)), champion(), "from what it predicts"),
        (today(School()), champion(items=ITEMS.head(350)), "are to items that it never saw"),
        (today(School()), champion(new_events=2001), "2,001 events are new, against 10,000"),
    ],
    ids=["error spike", "calibration", "unseen items", "new data"],
)
def test_each_reason_asks_by_itself(scored: pl.DataFrame, asked: Champion, reason: str) -> None:
    row = answer(scored, asked)
    assert row["needed"]
    assert reason in row["reason"]


def test_as_many_new_events_as_allowed_ask_for_nothing() -> None:
    assert not answer(today(School()), champion(new_events=2000))["needed"]


def test_without_a_champion_training_is_needed() -> None:
    found = ask(today(School()), None, day=DAY, settings=SETTINGS)
    assert found["needed"].to_list() == [True]
    assert found["reason"].to_list() == ["There is no champion yet."]


def test_with_too_few_answers_to_train_on_no_training_is_asked_for() -> None:
    found = ask(today(School()), None, day=DAY, settings=SETTINGS, missing=1)
    assert found["needed"].to_list() == [False]
    assert "1 more answers are needed" in found["reason"].item()
    assert ask(today(School()), None, day=DAY, settings=SETTINGS, missing=0)["needed"].item()


def test_a_few_answers_say_nothing_about_today() -> None:
    row = answer(today(School(learners=10, events=40, flipped=0.9)))
    assert not row["needed"]
    assert (row["events"], row["calibration_gap"], row["excess_log_loss"]) == (400, None, None)


def test_the_gap_and_its_error_by_hand() -> None:
    # Two learners, 300 answers each, all promised at 0.6: one always right, one never.
    scored = pl.DataFrame(
        {
            "learner": ["a"] * 300 + ["b"] * 300,
            "item_id": ["1"] * 600,
            "correct": [1] * 300 + [0] * 300,
            "probability": [0.6] * 600,
        }
    )
    row = answer(scored)
    assert row["calibration_gap"] == pytest.approx(-0.1)
    # Sums of residuals about the mean are +150 and -150: the error is sqrt(2 x 150^2) / 600, so the gap may be chance.
    assert math.sqrt(2 * 150**2) / 600 > 0.1
    assert "from what it predicts" not in row["reason"]


def test_two_classes_who_are_off_by_chance_do_not_ask() -> None:
    asked = [answer(today(School(learners=22, events=24, clustering=0.6), seed)) for seed in range(40)]
    assert not [row["reason"] for row in asked if row["needed"]]
    assert max(abs(row["calibration_gap"]) for row in asked) > SETTINGS.calibration_gap, "a point estimate would ask"
