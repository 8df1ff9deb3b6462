"""Days after a promotion take it back where they must, and only there."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.judging.shadow import SHADOW, ShadowVerdict, judge, to_frame, window

DAY = date(2026, 3, 1)
SETTINGS = PromotionSettings(shadow_minimum_events=500, shadow_minimum_learners=20, bootstrap_samples=400)


def answers(champion: float, previous: float, *, learners: int = 150, each: int = 14, seed: int = 0) -> pl.DataFrame:
    """Answers, and what two models said: the truth with so much noise on its logit, half of it the learner's own."""
    random = np.random.default_rng(seed)
    learner = np.repeat(np.arange(learners), each)
    logit = random.normal(0, 1, learners)[learner] + random.normal(0, 1, learner.size)

    def said(noise: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        off = random.normal(0, noise, learners)[learner] + random.normal(0, noise, learner.size)
        return 1 / (1 + np.exp(-(logit + off / np.sqrt(2))))

    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return pl.DataFrame(
        {
            "learner": [f"l{number}" for number in learner],
            "occurred_at": [at + timedelta(hours=12 * int(place % each)) for place in range(learner.size)],
            "correct": (random.random(learner.size) < 1 / (1 + np.exp(-logit))).astype(np.int8),
            "champion": said(champion),
            "previous": said(previous),
        }
    )


def look(scored: pl.DataFrame, settings: PromotionSettings = SETTINGS) -> ShadowVerdict:
    return judge(scored, settings, champion=4, previous=3)


def test_a_champion_worse_than_the_one_before_is_rolled_back_and_the_reason_said() -> None:
    verdict = look(answers(1.0, 0.2))
    assert verdict.roll_back
    assert verdict.difference is not None
    assert verdict.difference.lower > 0
    assert verdict.reason.startswith("Version 4 is rolled back: its log loss is 0.")
    assert "worse than that of version 3" in verdict.reason
    assert "95% confidence over 7 daily looks" in verdict.reason


def test_a_better_one_stays() -> None:
    verdict = look(answers(0.2, 1.0))
    assert not verdict.roll_back
    assert verdict.difference is not None
    assert verdict.difference.upper < 0
    assert verdict.reason.startswith("Version 4 stays: its log loss is 0.")


def test_two_of_the_same_answers_differ_by_nothing() -> None:
    scored = answers(0.4, 0.4)
    verdict = look(scored.with_columns(previous="champion"))
    assert verdict.difference is not None
    assert (verdict.difference.mean, verdict.difference.lower, verdict.difference.upper) == (0, 0, 0)
    assert not verdict.roll_back


def test_an_equally_good_one_stays_through_a_week_of_daily_looks() -> None:
    """95 % over all looks: of 40 champions as good as the one before, more than 6 fall with a chance of 0.3 %."""
    fallen = 0
    for seed in range(40):
        week = answers(0.5, 0.5, seed=seed)
        days = [week.filter(pl.col("occurred_at") < datetime(2026, 3, 3 + day, tzinfo=UTC)) for day in range(7)]
        fallen += any(look(day).roll_back for day in days)
    assert fallen <= 6


def test_the_error_allowed_is_shared_by_the_looks() -> None:
    week, day = (look(answers(0.6, 0.4), SETTINGS.model_copy(update={"shadow_days": days})) for days in (7, 1))
    assert week.difference is not None
    assert day.difference is not None
    assert week.difference.confidence == pytest.approx(1 - 0.05 / 7)
    assert day.difference.confidence == pytest.approx(0.95)
    assert week.difference.lower < day.difference.lower


@pytest.mark.parametrize(("learners", "each"), [(10, 60), (100, 4)])
def test_few_learners_or_few_answers_say_nothing(learners: int, each: int) -> None:
    verdict = look(answers(3.0, 0.0, learners=learners, each=each))
    assert not verdict.roll_back
    assert verdict.difference is None
    assert "say nothing yet, at least 500 of 20 are needed" in verdict.reason


def test_the_window_is_the_days_after_the_last_that_the_champion_knew() -> None:
    assert window(DAY, DAY, SETTINGS) is None
    assert window(DAY, DAY - timedelta(days=3), SETTINGS) is None
    assert window(DAY, DAY + timedelta(days=1), SETTINGS) == (date(2026, 3, 2), date(2026, 3, 2))
    assert window(DAY, DAY + timedelta(days=7), SETTINGS) == (date(2026, 3, 2), date(2026, 3, 8))
    assert window(DAY, DAY + timedelta(days=30), SETTINGS) == (date(2026, 3, 2), date(2026, 3, 8))
    assert window(DAY, DAY + timedelta(days=3), SETTINGS.model_copy(update={"shadow_days": 0})) is None


@pytest.mark.parametrize("each", [2, 14])
def test_a_look_becomes_a_row(each: int) -> None:
    verdict = look(answers(1.0, 0.2, each=each))
    frame = to_frame(verdict, day=DAY)
    assert dict(frame.schema) == dict(SHADOW.schema)
    assert frame["roll_back"].item() == verdict.roll_back
    assert frame["events"].item() == (150 * each if each == 14 else 0)
    assert ShadowVerdict.model_validate_json(verdict.model_dump_json()) == verdict
