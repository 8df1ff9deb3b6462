"""What happens when runs meet or days are missed: Sunday's two trainings, overlaps, days without a daemon."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus

from aivo_assets.automation.schedules import ABOUT_PEOPLE, build_schedules
from aivo_assets.automation.ticks import days_left_out, first_day_missed, steps_aside
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.lake import Lake, open_lake
from aivo_assets.operations.jobs.causes import Cause
from aivo_assets.operations.jobs.names import TRAINED_AT, WITHOUT_TRAINING_TAG, model_trained
from aivo_assets.settings import ScheduleSettings, Settings

SUNDAY = datetime(2026, 3, 15, tzinfo=UTC)
MONDAY = datetime(2026, 3, 16, tzinfo=UTC)
DAY = timedelta(days=1)
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@pytest.fixture
def instance(emptied: dg.DagsterInstance) -> dg.DagsterInstance:
    return emptied


@pytest.fixture
def tick(instance: dg.DagsterInstance, definitions: dg.Definitions) -> Any:
    def evaluate(name: str, at: datetime, settings: Settings | None = None) -> dg.RunRequest | str:
        repository = definitions.get_repository_def()
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at, repository_def=repository)
        schedule = next(each for each in build_schedules(settings or Settings()) if each.name == name)
        if settings is None:
            schedule = definitions.resolve_schedule_def(name)
            data = schedule.evaluate_tick(context)
            return data.run_requests[0] if data.run_requests else str(data.skip_message)
        assert callable(schedule._execution_fn)
        answer = schedule._execution_fn(context)
        return str(answer.skip_message) if isinstance(answer, dg.SkipReason) else answer

    return evaluate


def trained(instance: dg.DagsterInstance, at: datetime) -> None:
    metadata = {TRAINED_AT: at.isoformat()}
    instance.report_runless_asset_event(dg.AssetMaterialization("main_brain_candidate", metadata=metadata))


def test_on_sunday_the_daily_training_steps_aside_for_the_weekly_one(tick: Any) -> None:
    answer = tick("aivo_main_brain_daily", SUNDAY + timedelta(hours=2))
    assert "weekly retraining is due at 2026-03-15 03:00" in answer
    assert isinstance(tick("weekly_full_retraining", SUNDAY + timedelta(hours=3)), dg.RunRequest)


@pytest.mark.parametrize("weekday", range(1, 7))
def test_on_every_other_day_it_trains(weekday: int, tick: Any) -> None:
    assert isinstance(tick("aivo_main_brain_daily", SUNDAY + weekday * DAY + timedelta(hours=2)), dg.RunRequest)


def test_from_sunday_to_sunday_each_day_trains_once_and_never_twice_within_twenty_hours(
    tick: Any, instance: dg.DagsterInstance
) -> None:
    """Every tick of daily and weekly schedule over eight days, in order, each training done at its tick."""
    trainings = []
    for day in range(8):
        for name, hour in (("aivo_main_brain_daily", 2), ("weekly_full_retraining", 3)):
            at = SUNDAY + day * DAY + timedelta(hours=hour)
            if name == "weekly_full_retraining" and at.isoweekday() != 7:
                continue
            answer = tick(name, at)
            if isinstance(answer, dg.RunRequest) and WITHOUT_TRAINING_TAG not in answer.tags:
                trained(instance, at)
                trainings.append(at)
    assert len(trainings) == 8
    assert min(later - earlier for earlier, later in pairwise(trainings)) >= timedelta(hours=20)


def test_the_weekly_run_after_a_training_of_that_night_does_all_but_the_training(
    tick: Any, instance: dg.DagsterInstance
) -> None:
    trained(instance, SUNDAY + timedelta(hours=1))
    request = tick("weekly_full_retraining", SUNDAY + timedelta(hours=3))
    made = {key.to_user_string() for key in request.asset_selection}
    assert {"student_models", "recommendations", "drift_verdict", "privacy_audit", "raw_interactions"} <= made
    assert not made & {"main_brain_candidate", "main_brain_promotion", "training_features"}
    assert "2.0 hours ago" in request.tags[WITHOUT_TRAINING_TAG]
    assert model_trained("weekly_full_retraining", request.tags, made) is None


def test_the_weekly_run_beside_a_training_under_way_leaves_the_training_to_it(
    tick: Any, instance: dg.DagsterInstance
) -> None:
    instance.add_run(dg.DagsterRun(job_name="emergency_retrain", status=dg.DagsterRunStatus.STARTED))
    request = tick("weekly_full_retraining", SUNDAY + timedelta(hours=3))
    assert "is training already" in request.tags[WITHOUT_TRAINING_TAG]


@pytest.mark.parametrize(
    "name", ["aivo_main_brain_daily", "weekly_full_retraining", "drift_monitor_6h", "adaptive_training_2h"]
)
def test_no_schedule_overlaps_itself(name: str, tick: Any, instance: dg.DagsterInstance) -> None:
    job = next(each.job_name for each in build_schedules(Settings()) if each.name == name)
    run = instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED))
    assert run.run_id in tick(name, SUNDAY + 3 * DAY + timedelta(hours=6))


def test_student_models_that_are_made_hold_no_training_of_the_main_brain_back(
    tick: Any, instance: dg.DagsterInstance
) -> None:
    drifted = dg.DagsterRun(
        job_name="emergency_retrain",
        status=dg.DagsterRunStatus.STARTED,
        asset_selection=frozenset({dg.AssetKey("student_models")}),
    )
    instance.add_run(drifted)
    assert isinstance(tick("aivo_main_brain_daily", SUNDAY + DAY + timedelta(hours=2)), dg.RunRequest)


def test_a_training_that_was_materialised_by_hand_holds_the_daily_one_back(
    tick: Any, instance: dg.DagsterInstance
) -> None:
    by_hand = dg.DagsterRun(
        job_name="__ASSET_JOB",
        status=dg.DagsterRunStatus.STARTED,
        asset_selection=frozenset({dg.AssetKey("main_brain_candidate")}),
    )
    run = instance.add_run(by_hand)
    assert run.run_id in tick("aivo_main_brain_daily", SUNDAY + DAY + timedelta(hours=2))


def read(instance: dg.DagsterInstance, day: str) -> None:
    """The events of a day are read now, long after it is over."""
    instance.report_runless_asset_event(dg.AssetMaterialization("raw_interactions", partition=day))


def test_days_without_a_daemon_are_made_up_for_by_one_run(tick: Any, instance: dg.DagsterInstance) -> None:
    """Off from Tuesday to Thursday: Friday's first training covers all days that nobody read."""
    read(instance, "2026-03-09")
    request = tick("aivo_main_brain_daily", datetime(2026, 3, 13, 2, tzinfo=UTC))
    assert [request.tags[name] for name in RANGE] == ["2026-03-10", "2026-03-12"]
    assert request.partition_key is None
    cause = Cause.of(request.tags)
    assert cause is not None
    assert "2 days before were missed" in cause.sentence


