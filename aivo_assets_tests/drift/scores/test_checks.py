"""One check of all models: fresh losses are not diluted, groups are seen apart, chance has a budget."""

import math
from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.scores.cohorts import unit_of
from aivo_assets.drift.scores.sample import read_sample
from aivo_assets.drift.scores.scores import chance_of_one
from aivo_assets.drift.verdicts.checks import check_models
from aivo_assets.drift.verdicts.verdict import judge
from aivo_assets.settings import DriftSettings
from aivo_assets_tests.drift.school import DAY, School

SETTINGS = DriftSettings()
REFERENCE = School(learners=250, events=40).week(10_000)


def scores(window: pl.DataFrame, attributes: pl.DataFrame | None = None, **changed: object) -> pl.DataFrame:
    settings = DriftSettings.model_validate(changed)
    return check_models(window, REFERENCE, attributes, day=DAY, settings=settings, explain=False)


def deciding(found: pl.DataFrame, model_id: str) -> pl.DataFrame:
    return found.filter(pl.col("role").cast(pl.String) == "decides", pl.col("model_id") == model_id)


def worst(found: pl.DataFrame, model_id: str = "main_brain") -> float:
    score = deciding(found, model_id)["score"].max()
    assert isinstance(score, float)
    return score


def verdicts(found: pl.DataFrame) -> dict[str, str]:
    judged = judge(found, DRIFT_VERDICTS.empty(), SETTINGS)
    return dict(judged.select("model_id", pl.col("verdict").cast(pl.String)).rows())


def fault_today(fault: School, seed: int) -> pl.DataFrame:
    """Six right days and a seventh with a fault."""
    well, ill = School(learners=fault.learners, events=fault.events).week(seed), fault.week(seed)
    return pl.concat([well.filter(pl.col("day") < DAY), ill.filter(pl.col("day") == DAY)])


@pytest.mark.parametrize("seed", range(3))
def test_a_fault_that_began_today_is_found_today_and_not_diluted(seed: int) -> None:
    window = fault_today(School(learners=400, events=49, harder=1.5), seed)
    assert worst(scores(window, quick_days=())) <= SETTINGS.retrain_score
    found = scores(window)
    assert worst(found) > SETTINGS.alert_score
    row = judge(found, DRIFT_VERDICTS.empty(), SETTINGS).row(by_predicate=pl.col("verdict") == "alert", named=True)
    assert row["window_first"] == row["window_last"] == DAY
    assert "over the reference on the last day." in row["reason"]


def test_a_day_with_too_few_answers_is_judged_by_the_longer_windows_only() -> None:
    week = School(learners=200, events=40).week(3)
    sunday = pl.concat([week.filter(pl.col("day") < DAY), week.filter(pl.col("day") == DAY).head(30)])
    firsts = scores(sunday).filter(pl.col("model_id") == "main_brain")["window_first"].unique().sort().to_list()
    assert firsts == [DAY - timedelta(days=6), DAY - timedelta(days=1)]


def test_whole_models_and_cohorts_have_half_of_one_budget_of_false_alarms_each() -> None:
    found = scores(School(learners=400, events=49).week(5)).filter(pl.col("measure") == "calibration_loss")
    quantile = found.select(
        "model_id", "window_first", quantile=(pl.col("effect") - pl.col("lower")) / pl.col("standard_error")
    )
    whole, cohorts = (quantile.filter(pl.col("model_id").str.contains("/") == part) for part in (False, True))
    assert (whole.height, cohorts.height) == (3, 6), "subjects of a week, new learners and algebra of each window"
    for part in (whole, cohorts):
        sure = SETTINGS.false_alarms_a_year / 2 / (365 * 5 * part.height)
        assert chance_of_one(part.height, SETTINGS, share=0.5) == pytest.approx(sure)
        # Student's t of at most 250 equally active learners: as wide as that or wider, and not by much.
        assert 0.999999 < part["quantile"].min() / stats.t.isf(sure, 249) < 1.001


def test_where_there_is_no_cohort_the_whole_has_all_of_the_budget() -> None:
    week = School(learners=400, events=49).week(5).with_columns(pl.lit("algebra").alias("subject"))
    found = scores(week.with_columns(pl.col("learner_opportunities") + 1000), quick_days=())
    assert found["model_id"].unique().sort().to_list() == ["main_brain", "student_models"]
    row = deciding(found, "main_brain").row(by_predicate=pl.col("measure") == "calibration_loss", named=True)
    quantile = (row["effect"] - row["lower"]) / row["standard_error"]
    assert quantile == pytest.approx(stats.t.isf(SETTINGS.false_alarms_a_year / (365 * 5), 249), rel=1e-6)


def test_a_reference_that_is_kept_scores_as_one_that_is_read_anew() -> None:
    kept = read_sample(REFERENCE)
    for seed in (1, 2):
        week = School(learners=300, events=49, subject_harder=0.5).week(seed)
        # Another subject in front, so that what was carried from the check before would be wrong.
        week = week.with_columns(pl.col("subject").replace("geometry", "latin") if seed == 2 else pl.col("subject"))
        arguments = {"day": DAY, "settings": SETTINGS, "explain": False}
        again = check_models(week, kept, None, **arguments)  # type: ignore[arg-type]
        assert_frame_equal(again, check_models(week, REFERENCE, None, **arguments))  # type: ignore[arg-type]


def test_answers_that_follow_too_fast_and_are_wrong_are_a_loss_that_a_re_fit_would_win() -> None:
    week = School(learners=400, events=49).week(8)
    fast = pl.col("log_gap") < REFERENCE["log_gap"].quantile(0.12)
    guessed = week.with_columns(correct=pl.when(fast).then(0).otherwise("correct").cast(pl.Int8))
    found = deciding(scores(guessed, quick_days=()), "main_brain")
    loss = dict(found.select("measure", "score").rows())
    assert loss["refit_loss"] > SETTINGS.alert_score
    assert loss["refit_loss"] > 1.5 * loss["calibration_loss"]


