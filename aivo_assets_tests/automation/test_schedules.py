"""When runs are asked for, and for which day: the four schedules of the contract at given instants."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from aivo_assets.automation.jobs import CAUSE_TAG
from aivo_assets.automation.schedules import DAILY, build_schedules
from aivo_assets.lake import open_lake
from aivo_assets.operations.jobs.names import READ_AT, TRAINED_AT, WEEKLY_JOB, WITHOUT_TRAINING_TAG
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings

Tick = Callable[[str, datetime], dg.RunRequest | str]

CONTRACT = {
    "aivo_main_brain_daily": ("main_brain_training", "0 2 * * *"),
    "drift_monitor_6h": ("drift_monitoring", "0 */6 * * *"),
    "weekly_full_retraining": ("weekly_full_retraining", "0 3 * * 0"),
    "adaptive_training_2h": ("adaptive_check", "0 */2 * * *"),
}


def schedule(name: str, settings: Settings | None = None) -> dg.ScheduleDefinition:
    return next(each for each in build_schedules(settings or Settings()) if each.name == name)


@pytest.fixture
def tick(instance: dg.DagsterInstance, definitions: dg.Definitions) -> Tick:
    """What a schedule of the real definitions answers at an instant: a run, or why not."""

    def evaluate(name: str, at: datetime) -> dg.RunRequest | str:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=at, repository_def=definitions.get_repository_def()
        )
        data = definitions.resolve_schedule_def(name).evaluate_tick(context)
        return data.run_requests[0] if data.run_requests else str(data.skip_message)

    return evaluate


def fire_times(name: str, after: datetime, count: int, settings: Settings) -> list[datetime]:
    cron = schedule(name, settings)
    times = schedule_execution_time_iterator(after.timestamp(), cron.cron_schedule, cron.execution_timezone)
    return [next(times).astimezone(UTC) for _ in range(count)]


def trained(instance: dg.DagsterInstance, at: datetime) -> None:
    materialisation = dg.AssetMaterialization("main_brain_candidate", metadata={TRAINED_AT: at.isoformat()})
    instance.report_runless_asset_event(materialisation)


def started(instance: dg.DagsterInstance, job: str) -> dg.DagsterRun:
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED)
    return instance.add_run(run)


@pytest.mark.parametrize("name", CONTRACT)
def test_names_jobs_and_hours_are_those_of_the_contract(name: str) -> None:
    job, cron = CONTRACT[name]
    assert (schedule(name).job_name, schedule(name).cron_schedule) == (job, cron)
    assert schedule(name).default_status == dg.DefaultScheduleStatus.RUNNING


@pytest.mark.parametrize(
    ("name", "partition"),
    [
        ("aivo_main_brain_daily", "2026-03-09"),
        ("weekly_full_retraining", "2026-03-09"),
        ("drift_monitor_6h", "2026-03-10"),
        ("adaptive_training_2h", "2026-03-10"),
    ],
)
def test_trainings_take_the_last_complete_day_and_checks_the_present_one(name: str, partition: str, tick: Tick) -> None:
    request = tick(name, datetime(2026, 3, 10, 2, tzinfo=UTC))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == partition
    assert request.tags[CAUSE_TAG] == f"schedule {name}"


def test_a_tick_that_is_evaluated_twice_asks_for_one_run(tick: Tick) -> None:
    at = datetime(2026, 3, 10, 2, tzinfo=UTC)
    first, again = tick("adaptive_training_2h", at), tick("adaptive_training_2h", at)
    later = tick("adaptive_training_2h", at + timedelta(hours=2))
    assert isinstance(first, dg.RunRequest)
    assert isinstance(again, dg.RunRequest)
    assert isinstance(later, dg.RunRequest)
    assert first.run_key == again.run_key != later.run_key


@pytest.mark.parametrize(("hours", "waits"), [(1, True), (19.9, True), (20.1, False), (24, False)])
def test_the_main_brain_is_not_trained_again_within_twenty_hours(
    hours: float, waits: bool, instance: dg.DagsterInstance, tick: Tick
) -> None:
    at = datetime(2026, 3, 10, 2, tzinfo=UTC)
    trained(instance, at - timedelta(hours=hours))
    answer = tick("aivo_main_brain_daily", at)
    assert isinstance(answer, str) == waits
    if waits:
        assert f"{hours:.1f} hours ago" in str(answer)


@pytest.mark.parametrize("job", ["main_brain_training", "weekly_full_retraining", "emergency_retrain"])
def test_the_daily_training_waits_for_one_that_is_under_way(job: str, instance: dg.DagsterInstance, tick: Tick) -> None:
    run = started(instance, job)
    answer = tick("aivo_main_brain_daily", datetime(2026, 3, 10, 2, tzinfo=UTC))
    assert run.run_id in str(answer)


def test_a_check_is_skipped_while_the_one_before_still_runs(instance: dg.DagsterInstance, tick: Tick) -> None:
    started(instance, "adaptive_check")
    assert "still under way" in str(tick("adaptive_training_2h", datetime(2026, 3, 10, 4, tzinfo=UTC)))
    assert isinstance(tick("drift_monitor_6h", datetime(2026, 3, 10, 6, tzinfo=UTC)), dg.RunRequest)


def test_the_hour_that_a_clock_change_skips_still_has_its_training() -> None:
    """In Amsterdam 02:00 does not exist on 29 March 2026: the training runs once that night all the same."""
    settings = Settings.model_validate({"schedule": {"timezone": "Europe/Amsterdam"}})
    nights = fire_times("aivo_main_brain_daily", datetime(2026, 3, 28, 12, tzinfo=UTC), 3, settings)
    assert nights == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # 03:00 summer time, the first instant after the gap
        datetime(2026, 3, 30, 0, tzinfo=UTC),
        datetime(2026, 3, 31, 0, tzinfo=UTC),
    ]


def test_the_hour_that_a_clock_change_repeats_has_one_training() -> None:
    settings = Settings.model_validate({"schedule": {"timezone": "Europe/Amsterdam"}})
    nights = fire_times("aivo_main_brain_daily", datetime(2026, 10, 24, 12, tzinfo=UTC), 2, settings)
    assert [night.date().isoformat() for night in nights] == ["2026-10-25", "2026-10-26"]


def test_local_nights_are_trained_on_utc_days(tick: Tick) -> None:
    """02:00 in Amsterdam is still the evening before in UTC: the last complete UTC day is the one before that."""
    request = tick("aivo_main_brain_daily", datetime.fromisoformat("2026-07-10T02:00:00+02:00"))
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-07-09"


def test_hours_are_settings() -> None:
    settings = Settings.model_validate({"schedule": {"adaptive_training": "*/5 * * * *", "timezone": "Asia/Tokyo"}})
    every_five_minutes = schedule("adaptive_training_2h", settings)
    assert every_five_minutes.cron_schedule == "*/5 * * * *"
    assert every_five_minutes.execution_timezone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("answers", "read_hours_ago", "trains"),
    [
        (0, 1, False),
        (1, 1, False),
        (1999, 1, False),
        (2000, 1, True),
        (0, None, True),
        (1999, None, True),
        (1, 49, True),
    ],
)
def test_nobody_trains_on_fewer_answers_than_a_training_needs_but_a_source_that_nobody_reads_is_read(
    answers: int,
    read_hours_ago: int | None,
    trains: bool,
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    tmp_path: Path,
) -> None:
    """The weekly run makes all else; the daily one has nothing else to make."""
    settings, sunday = Settings(home=tmp_path), datetime(2026, 3, 8, 3, tzinfo=UTC)
    if read_hours_ago is not None:
        at = sunday - timedelta(hours=read_hours_ago)
        read = {"partition": at.date().isoformat(), "metadata": {READ_AT: at.isoformat()}}
        instance.report_runless_asset_event(dg.AssetMaterialization("raw_interactions", **read))
    if answers:
        known = ANONYMISED_INTERACTIONS.empty().clear(answers).with_columns(shard=pl.lit(0, pl.Int32))
        open_lake(settings).write(ANONYMISED_INTERACTIONS, known, day=date(2026, 3, 7))

    def asked(name: str, at: datetime) -> dg.RunRequest | str:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=at, repository_def=definitions.get_repository_def()
        )
        data = schedule(name, settings).evaluate_tick(context)
        return data.run_requests[0] if data.run_requests else str(data.skip_message)

    weekly, daily = asked(WEEKLY_JOB, sunday), asked(DAILY, sunday + timedelta(hours=22))
    assert isinstance(weekly, dg.RunRequest)
    why = weekly.tags.get(WITHOUT_TRAINING_TAG)
    if trains:
        assert why is None
        assert isinstance(daily, dg.RunRequest)
    else:
        assert f"{answers:,} answers are known, a training needs 2,000" in str(why)
        assert why == daily
