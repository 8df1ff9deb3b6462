"""The arithmetic below the score, against numbers worked out by hand and laws that hold for every sample."""

import math
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.drift.scores.distance import column_drift, jensen_shannon_distance
from aivo_assets.drift.scores.inference import ClusteredMeans, clustered_means, increase, squared_distance
from aivo_assets.drift.scores.learners import poisson_binomial, read_blocks
from aivo_assets.drift.scores.measures import (
    auc_shortfall,
    calibration_error,
    calibration_line,
    discrimination_loss,
    refit_gain,
)
from aivo_assets.drift.scores.sample import Sample, read_sample
from aivo_assets.errors import ModelError
from aivo_assets.tracing.model.scores import area_under_curve
from aivo_assets_tests.drift.school import School


def sample_of(probability: list[float], correct: list[int], learner: list[int] | None = None) -> Sample:
    p = np.array(probability)
    codes = np.arange(len(p)) if learner is None else np.array(learner)
    return Sample(
        frame=pl.DataFrame(),
        probability=p,
        correct=np.array(correct, dtype=np.float64),
        logit=np.log(p / (1 - p)),
        learner=codes.astype(np.int64),
    )


def test_learners_and_not_events_are_the_unit_of_the_standard_error() -> None:
    values = np.array([[1.0], [1.0], [0.0], [0.0]])
    alone = clustered_means(values, np.array([0, 1, 2, 3]))
    alike = clustered_means(values, np.array([0, 0, 1, 1]))
    assert alone.mean[0] == alike.mean[0] == 0.5
    assert alone.covariance[0, 0] == pytest.approx(4 / 3 * (4 * 0.25) / 16)
    assert alike.covariance[0, 0] == pytest.approx(2 / 1 * (1 + 1) / 16)


def test_a_few_busy_learners_count_as_few() -> None:
    alike = clustered_means(np.zeros((100, 1)), np.repeat(np.arange(50), 2))
    busy = clustered_means(np.zeros((100, 1)), np.concatenate([np.zeros(51, dtype=np.int64), np.arange(1, 50)]))
    assert alike.clusters == pytest.approx(50.0)
    assert busy.clusters == pytest.approx(100**2 / (51**2 + 49))  # 3.8, though 50 learners answered


def test_a_reference_that_lies_elsewhere_brings_its_misfit_and_not_its_noise() -> None:
    # The school year goes on: the window holds a narrow part of a column that the reference knows from end to end.
    def school(seed: int, *, late: bool) -> Sample:
        rng = np.random.default_rng(seed)
        events = School(learners=150, events=10).week(seed)
        opportunities = rng.normal(85.0, 1.0, events.height) if late else rng.uniform(0.0, 100.0, events.height)
        return read_sample(events.with_columns(skill_opportunities=pl.Series(opportunities).cast(pl.Float32)))

    reference = school(1, late=False)
    found = [refit_gain(school(seed, late=True), reference, 0.95) for seed in range(2, 12)]
    assert max(effect.standard_error for effect in found) < 0.02, "nats; thousands where scores are compared"
    assert min(effect.chance for effect in found) > 0.001


def test_an_increase_has_the_errors_of_both_sides_and_a_student_t_bound() -> None:
    now = ClusteredMeans(np.array([0.5]), np.array([[0.03]]), 11)
    then = ClusteredMeans(np.array([0.2]), np.array([[0.01]]), 50)
    effect = increase(now, then, 0.95)
    assert effect.size == pytest.approx(0.3)
    assert effect.standard_error == pytest.approx(0.2)
    assert effect.lower == pytest.approx(0.3 - 1.812461 * 0.2, abs=1e-6)  # t, 10 degrees of freedom


def test_a_squared_distance_is_zero_on_average_where_nothing_moved() -> None:
    rng = np.random.default_rng(3)
    zero = ClusteredMeans(np.zeros(3), np.eye(3) * 0.5, 1000)
    drawn = rng.normal(0.0, math.sqrt(1.0), (6_000, 3))
    found = [squared_distance(ClusteredMeans(mean, np.eye(3) * 0.5, 1000), zero, np.eye(3), 0.95) for mean in drawn]
    sizes = np.array([effect.size for effect in found])
    assert sizes.mean() == pytest.approx(0.0, abs=0.1)
    at_null = squared_distance(zero, zero, np.eye(3), 0.95)
    assert at_null.standard_error == pytest.approx(sizes.std(), rel=0.05)