def test_a_loss_counts_by_its_best_estimate_once_it_is_beyond_chance() -> None:
    found = deciding(scores(School(learners=400, events=49, harder=0.6).week(2)), "main_brain")
    row = found.filter(pl.col("measure") == "calibration_loss", pl.col("window_first") < DAY - timedelta(days=5))
    base = float(REFERENCE["correct"].mean())  # type: ignore[arg-type]
    entropy = -base * math.log(base) - (1 - base) * math.log(1 - base)
    p = pl.col("probability")
    loss = REFERENCE.select(-pl.when(pl.col("correct") == 1).then(p.log()).otherwise((1 - p).log()).mean()).item()
    assert row["score"].item() == pytest.approx(row["effect"].item() / (entropy - loss), rel=1e-6)
    assert row["effect"].item() > row["lower"].item() > 0.0


def test_a_subject_that_fails_is_named_while_the_whole_holds() -> None:
    found = scores(School(learners=600, events=49, subject_harder=0.9).week(3), quick_days=())
    assert worst(found) <= SETTINGS.retrain_score
    assert worst(found, "main_brain/subject=geometry") > SETTINGS.alert_score
    assert worst(found, "main_brain/subject=algebra") == 0.0
    assert verdicts(found)["main_brain/subject=geometry"] == "alert"


def test_a_published_group_that_fails_is_named_and_a_suppressed_one_is_no_group() -> None:
    week = School(learners=400, events=49).week(4)
    learners = week["learner"].unique().sort()
    groups = pl.DataFrame(
        {"learner": learners, "grade": ["5" if i % 4 == 0 else "6" if i % 4 < 3 else "*" for i in range(400)]}
    )
    fifth = pl.col("learner").is_in(groups.filter(pl.col("grade") == "5")["learner"].implode())
    ill = week.with_columns(correct=pl.when(fifth).then(1 - pl.col("correct")).otherwise("correct").cast(pl.Int8))
    found = scores(ill, groups)
    assert worst(found, "main_brain/grade=5") == 1.0
    assert worst(found, "main_brain/grade=6") == 0.0
    assert worst(found, "student_models/grade=5") > SETTINGS.alert_score
    assert not [name for name in found["model_id"].unique() if "*" in name]


def test_new_learners_are_looked_at_apart() -> None:
    week = School(learners=400, events=49).week(6)
    assert "main_brain/new learners" in scores(week)["model_id"].unique().to_list()
    old = week.with_columns(pl.col("learner_opportunities") + 1000)
    assert "main_brain/new learners" not in scores(old)["model_id"].unique().to_list()


def test_a_subject_that_the_reference_has_not_is_held_to_what_was_promised_of_all() -> None:
    week = School(learners=600, events=49, subject_harder=1.6).week(7)
    renamed = week.with_columns(subject=pl.col("subject").replace("geometry", "latin"))
    found = scores(renamed, quick_days=())
    rows = deciding(found, "main_brain/subject=latin")
    assert rows["reference_events"].to_list() == [REFERENCE.height] * rows.height
    assert worst(found, "main_brain/subject=latin") > SETTINGS.alert_score


def test_one_fault_asks_for_one_training_by_the_gravest_verdict() -> None:
    found = scores(School(learners=400, events=49, guessing=0.5).week(1))
    judged = judge(found, DRIFT_VERDICTS.empty(), SETTINGS)
    asking = judged.filter(pl.col("verdict").cast(pl.String).is_in(["retrain", "alert"]))
    assert asking.select("model_id", pl.col("verdict").cast(pl.String)).rows() == [("main_brain", "alert")]
    assert "Also lost: main_brain/" in asking["reason"][0]
    covered = judged.filter(pl.col("reason").str.contains("The training of main_brain covers it."))
    assert "student_models" in covered["model_id"].to_list()
    assert covered["verdict"].cast(pl.String).unique().to_list() == ["watch"]


def test_a_cohort_leaves_its_model_alone_in_the_cool_down_that_the_model_began() -> None:
    window = School(learners=600, events=49, flipped=0.25).week(1)
    first = judge(scores(window), DRIFT_VERDICTS.empty(), SETTINGS)
    tomorrow = check_models(
        window.with_columns(pl.col("day") + timedelta(days=1)),
        REFERENCE,
        None,
        day=DAY + timedelta(days=1),
        settings=SETTINGS,
        explain=False,
    )
    second = judge(tomorrow, first, SETTINGS)
    assert not {"retrain", "alert"} & set(second["verdict"].cast(pl.String))


@pytest.mark.parametrize(
    ("model_id", "unit"), [("main_brain/grade=5", "main_brain"), ("student_models", "student_models")]
)
def test_a_cohort_is_trained_with_its_model(model_id: str, unit: str) -> None:
    assert unit_of(model_id) == unit


@pytest.mark.slow
def test_no_training_is_asked_for_in_60_checks_of_a_school_that_stays_as_it_was() -> None:
    asked = [verdicts(scores(School(learners=150, events=49).week(seed))) for seed in range(500, 560)]
    assert not [found for found in asked if {"retrain", "alert"} & set(found.values())]


def test_an_empty_window_and_no_reference_are_rows_of_the_whole_models_only() -> None:
    week = School(learners=60).week(1)
    for window, reference in ((week.clear(), REFERENCE), (week, None)):
        found = check_models(window, reference, None, day=DAY, settings=SETTINGS)
        assert found["model_id"].to_list() == ["main_brain", "student_models"]
