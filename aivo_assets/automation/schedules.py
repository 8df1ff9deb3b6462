"""The four schedules of the contract. Belongs here: when, and for which day; what runs is in jobs.py.

A daily or weekly training works on the last complete day. The two frequent jobs work on the current one. Days are UTC
days; crons are read in the zone of `AIVO_SCHEDULE_TIMEZONE`.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg

from aivo_assets.automation.guards import reason_to_wait, under_way
from aivo_assets.automation.jobs import CAUSE_TAG
from aivo_assets.settings import Settings

Tick = Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedules, all on as soon as a daemon runs."""
    crons = settings.schedule

    def schedule(name: str, job: str, cron: str, description: str, tick: Tick) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=name,
            job_name=job,
            cron_schedule=cron,
            execution_timezone=crons.timezone,
            description=description,
            execution_fn=tick,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )

    def main_brain_daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        wait = reason_to_wait(context.instance, now, settings.training.minimum_hours_between)
        return dg.SkipReason(wait) if wait else _request("aivo_main_brain_daily", now, last_complete_day(now))

    def drift_monitor(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        return _unless_running(context, "drift_monitoring", "drift_monitor_6h", now, now.date().isoformat())

    def weekly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        return _unless_running(context, "weekly_full_retraining", "weekly_full_retraining", now, last_complete_day(now))

    def adaptive(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        return _unless_running(context, "adaptive_check", "adaptive_training_2h", now, now.date().isoformat())

    return [
        schedule(
            "aivo_main_brain_daily",
            "main_brain_training",
            crons.main_brain_daily,
            "Trains a challenger on everything up to yesterday and promotes it only on evidence.",
            main_brain_daily,
        ),
        schedule(
            "drift_monitor_6h",
            "drift_monitoring",
            crons.drift_monitor,
            "Compares the last days with what each model promised; a drifted model is retrained by a sensor.",
            drift_monitor,
        ),
        schedule(
            "weekly_full_retraining",
            "weekly_full_retraining",
            crons.weekly_full_retraining,
            "Makes every model, mart, report and check anew.",
            weekly,
        ),
        schedule(
            "adaptive_training_2h",
            "adaptive_check",
            crons.adaptive_training,
            "Brings student models and recommendations up to date and asks whether training is needed now.",
            adaptive,
        ),
    ]


def last_complete_day(now: datetime) -> str:
    """Partition key of the UTC day before `now`."""
    return (now.astimezone(UTC).date() - timedelta(days=1)).isoformat()


def _unless_running(
    context: dg.ScheduleEvaluationContext, job: str, schedule: str, now: datetime, partition: str
) -> dg.RunRequest | dg.SkipReason:
    running = under_way(context.instance, (job,))
    if running is not None:
        return dg.SkipReason(f"Run {running} of {job} is still under way.")
    return _request(schedule, now, partition)


def _request(schedule: str, now: datetime, partition: str) -> dg.RunRequest:
    # The key holds the tick's own instant: a tick that is evaluated twice asks for one run.
    return dg.RunRequest(
        run_key=f"{schedule}:{now.isoformat()}", partition_key=partition, tags={CAUSE_TAG: f"schedule {schedule}"}
    )
