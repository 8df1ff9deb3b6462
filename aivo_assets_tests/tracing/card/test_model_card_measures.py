"""What a card measures: importance by shuffling, the ROC curve, groups with intervals, the training curve."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.card.measures import CardMeasures, measure, roc
from aivo_assets.tracing.model.importance import permutation_importance
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.model.scores import area_under_curve
from aivo_assets_tests.tracing.synthetic_school import NAMES, School, school

SETTINGS = PromotionSettings(slice_minimum_events=100, slice_minimum_learners=10, bootstrap_samples=200)


@pytest.fixture(scope="module")
def taught() -> tuple[School, MainBrain]:
    made = school(days=30)
    return made, made.fit()


def grades(made: School) -> pl.DataFrame:
    learners = made.table.keys["learner"].unique().sort()
    place = pl.int_range(pl.len())
    return learners.to_frame().select(
        "learner",
        grade=pl.when(place % 2 == 0).then(pl.lit("7")).otherwise(pl.lit("8")),
        region=pl.when(place < 3).then(pl.lit("north")),
        gender=pl.lit("*"),
    )


@pytest.fixture(scope="module")
def measured(taught: tuple[School, MainBrain]) -> CardMeasures:
    made, brain = taught
    return measure(brain, made.table, made.split, SETTINGS, attributes=grades(made), seed=1)


def test_noise_is_of_no_importance_and_what_carries_the_answer_is(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    importance = permutation_importance(brain, made.table.take(made.split.evaluate), seed=0)
    assert set(importance.increase) == set(NAMES)
    assert next(iter(importance.increase)) == "item_difficulty"
    assert abs(importance.increase["noise"]) < 0.003 < importance.increase["item_difficulty"]
    assert list(importance.increase.values()) == sorted(importance.increase.values(), reverse=True)


def test_importance_is_the_same_again_and_on_no_more_rows_than_asked(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    unseen = made.table.take(made.split.evaluate)
    one, two = (permutation_importance(brain, unseen, seed=3, most_rows=300) for _ in range(2))
    assert one == two
    assert one.rows == 300
    assert permutation_importance(brain, unseen, seed=4, most_rows=300).increase != one.increase


def test_features_for_which_no_time_is_left_are_named(taught: tuple[School, MainBrain]) -> None:
    made, brain = taught
    clock = itertools.count(0, 8)
    importance = permutation_importance(
        brain, made.table.take(made.split.evaluate), seed=0, most_seconds=20, timer=lambda: float(next(clock))
    )
    assert importance.unmeasured == NAMES[2:]
    assert set(importance.increase) == set(NAMES[:2])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=60))
def test_the_area_below_the_roc_curve_is_the_auc(answers: list[tuple[bool, int]]) -> None:
    correct = np.array([float(right) for right, _ in answers])
    probability = np.array([place / 6 for _, place in answers])
    curve = roc(correct, probability)
    assert (np.diff(curve.wrong) >= 0).all()
    assert (np.diff(curve.right) >= 0).all()
    assert (curve.wrong[0], curve.right[0], curve.wrong[-1], curve.right[-1]) == (0, 0, 1, 1)
    expected = area_under_curve(correct, probability)
    assert np.trapezoid(curve.right, curve.wrong) == pytest.approx(0.5 if expected is None else expected)


def test_a_long_roc_curve_is_thinned() -> None:
    random = np.random.default_rng(0)
    probability = random.random(5000)
    correct = (random.random(5000) < probability).astype(np.float64)
    curve = roc(correct, probability)
    assert curve.wrong.size <= 201
    area = area_under_curve(correct, probability)
    assert np.trapezoid(curve.right, curve.wrong) == pytest.approx(area, abs=1e-3)


def test_groups_have_intervals_around_what_the_evaluation_says(measured: CardMeasures) -> None:
    groups = {group.name: group for group in measured.groups}
    assert {"everybody", "subject: algebra", "subject: geometry", "grade: 7", "grade: 8"} <= set(groups)
    assert groups["everybody"].log_loss.mean == pytest.approx(measured.evaluation.scores.log_loss)
    for part in measured.evaluation.slices:
        group = groups[f"{part.kind}: {part.value}"]
        assert group.log_loss.mean == pytest.approx(part.scores.log_loss)
        assert group.events == part.scores.events
        assert group.log_loss.lower < group.log_loss.mean < group.log_loss.upper
        assert group.surprise.mean == pytest.approx(part.scores.share_correct - part.scores.mean_probability)
    assert groups["grade: 7"].events + groups["grade: 8"].events == groups["everybody"].events


def test_groups_too_small_or_suppressed_are_named_by_their_kind_only(measured: CardMeasures) -> None:
    assert set(measured.kinds_without_group) == {"region", "gender"}
    assert not [group for group in measured.groups if group.kind in ("region", "gender")]


def test_the_training_curve_falls_and_ends_where_the_summary_says(
    taught: tuple[School, MainBrain], measured: CardMeasures
) -> None:
    (boosted,) = taught[1].summary.boosted
    (curve,) = measured.curves
    assert curve.held_out[-1] == pytest.approx(boosted.held_out_log_loss)
    assert curve.fitted[-1] == pytest.approx(boosted.fit_log_loss)
    assert curve.fitted.size == curve.held_out.size == boosted.rounds
    assert curve.fitted[0] > curve.fitted[-1]
