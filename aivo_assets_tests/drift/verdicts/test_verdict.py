"""When a model is retrained: never on a small sample, twice in a row or once extremely, and not again in cool-down."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.drift.reports.plots import plot_scores
from aivo_assets.drift.schema import DRIFT_SCORES, DRIFT_VERDICTS
from aivo_assets.drift.verdicts.verdict import judge
from aivo_assets.settings import DriftSettings
from aivo_assets_tests.drift.school import DAY, School
from aivo_assets_tests.drift.scored import score_main_brain

SETTINGS = DriftSettings()
MONDAY = date(2024, 3, 4)
NONE = DRIFT_VERDICTS.empty()


def check(
    score: float,
    *,
    day: date = MONDAY,
    events: int = 4000,
    learners: int = 200,
    reference_events: int = 9000,
    moved: float = 0.0,
    version: str = "v1",
    model_id: str = "main_brain",
) -> pl.DataFrame:
    same = {
        "day": day,
        "model_id": model_id,
        "model_version": version,
        "window_first": day - timedelta(days=6),
        "window_last": day,
        "events": events,
        "learners": learners,
        "reference_events": reference_events,
        "reference_learners": 300,
    }
    rows = [
        {"measure": "discrimination_loss", "role": "decides", "effect": 0.02, "standard_error": 0.004, "score": score},
        {"measure": "auc_shortfall", "role": "decides", "effect": 0.01, "standard_error": 0.004, "score": score / 2},
        {"measure": "feature_distance:item_difficulty", "role": "explains", "score": moved},
        {"measure": "log_loss", "role": "describes", "value": 0.55, "reference_value": 0.53},
    ]
    return pl.DataFrame([same | row for row in rows], schema=dict(DRIFT_SCORES.schema), orient="row")


def days_of(scores: list[float | None]) -> list[str]:
    """Verdicts of days in a row; None is a day with too few events."""
    checks = [
        check(score or 0.0, day=MONDAY + timedelta(days=i), events=10 if score is None else 4000)
        for i, score in enumerate(scores)
    ]
    return judge(pl.concat(checks), NONE, SETTINGS)["verdict"].to_list()


def test_nothing_lost_is_ok_and_the_row_carries_the_numbers() -> None:
    row = judge(check(0.0, moved=0.1), NONE, SETTINGS).row(0, named=True)
    assert row["verdict"] == "ok"
    assert row["reason"] == "Score 0.00: no significant loss since the promotion. Not above 0.15: nothing to do."
    assert (row["score"], row["breaches"], row["events"], row["learners"]) == (0.0, 0, 4000, 200)
    assert (row["log_loss"], row["reference_log_loss"], row["auc"]) == (0.55, 0.53, None)
    assert (row["explained_by"], row["explained_distance"]) == ("feature_distance:item_difficulty", 0.1)
    assert (row["retrain_score"], row["alert_score"]) == (0.15, 0.25)


def test_a_first_breach_is_watched_and_a_second_in_a_row_retrains() -> None:
    assert days_of([0.2, 0.2]) == ["watch", "retrain"]
    assert days_of([0.2, 0.1, 0.2, 0.16]) == ["watch", "ok", "watch", "retrain"]


def test_an_extreme_breach_alerts_at_once() -> None:
    row = judge(check(0.3), NONE, SETTINGS).row(0, named=True)
    assert row["verdict"] == "alert"
    assert row["measure"] == "discrimination_loss"
    assert row["reason"] == (
        "Score 0.30: advantage that was promised and not delivered rose by 0.0200 nats ± 0.0040 over the reference. "
        "Above 0.25: retrain at once and tell people."
    )


@pytest.mark.parametrize(("score", "verdict"), [(0.15, "ok"), (0.1501, "watch"), (0.25, "watch"), (0.2501, "alert")])
def test_thresholds_must_be_exceeded(score: float, verdict: str) -> None:
    assert judge(check(score), NONE, SETTINGS)["verdict"].to_list() == [verdict]


def test_a_weekend_without_events_does_not_break_a_row() -> None:
    assert days_of([0.2, None, None, 0.2]) == ["watch", "too_few_events", "too_few_events", "retrain"]


def test_a_breach_older_than_a_window_is_forgotten() -> None:
    before = judge(check(0.2), NONE, SETTINGS)
    assert judge(check(0.2, day=MONDAY + timedelta(days=7)), before, SETTINGS)["verdict"].to_list() == ["retrain"]
    assert judge(check(0.2, day=MONDAY + timedelta(days=8)), before, SETTINGS)["verdict"].to_list() == ["watch"]


def test_after_a_retrain_verdict_the_model_is_left_alone_for_the_cool_down() -> None:
    assert days_of([0.2] * 6) == ["watch", "retrain", "watch", "watch", "watch", "retrain"]
    row = judge(check(0.2, day=MONDAY + timedelta(days=1)), judge(check(0.3), NONE, SETTINGS), SETTINGS).row(
        0, named=True
    )
    assert row["verdict"] == "watch"
    assert "2024-03-04" in row["reason"]


def test_in_the_cool_down_one_alert_is_let_through_and_not_repeated() -> None:
    assert days_of([0.2, 0.2, 0.4, 0.4, 0.4, 0.4, 0.4]) == [
        *("watch", "retrain", "alert"),
        *("watch", "watch", "watch", "alert"),
    ]


def test_a_new_champion_begins_a_new_row_and_stays_in_the_cool_down() -> None:
    first = judge(check(0.2), NONE, SETTINGS)
    other = check(0.2, day=MONDAY + timedelta(days=1), version="v2")
    assert judge(other, first, SETTINGS)["verdict"].to_list() == ["watch"]
    retrained = judge(check(0.2, day=MONDAY + timedelta(days=1)), first, SETTINGS)
    history = pl.concat([first, retrained])
    newcomer = pl.concat([check(0.2, day=MONDAY + timedelta(days=i), version="v2") for i in (2, 3)])
    assert judge(newcomer, history, SETTINGS)["verdict"].to_list() == ["watch", "watch"]


def test_models_do_not_share_their_rows() -> None:
    today = pl.concat([check(0.3, model_id="student_models"), check(0.0)])
    verdicts = judge(today, judge(check(0.2, day=MONDAY - timedelta(days=1)), NONE, SETTINGS), SETTINGS)
    assert verdicts.select("model_id", "verdict").rows() == [("main_brain", "ok"), ("student_models", "alert")]


def test_data_drift_alone_is_watched_and_named() -> None:
    row = judge(check(0.05, moved=0.45), NONE, SETTINGS).row(0, named=True)
    assert row["verdict"] == "watch"
    assert "item difficulty by a Jensen-Shannon distance of 0.45" in row["reason"]
    assert row["breaches"] == 0


@pytest.mark.parametrize(("events", "learners"), [(499, 200), (4000, 19), (0, 0)])
def test_a_small_sample_gives_no_verdict_however_bad_it_looks(events: int, learners: int) -> None:
    row = judge(check(1.0, events=events, learners=learners), NONE, SETTINGS).row(0, named=True)
    assert (row["verdict"], row["score"]) == ("too_few_events", None)
    assert f"{events:,} events of {learners:,} learners from 2024-02-27 to 2024-03-04" in row["reason"]


def test_without_a_reference_there_is_no_verdict() -> None:
    row = judge(check(1.0, reference_events=0), NONE, SETTINGS).row(0, named=True)
    assert (row["verdict"], row["score"]) == ("no_reference", None)


def test_judging_a_day_again_gives_the_same_verdict() -> None:
    first = judge(check(0.2), NONE, SETTINGS)
    today = check(0.2, day=MONDAY + timedelta(days=1))
    once = judge(today, first, SETTINGS)
    later = judge(check(0.9, day=MONDAY + timedelta(days=2)), NONE, SETTINGS)
    assert_frame_equal(judge(today, pl.concat([later, once, first]), SETTINGS), once)


def test_days_at_once_and_day_by_day_agree() -> None:
    checks = [check(s, day=MONDAY + timedelta(days=i)) for i, s in enumerate([0.2, 0.3, 0.2, 0.0, 0.2, 0.2])]
    history = NONE
    for today in checks:
        history = pl.concat([history, judge(today, history, SETTINGS)])
    assert_frame_equal(judge(pl.concat(checks).sample(fraction=1.0, shuffle=True, seed=1), NONE, SETTINGS), history)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9))
def test_no_two_retrainings_within_a_cool_down_unless_the_second_is_the_first_alert(scores: list[float]) -> None:
    verdicts = days_of(list(scores))
    for i, verdict in enumerate(verdicts):
        recent = verdicts[max(0, i - SETTINGS.cooldown_days) : i]
        if verdict == "retrain":
            assert not {"retrain", "alert"} & set(recent)
        if verdict == "alert":
            assert "alert" not in recent
        if scores[i] <= SETTINGS.retrain_score:
            assert verdict in ("ok", "watch")


def test_nothing_to_judge_is_no_verdict() -> None:
    assert_frame_equal(judge(DRIFT_SCORES.empty(), NONE, SETTINGS), NONE)


def test_a_real_week_goes_through_to_its_verdict() -> None:
    reference = School(learners=250).week(1)
    arguments = {"day": DAY, "settings": SETTINGS}
    well = score_main_brain(School(learners=100).week(2), reference, **arguments)  # type: ignore[arg-type]
    ill = score_main_brain(School(learners=100, flipped=0.15).week(2), reference, **arguments)  # type: ignore[arg-type]
    assert judge(well, NONE, SETTINGS)["verdict"].to_list() == ["ok"]
    assert judge(ill, NONE, SETTINGS)["verdict"].to_list() == ["alert"]


@pytest.mark.parametrize("scores", [[], [None], [0.1, None, 0.2, 0.3]])
def test_the_score_over_time_is_drawn_also_with_gaps(scores: list[float | None]) -> None:
    checks = [
        check(score or 0.0, day=MONDAY + timedelta(days=i), events=1 if score is None else 4000)
        for i, score in enumerate(scores)
    ]
    verdicts = judge(pl.concat([DRIFT_SCORES.empty(), *checks]), NONE, SETTINGS)
    png = plot_scores(verdicts, SETTINGS)
    assert png.startswith(b"\x89PNG")
    assert len(png) > 3000


def test_many_cohorts_with_long_names_leave_room_for_the_lines() -> None:
    of_model = judge(pl.concat([check(0.2, day=MONDAY + timedelta(days=i)) for i in range(3)]), NONE, SETTINGS)
    cohorts = [f"main_brain/disability={'a very long value ' * 20}{number}" for number in range(40)]
    verdicts = pl.concat([of_model, *(of_model.with_columns(model_id=pl.lit(name)) for name in cohorts)])
    assert plot_scores(verdicts, SETTINGS).startswith(b"\x89PNG")  # a layout that collapses warns, which is an error
