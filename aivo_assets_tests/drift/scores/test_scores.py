"""What the score is: zero where nothing changed, never smaller for worse answers, deaf to the mix and to noise."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.drift.schema import DESCRIPTIONS, DRIFT_REFERENCE, DRIFT_SCORES, DRIFT_VERDICTS, SCORED_EVENTS
from aivo_assets.drift.scores.scores import share_lost
from aivo_assets.errors import ModelError
from aivo_assets.settings import DriftSettings
from aivo_assets_tests.drift.school import DAY, School
from aivo_assets_tests.drift.scored import score_main_brain, score_student_models

SETTINGS = DriftSettings()
REFERENCE = School(learners=250, events=40).week(10_000)


def scores(window: pl.DataFrame, reference: pl.DataFrame | None = REFERENCE) -> pl.DataFrame:
    arguments = {"day": DAY, "settings": SETTINGS}
    return pl.concat(
        [score_main_brain(window, reference, **arguments), score_student_models(window, reference, **arguments)]  # type: ignore[arg-type]
    )


def decisive(found: pl.DataFrame) -> float:
    deciding = found.filter(pl.col("role").cast(pl.String) == "decides")
    return float(deciding["score"].max())  # type: ignore[arg-type]


def worst(window: pl.DataFrame) -> float:
    return decisive(score_main_brain(window, REFERENCE, day=DAY, settings=SETTINGS, explain=False))


def worst_students(window: pl.DataFrame) -> float:
    return decisive(score_student_models(window, REFERENCE, day=DAY, settings=SETTINGS))


def of(found: pl.DataFrame, measure: str) -> dict[str, float]:
    return found.row(by_predicate=pl.col("measure") == measure, named=True)


@given(st.floats(-1.0, 2.0), st.floats(-1.0, 2.0), st.floats(0.001, 1.0))
def test_the_mapping_from_loss_to_score_is_monotone_and_bounded(a: float, b: float, advantage: float) -> None:
    low, high = sorted((a, b))
    assert 0.0 <= share_lost(low, advantage) <= share_lost(high, advantage) <= 1.0


def test_the_score_is_the_share_of_the_advantage() -> None:
    assert share_lost(0.015, 0.1) == pytest.approx(0.15)
    assert share_lost(-0.2, 0.1) == 0.0
    assert share_lost(0.3, 0.1) == 1.0
    assert share_lost(float("nan"), 0.1) == 0.0


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.integers(25, 120), st.integers(20, 50))
def test_a_window_like_its_reference_has_score_zero(seed: int, learners: int, events: int) -> None:
    week = School(learners=learners, events=events).week(seed)
    found = scores(week, week)
    assert found["score"].drop_nulls().to_list() == [0.0] * found["score"].drop_nulls().len()
    describing = found.filter(pl.col("role").cast(pl.String) == "describes")
    assert describing["value"].to_list() == pytest.approx(describing["reference_value"].to_list())


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(seed: int, random: object) -> None:
    week = School(learners=60, events=45, harder=0.4).week(seed)
    shuffled = week.sample(fraction=1.0, shuffle=True, seed=seed)
    assert_frame_equal(scores(week), scores(shuffled), abs_tol=1e-9)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([-1.0, 1.0]))
def test_the_more_the_probabilities_are_off_the_higher_the_score(seed: int, direction: float) -> None:
    week = School(learners=300, events=40).week(seed)
    logit = (pl.col("probability") / (1.0 - pl.col("probability"))).log()
    found = []
    for shift in (0.0, 0.4, 0.8, 1.2, 1.8):
        moved = 1.0 / (1.0 + (-(logit + direction * shift)).exp())
        found.append(worst(week.with_columns(probability=moved)))
    assert found == sorted(found)
    assert found[0] < 0.1
    assert found[-1] > 0.25


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_the_more_overconfident_the_higher_the_score(seed: int) -> None:
    week = School(learners=300, events=40).week(seed)
    logit = (pl.col("probability") / (1.0 - pl.col("probability"))).log()
    found = [worst(week.with_columns(probability=1.0 / (1.0 + (-logit * k).exp()))) for k in (1.0, 1.5, 2.0, 3.0)]
    assert found == sorted(found)
    assert found[-1] > 0.25


@pytest.mark.slow
@pytest.mark.parametrize("school", [School(learners=150), School(learners=40, events=30)], ids=["class", "small"])
def test_no_false_alarm_in_200_weeks_of_the_same_school(school: School) -> None:
    found = [worst(school.week(seed)) for seed in range(200)]
    assert max(found) <= SETTINGS.retrain_score


@pytest.mark.slow
def test_at_the_least_sample_one_check_in_a_hundred_may_breach_and_none_alarms() -> None:
    school = School(learners=SETTINGS.minimum_learners, events=25)
    found = np.array([worst(school.week(seed)) for seed in range(200)])
    assert np.mean(found > SETTINGS.retrain_score) <= 0.01
    assert found.max() <= SETTINGS.alert_score


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        (School(harder=0.8), 0.25),
        (School(harder=-0.8), 0.15),
        (School(flipped=0.1), 0.25),
        (School(guessing=0.3), 0.15),
        (School(subject_harder=2.0), 0.15),
    ],
    ids=["items harder", "items easier", "labels flipped", "a wave of guessing", "one subject harder"],
)
def test_harmful_faults_are_found_in_every_one_of_20_weeks(fault: School, least: float) -> None:
    assert min(worst(fault.week(seed)) for seed in range(20)) > least


@pytest.mark.parametrize(
    "harmless", [School(difficulty=0.5), School(newcomers=0.6)], ids=["known harder items", "newcomers"]
)
def test_a_change_that_the_model_knew_of_is_reported_and_does_not_decide(harmless: School) -> None:
    for seed in range(4):
        found = scores(harmless.week(seed))
        assert decisive(found) <= SETTINGS.retrain_score
        explaining = found.filter(pl.col("role").cast(pl.String) == "explains")
        assert float(explaining["score"].max()) > SETTINGS.watch_distance  # type: ignore[arg-type]
    plain = of(found, "log_loss")
    assert plain["value"] > plain["reference_value"], "a plain loss rule would have alarmed"


def test_misjudged_learners_are_seen_by_the_population_of_student_models() -> None:
    held = [worst_students(School().week(seed)) for seed in range(20)]
    found = [worst_students(School(guessing=0.4).week(seed)) for seed in range(20)]
    assert max(held) < 0.1
    assert min(found) > 0.15
    rows = scores(School(guessing=0.4).week(1))
    assert of(rows, "overestimated_learners")["value"] > 10 * abs(of(rows, "underestimated_learners")["value"])


def test_the_subject_that_moved_is_found_although_the_average_holds() -> None:
    rows = scores(School(learners=600, subject_harder=1.6).week(3))
    assert of(rows, "refit_loss")["score"] > 2 * of(rows, "calibration_loss")["score"]


def test_events_outside_the_window_are_not_looked_at() -> None:
    late = School(harder=3.0).week(8, day=DAY + timedelta(days=7))
    early = School(harder=3.0).week(9, day=DAY - timedelta(days=7))
    week = School().week(1)
    assert_frame_equal(scores(pl.concat([early, week, late])), scores(week))


def test_answers_of_two_models_are_not_compared() -> None:
    with pytest.raises(ModelError, match=r"window \['v2'\], reference \['v1'\]"):
        scores(School().week(1, version="v2"))


@pytest.mark.parametrize("reference", [None, REFERENCE.clear()])
def test_without_a_reference_there_is_a_row_that_says_so(reference: pl.DataFrame | None) -> None:
    found = scores(School().week(1), reference)
    assert found["model_id"].to_list() == ["main_brain", "student_models"]
    assert found["reference_events"].to_list() == [0, 0]
    assert found["model_version"].to_list() == ["v1", "v1"]
    assert found["score"].null_count() == 2


def test_an_empty_window_a_constant_model_and_one_kind_of_answer_are_scored() -> None:
    week = School(learners=30, events=25).week(1)
    assert scores(week.clear())["events"].to_list() == [0, 0]
    constant = week.with_columns(probability=pl.lit(0.64))
    assert np.isfinite(scores(constant, constant)["score"].drop_nulls().to_numpy()).all()
    right = week.with_columns(correct=pl.lit(1, dtype=pl.Int8))
    assert np.isfinite(scores(right)["score"].drop_nulls().to_numpy()).all()
    sure = week.with_columns(probability=pl.lit(1.0))
    assert worst(sure) == 1.0


def test_columns_that_a_source_does_not_have_are_no_obstacle() -> None:
    bare = (
        School(learners=60)
        .week(1)
        .with_columns(
            response_time_ms=pl.lit(None, dtype=pl.Float32),
            seen_item=pl.lit(None, dtype=pl.Boolean),
            log_gap=pl.lit(None, dtype=pl.Float32),
        )
    )
    found = scores(bare, bare)
    assert found.filter(pl.col("score") > 0).is_empty()


def test_every_column_of_every_dataset_is_described() -> None:
    for dataset in (SCORED_EVENTS, DRIFT_REFERENCE, DRIFT_SCORES, DRIFT_VERDICTS):
        described = DESCRIPTIONS[dataset.path]
        assert list(dataset.schema.keys() - described.keys()) == []
        assert all(sentence.endswith(".") for sentence in described.values())