def test_what_chance_shows_once_in_twenty_is_shown_once_in_twenty() -> None:
    rng = np.random.default_rng(11)
    covariance = np.diag([1.0, 0.5, 0.2])
    zero = ClusteredMeans(np.zeros(3), covariance / 2, 5000)
    zero_line = ClusteredMeans(np.zeros(1), np.eye(1) / 2, 5000)
    drawn = rng.multivariate_normal(np.zeros(3), covariance, 4000)
    squared = [
        squared_distance(ClusteredMeans(mean, covariance / 2, 5000), zero, np.eye(3), 0.95).chance for mean in drawn
    ]
    linear = [increase(ClusteredMeans(mean[:1], np.eye(1) / 2, 5000), zero_line, 0.95).chance for mean in drawn]
    for chance in (np.array(squared), np.array(linear)):
        assert np.mean(chance <= 0.05) == pytest.approx(0.05, abs=0.012)
        assert np.mean(chance <= 0.5) == pytest.approx(0.5, abs=0.04)


def test_discrimination_loss_by_hand() -> None:
    # Centre of the log-odds: all variances are 0.16, so log(4) / 3. Residuals 0.2, -0.8, -0.2.
    window = sample_of([0.8, 0.8, 0.2], [1, 0, 0])
    by_hand = -math.log(4) * (0.2 * (1 - 1 / 3) - 0.8 * (1 - 1 / 3) - 0.2 * (-1 - 1 / 3)) / 3
    value, reference, effect = discrimination_loss(window, window, 0.95)
    assert value == reference == pytest.approx(by_hand)
    assert effect.size == 0.0


def expected(probability: list[float], truth: list[float]) -> float:
    """Expectation over all answers, each drawn with its true probability."""
    total = 0.0
    for answers in product([0, 1], repeat=len(truth)):
        chance = math.prod(t if y else 1 - t for t, y in zip(truth, answers, strict=True))
        total += chance * discrimination_loss(*[sample_of(probability, list(answers))] * 2, 0.95)[0]
    return total


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6))
def test_a_right_model_delivers_what_it_promises_on_average_whatever_the_mix(probability: list[float]) -> None:
    assert expected(probability, probability) == pytest.approx(0.0, abs=1e-9)


def test_a_shift_of_level_is_left_to_calibration_and_lost_contrast_is_not() -> None:
    probability = [0.3, 0.5, 0.6, 0.8, 0.9]
    logit = [math.log(p / (1 - p)) for p in probability]
    lower = [1 / (1 + math.exp(-(x - 0.01))) for x in logit]
    flat = [1 / (1 + math.exp(-(x * 0.5))) for x in logit]
    assert expected(probability, lower) == pytest.approx(0.0, abs=1e-5)
    assert expected(probability, flat) > 0.03


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.integers(0, 1)), min_size=2, max_size=20))
def test_auc_is_the_share_of_pairs_ranked_rightly(events: list[tuple[float, int]]) -> None:
    wrong = [p for p, y in events if not y]
    right = [p for p, y in events if y]
    found = area_under_curve(np.array([float(y) for _, y in events]), np.array([p for p, _ in events]))
    if not wrong or not right:
        assert found is None
        return
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in right for b in wrong]
    assert found == pytest.approx(sum(pairs) / len(pairs))


def test_the_promised_auc_is_the_one_that_answers_drawn_from_the_probabilities_show() -> None:
    rng = np.random.default_rng(5)
    p = rng.beta(3, 2, 4000)
    shortfalls, errors = [], []
    for _ in range(60):
        drawn = sample_of(p.tolist(), (rng.random(4000) < p).astype(int).tolist())
        value, _, effect = auc_shortfall(drawn, drawn, 0.95)
        shortfalls.append(value)
        errors.append(effect.standard_error / math.sqrt(2))
    assert np.mean(shortfalls) == pytest.approx(0.0, abs=0.004)
    assert np.mean(errors) == pytest.approx(np.std(shortfalls), rel=0.25)


