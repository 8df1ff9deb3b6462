"""The four schedules of the contract. Belongs here: when, and for which day; what clashes and gaps mean is in ticks.py.

A daily or weekly training works on the last complete day. The two frequent jobs work on the current one. Days are UTC
days; crons are read in the zone of `AIVO_SCHEDULE_TIMEZONE`. No schedule overlaps itself.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

import dagster as dg

from aivo_assets.automation.guards import reason_to_wait, under_way
from aivo_assets.automation.ticks import (
    all_but_training,
    first_day_missed,
    is_switched_off,
    last_complete_day,
    partition_tags,
    steps_aside,
)
from aivo_assets.operations.causes import MODEL_TAG, Cause
from aivo_assets.operations.job_names import WITHOUT_TRAINING_TAG
from aivo_assets.settings import Settings

Tick = Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]

DAILY = "aivo_main_brain_daily"
WEEKLY = "weekly_full_retraining"
DRIFT = "drift_monitor_6h"
ADAPTIVE = "adaptive_training_2h"


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

    return [
        schedule(
            DAILY,
            "main_brain_training",
            crons.main_brain_daily,
            "Trains a challenger on everything up to yesterday and promotes it only on evidence.",
            lambda context: _daily(context, settings),
        ),
        schedule(
            DRIFT,
            "drift_monitoring",
            crons.drift_monitor,
            "Compares the last days with what each model promised; a drifted model is retrained by a sensor.",
            lambda context: _frequent(context, DRIFT, "drift_monitoring"),
        ),
        schedule(
            WEEKLY,
            "weekly_full_retraining",
            crons.weekly_full_retraining,
            "Makes every model, mart, report and check anew.",
            lambda context: _weekly(context, settings),
        ),
        schedule(
            ADAPTIVE,
            "adaptive_check",
            crons.adaptive_training,
            "Brings student models and recommendations up to date and asks whether training is needed now.",
            lambda context: _frequent(context, ADAPTIVE, "adaptive_check"),
        ),
    ]


def _daily(context: dg.ScheduleEvaluationContext, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    now, hours = _now(context), settings.training.minimum_hours_between
    wait = reason_to_wait(context.instance, now, hours)
    if wait is None and not is_switched_off(context.instance, WEEKLY):
        wait = steps_aside(now, settings.schedule, hours)
    if wait is not None:
        return dg.SkipReason(wait)
    return _over_days(context, DAILY, now, settings, tags={MODEL_TAG: "main_brain"})


def _weekly(context: dg.ScheduleEvaluationContext, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    now = _now(context)
    running = under_way(context.instance, ("weekly_full_retraining",))
    if running is not None:
        return dg.SkipReason(f"Run {running} of weekly_full_retraining is still under way.")
    wait = reason_to_wait(context.instance, now, settings.training.minimum_hours_between)
    if wait is None:
        return _over_days(context, WEEKLY, now, settings, tags={MODEL_TAG: "main_brain"})
    assert context.repository_def is not None, "Dagster gives it to every schedule that it evaluates"
    return _over_days(
        context,
        WEEKLY,
        now,
        settings,
        tags={WITHOUT_TRAINING_TAG: wait[:250]},
        assets=all_but_training(context.repository_def),
    )


def _frequent(context: dg.ScheduleEvaluationContext, schedule: str, job: str) -> dg.RunRequest | dg.SkipReason:
    now = _now(context)
    running = under_way(context.instance, (job,))
    if running is not None:
        return dg.SkipReason(f"Run {running} of {job} is still under way.")
    return dg.RunRequest(
        run_key=_key(schedule, now), partition_key=now.date().isoformat(), tags=_cause(schedule, now).tags()
    )


def _over_days(
    context: dg.ScheduleEvaluationContext,
    schedule: str,
    now: datetime,
    settings: Settings,
    *,
    tags: dict[str, str],
    assets: list[dg.AssetKey] | None = None,
) -> dg.RunRequest:
    last = date.fromisoformat(last_complete_day(now))
    first = first_day_missed(context.instance, last, settings.schedule.catch_up_days)
    said = {**_cause(schedule, now, missed=(last - first).days).tags(), **tags}
    if first == last:
        return dg.RunRequest(
            run_key=_key(schedule, now), partition_key=last.isoformat(), tags=said, asset_selection=assets
        )
    return dg.RunRequest(
        run_key=_key(schedule, now), tags={**said, **partition_tags(first, last)}, asset_selection=assets
    )


def _cause(schedule: str, now: datetime, missed: int = 0) -> Cause:
    sentence = f"schedule {schedule}" + (f"; {missed} days before were missed and are covered too" if missed else "")
    return Cause("schedule", schedule, sentence, evidence=now.isoformat())


def _key(schedule: str, now: datetime) -> str:
    # The key holds the tick's own instant: a tick that is evaluated twice asks for one run.
    return f"{schedule}:{now.isoformat()}"


def _now(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time.astimezone(UTC)
