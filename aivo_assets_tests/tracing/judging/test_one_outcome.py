"""Answers that all came out the same promote nobody, roll nobody back, and somebody is told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.operations.alerts.rules import one_outcome
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.judging.evaluation import Holdout, hold_out
from aivo_assets.tracing.judging.evidence import days_of_one_outcome
from aivo_assets.tracing.judging.promotion import Contender, decide
from aivo_assets.tracing.judging.shadow import judge
from aivo_assets_tests.tracing.synthetic_school import school

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
MONDAY = datetime(2026, 5, 4, 9, tzinfo=UTC)
SETTINGS = PromotionSettings(
    minimum_events=300, minimum_learners=10, slice_minimum_events=200, slice_minimum_learners=10, bootstrap_samples=200
)


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    made = school()
    return hold_out(made.table.keys, made.split, made.statistics, SETTINGS)


def recorded_as(holdout: Holdout, outcome: int, days: Callable[[date], bool] = lambda _: True) -> Holdout:
    """The hold-out of a client that recorded every answer of some days alike."""
    chosen = np.array([days(at.date()) for at in holdout.keys["occurred_at"]])
    correct = np.where(chosen, float(outcome), holdout.correct)
    keys = holdout.keys.with_columns(pl.Series("correct", correct.astype(np.int8)))
    return replace(holdout, keys=keys, correct=correct)


def says(holdout: Holdout, probability: float, name: str) -> Contender:
    return Contender(name, date(2026, 2, 28), holdout.span[0], np.full(holdout.correct.size, probability))


@pytest.mark.parametrize("outcome", [0, 1])
@pytest.mark.parametrize("has_champion", [True, False])
def test_whoever_is_loudest_is_not_promoted_on_one_outcome(holdout: Holdout, outcome: int, has_champion: bool) -> None:
    alike = recorded_as(holdout, outcome)
    loud = says(alike, 0.999 if outcome else 0.001, "loud")
    verdict = decide(alike, loud, says(alike, 0.6, "calm") if has_champion else None, SETTINGS, now=NOW)
    assert not verdict.promote
    assert "0 right and 0 wrong answers can be compared" in verdict.reason
    assert f"all {holdout.correct.size:,} answers of" in verdict.reason
    alert = one_outcome(verdict, NOW)
    assert alert is not None
    assert alert.severity == "error"
    assert "record every answer as right" in alert.body


def test_the_other_days_decide_and_the_days_left_out_are_told(holdout: Holdout) -> None:
    first = holdout.span[0].date() + timedelta(days=2)
    alike = recorded_as(holdout, 1, lambda day: day >= first)
    truth = school().truth[school().split.evaluate]
    good = Contender("good", date(2026, 2, 28), holdout.span[0], truth)
    loud = says(alike, 0.999, "loud")
    assert not decide(alike, loud, good, SETTINGS, now=NOW).promote
    verdict = decide(alike, good, loud, SETTINGS, now=NOW)
    assert verdict.promote
    assert verdict.events == int((holdout.keys["occurred_at"].dt.date() < first).sum())
    alert = one_outcome(verdict, NOW)
    assert alert is not None
    assert "was promoted on the others" in alert.body


def test_a_few_wrong_answers_among_many_right_ones_are_too_few(holdout: Holdout) -> None:
    correct = np.ones_like(holdout.correct)
    correct[:: holdout.correct.size // 7] = 0.0
    keys = holdout.keys.with_columns(pl.Series("correct", correct.astype(np.int8)))
    nearly = replace(holdout, keys=keys, correct=correct)
    verdict = decide(nearly, says(nearly, 0.99, "loud"), says(nearly, 0.6, "calm"), SETTINGS, now=NOW)
    assert not verdict.promote
    assert "at least 20 of each are needed" in verdict.reason


def test_an_ordinary_verdict_tells_nothing_of_outcomes(holdout: Holdout) -> None:
    verdict = decide(holdout, says(holdout, 0.6, "a"), None, SETTINGS, now=NOW)
    assert one_outcome(verdict, NOW) is None
    assert one_outcome(None, NOW) is None


@given(seed=st.integers(0, 10_000), share=st.floats(0.5, 0.97), learners=st.integers(1, 60))
def test_chance_hardly_ever_makes_a_day_of_one_outcome(seed: int, share: float, learners: int) -> None:
    random = np.random.default_rng(seed)
    rows = [(f"l{learner}", MONDAY + timedelta(days=day)) for day in range(6) for learner in range(learners)] * 3
    answers = pl.DataFrame(rows, schema=["learner", "occurred_at"], orient="row")
    drawn = answers.with_columns(correct=pl.Series((random.random(len(rows)) < share).astype(np.int8)))
    assert days_of_one_outcome(drawn).total == 0


def test_one_learner_who_is_always_right_makes_no_day_of_one_outcome() -> None:
    own = pl.DataFrame({"learner": ["ada"] * 500, "occurred_at": [MONDAY] * 500, "correct": [1] * 500})
    others = pl.DataFrame(
        {"learner": ["bo", "cy"] * 50, "occurred_at": [MONDAY + timedelta(days=1)] * 100, "correct": [0, 1] * 50}
    )
    assert days_of_one_outcome(pl.concat([own, others])).answers == {}
    assert days_of_one_outcome(own.clear()).answers == {}


def test_a_champion_is_not_rolled_back_by_answers_that_all_came_out_the_same() -> None:
    rows = [(f"l{learner}", MONDAY + timedelta(days=day)) for day in range(5) for learner in range(80)] * 2
    scored = pl.DataFrame(rows, schema=["learner", "occurred_at"], orient="row").with_columns(
        correct=pl.lit(1, pl.Int8), champion=pl.lit(0.7), previous=pl.lit(0.99)
    )
    verdict = judge(scored, SETTINGS, champion=5, previous=4)
    assert not verdict.roll_back
    assert "all 800 answers of 5 days from 2026-05-04 to 2026-05-08 came out the same" in verdict.reason