def test_calibration_error_by_hand_and_its_floor_for_a_right_model() -> None:
    p = [0.2] * 10 + [0.8] * 10
    right = sample_of(p, [1, 1] + [0] * 8 + [1] * 8 + [0, 0])
    low, high = calibration_line(sample_of([0.5] * 20, [1] * 15 + [0] * 5))
    assert low == pytest.approx(0.25)
    assert high == pytest.approx(1.0)
    assert calibration_line(right)[0] == pytest.approx(0.0)
    rng = np.random.default_rng(0)
    drawn = rng.beta(3, 2, 3000)
    found = [calibration_error(sample_of(drawn.tolist(), (rng.random(3000) < drawn).astype(int))) for _ in range(40)]  # type: ignore[arg-type]
    error, floor = np.mean(found, axis=0)
    assert error == pytest.approx(floor, rel=0.1)


def test_an_overconfident_model_has_a_slope_below_one() -> None:
    rng = np.random.default_rng(1)
    logit = rng.normal(0.5, 1.5, 20_000)
    truth = rng.random(20_000) < 1 / (1 + np.exp(-0.7 * logit))
    slope = calibration_line(sample_of((1 / (1 + np.exp(-logit))).tolist(), truth.astype(int).tolist()))[1]
    assert 0.6 < slope < 0.85


def test_distances_by_hand() -> None:
    assert jensen_shannon_distance(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0.0
    assert jensen_shannon_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0
    # m = (3/4, 1/4): JSD = (log2(4/3) + (log2(2/3) + log2 2) / 2) / 2 = 0.311278 bits
    assert jensen_shannon_distance(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(
        math.sqrt(0.311278), abs=1e-5
    )


@pytest.mark.parametrize("kind", ["number", "text", "flag"])
def test_a_column_that_did_not_move_has_distance_zero_and_one_that_left_has_distance_one(kind: str) -> None:
    rng = np.random.default_rng(2)
    make = {
        "number": lambda shift: pl.Series(rng.normal(100.0 * shift, 1.0, 2000)),
        "text": lambda shift: pl.Series(["a", "b"][shift : shift + 1] * 2000),
        "flag": lambda shift: pl.Series([bool(shift)] * 2000),
    }[kind]
    learners = np.arange(2000) // 10
    same = column_drift((make(0), learners), (make(0), learners), 0.95)[1]
    gone = column_drift((make(1), learners), (make(0), learners), 0.95)[1]
    assert same.lower == 0.0
    assert gone.lower > 0.9


def test_a_column_that_became_unknown_has_moved_and_two_unknown_ones_have_not() -> None:
    known, unknown = pl.Series([1.0, 2.0] * 200), pl.Series([None] * 400, dtype=pl.Float32)
    learners = np.arange(400) // 4
    assert column_drift((unknown, learners), (known, learners), 0.95)[1].lower == pytest.approx(1.0)
    assert column_drift((unknown, learners), (unknown, learners), 0.95)[1].lower == 0.0


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6))
def test_the_number_of_successes_is_counted_exactly(probability: list[float]) -> None:
    expected = [0.0] * (len(probability) + 1)
    for answers in product([0, 1], repeat=len(probability)):
        expected[sum(answers)] += math.prod(p if y else 1 - p for p, y in zip(probability, answers, strict=True))
    np.testing.assert_allclose(poisson_binomial(np.array([probability]))[0], expected, atol=1e-12)


def test_blocks_are_complete_in_order_and_called_as_often_as_chance_says() -> None:
    week = School(learners=1000, events=45, clustering=0.0).week(4)
    blocks = read_blocks(read_sample(week.sample(fraction=1.0, shuffle=True, seed=1)), 20)
    assert (blocks.events, blocks.learners) == (40_000, 1000)
    assert 0.0 < np.mean(blocks.chance_over + blocks.chance_under) <= 0.05
    assert np.mean(blocks.surprise) == pytest.approx(0.0, abs=0.015)


def test_scored_events_that_cannot_be_judged_are_refused_with_the_value() -> None:
    week = School(learners=3, events=3).week(0)
    broken = week.with_columns(probability=pl.when(pl.int_range(pl.len()) == 4).then(1.2).otherwise("probability"))
    with pytest.raises(ModelError, match=r"1 of 9 scored events cannot be judged.*probability=1\.2"):
        read_sample(broken)
    with pytest.raises(ModelError, match="probability=None"):
        read_sample(week.with_columns(probability=pl.lit(None, dtype=pl.Float64)))