def test_a_day_that_was_read_only_while_it_went_on_counts_as_missed(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    """The rest of it may never have been read: here the day is still going on as it is read."""
    today = datetime.now(UTC).date()
    read(instance, (today - 2 * DAY).isoformat())
    read(instance, today.isoformat())
    assert first_day_missed(instance, today + DAY, 31) == today - DAY


def test_a_platform_that_was_off_for_forty_days_covers_all_of_them(instance: dg.DagsterInstance, tick: Any) -> None:
    read(instance, "2026-01-20")
    request = tick("aivo_main_brain_daily", datetime(2026, 3, 2, 2, tzinfo=UTC))
    assert [request.tags[name] for name in RANGE] == ["2026-01-21", "2026-03-01"]


def test_days_that_are_left_out_are_named_with_what_makes_them(instance: dg.DagsterInstance) -> None:
    read(instance, "2026-01-20")
    last = date(2026, 3, 1)
    assert first_day_missed(instance, last, 10) == date(2026, 2, 20)
    assert days_left_out(instance, last, 10) == (date(2026, 1, 21), date(2026, 2, 19))
    assert days_left_out(instance, last, 40) is None


def test_a_new_platform_has_missed_nothing(instance: dg.DagsterInstance) -> None:
    assert first_day_missed(instance, SUNDAY.date(), 31) == SUNDAY.date()


@pytest.mark.parametrize(
    ("weekly", "hour", "aside"),
    [("0 3 * * 0", 2, True), ("0 3 * * 0", 3, True), ("0 3 * * 0", 4, False), ("0 22 * * 0", 2, False)],
)
def test_stepping_aside_follows_the_crons(weekly: str, hour: int, aside: bool) -> None:
    crons = ScheduleSettings(weekly_full_retraining=weekly)
    assert (steps_aside(SUNDAY + timedelta(hours=hour), crons, 20) is not None) == aside


def test_with_every_cron_each_minute_and_no_hours_between_every_schedule_runs(
    tick: Any, instance: dg.DagsterInstance
) -> None:
    """The demonstration of the platform: all crons each minute, and no pause between trainings."""
    each_minute = dict.fromkeys(
        ("main_brain_daily", "drift_monitor", "weekly_full_retraining", "adaptive_training"), "* * * * *"
    )
    settings = Settings.model_validate({"schedule": each_minute, "training": {"minimum_hours_between": 0}})
    trained(instance, SUNDAY)
    for schedule in (each for each in build_schedules(settings) if each.name not in ABOUT_PEOPLE):
        answer = tick(schedule.name, SUNDAY + timedelta(minutes=1), settings)
        assert isinstance(answer, dg.RunRequest), (schedule.name, answer)
        assert WITHOUT_TRAINING_TAG not in answer.tags


def alarmed(instance: dg.DagsterInstance, lake: Lake, word: str = "alert") -> datetime:
    """A drift check of Monday has been made just now; when, by the machine's clock."""
    row = {"day": MONDAY.date(), "model_id": "main_brain", "verdict": word, "reason": "It fell."}
    frame = pl.DataFrame([{**dict.fromkeys(DRIFT_VERDICTS.schema), **row}], schema=dict(DRIFT_VERDICTS.schema))
    lake.write(DRIFT_VERDICTS, frame, day=MONDAY.date())
    instance.report_runless_asset_event(dg.AssetMaterialization("drift_verdict", partition=str(MONDAY.date())))
    made = instance.get_latest_materialization_event(dg.AssetKey("drift_verdict"))
    assert made is not None
    return datetime.fromtimestamp(made.timestamp, UTC)


@pytest.fixture
def monday(tmp_path: Path) -> Settings:
    return Settings.model_validate({"home": tmp_path, "schedule": {"weekly_full_retraining": "0 3 1 1 *"}})


@pytest.mark.parametrize(("word", "goes_first"), [("alert", True), ("retrain", False), ("ok", False)])
def test_an_extreme_drift_verdict_is_retrained_on_before_what_the_crons_ask_for(
    word: str, goes_first: bool, tick: Any, instance: dg.DagsterInstance, monday: Settings
) -> None:
    at = alarmed(instance, open_lake(monday), word) + timedelta(seconds=30)
    daily = tick("aivo_main_brain_daily", at, monday)
    weekly = tick("weekly_full_retraining", at, monday)
    assert isinstance(daily, str) == goes_first
    assert (WITHOUT_TRAINING_TAG in weekly.tags) == goes_first
    if goes_first:
        assert (
            daily == "The drift verdict of 2026-03-16 asks for a training of main_brain at once: that one goes first."
        )


def test_once_the_sensor_has_asked_the_crons_go_on(tick: Any, instance: dg.DagsterInstance, monday: Settings) -> None:
    at = alarmed(instance, open_lake(monday)) + timedelta(seconds=30)
    tags = {**Cause("drift", "drift_retraining", "It fell.").tags(), "dagster/partition": str(MONDAY.date())}
    instance.add_run(dg.DagsterRun(job_name="emergency_retrain", status=dg.DagsterRunStatus.SUCCESS, tags=tags))
    assert isinstance(tick("aivo_main_brain_daily", at, monday), dg.RunRequest)


def test_the_crons_wait_no_longer_than_an_hour_for_it(
    tick: Any, instance: dg.DagsterInstance, monday: Settings
) -> None:
    at = alarmed(instance, open_lake(monday))
    assert isinstance(tick("aivo_main_brain_daily", at + timedelta(minutes=59), monday), str)
    assert isinstance(tick("aivo_main_brain_daily", at + timedelta(minutes=61), monday), dg.RunRequest)


def test_nobody_waits_for_a_sensor_that_is_switched_off(
    tick: Any, instance: dg.DagsterInstance, monday: Settings, definitions: dg.Definitions
) -> None:
    at = alarmed(instance, open_lake(monday)) + timedelta(seconds=30)
    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("aivo"), "__repository__"), "drift_retraining"
    )
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.STOPPED, None)
    instance.add_instigator_state(state)
    assert isinstance(tick("aivo_main_brain_daily", at, monday), dg.RunRequest)
