"""The schedules: the four of the contract, and two about people. Belongs here: when, and for which day.

A daily or weekly training works on the last complete day. The two frequent jobs work on the current one. Days are UTC
days; crons are read in the zone of `AIVO_SCHEDULE_TIMEZONE`. No schedule overlaps itself, and the frequent ones skip a
tick that could change nothing (unchanged.py).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime

import dagster as dg

from aivo_assets.automation._dagster import InstigatorType
from aivo_assets.automation.guards import drift_goes_first, is_switched_off, reason_to_wait, too_few_to_train, under_way
from aivo_assets.automation.ticks import (
    all_but_training,
    days_left_out,
    first_day_missed,
    last_complete_day,
    partition_tags,
    steps_aside,
    was_read_lately,
)
from aivo_assets.automation.unchanged import GIVEN_TAG, given, nothing_new
from aivo_assets.lake import open_lake
from aivo_assets.operations.jobs.causes import MODEL_TAG, Cause
from aivo_assets.operations.jobs.names import AGEING_JOB, FORGET_JOB, WEEKLY_JOB, WITHOUT_TRAINING_TAG
from aivo_assets.privacy.erasure.table import reason_to_forget
from aivo_assets.settings import Settings

Tick = Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]

AGEING = "personal_retention_daily"
FORGET = "forget_requests_15m"
ABOUT_PEOPLE = (AGEING, FORGET)
"""They train nothing and decide nothing."""
DAILY = "aivo_main_brain_daily"
DRIFT = "drift_monitor_6h"
ADAPTIVE = "adaptive_training_2h"


def build_schedules(
    settings: Settings, present: Callable[[datetime], datetime] | None = None
) -> list[dg.ScheduleDefinition]:
    """The schedules, all on as soon as a daemon runs.

    Args:
        settings: Crons, guards, and what tells whether anything is new.
        present: The platform's instant at an instant of the scheduler. Default: the same.
    """
    crons, present = settings.schedule, present or _unchanged

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
            lambda context: _daily(context, present(_now(context)), settings),
        ),
        schedule(
            DRIFT,
            "drift_monitoring",
            crons.drift_monitor,
            "Compares the last days with what each model promised; a drifted model is retrained by a sensor.",
            lambda context: _frequent(context, present(_now(context)), DRIFT, "drift_monitoring", settings),
        ),
        schedule(
            WEEKLY_JOB,
            WEEKLY_JOB,
            crons.weekly_full_retraining,
            "Makes every model, mart, report and check again.",
            lambda context: _weekly(context, present(_now(context)), settings),
        ),
        schedule(
            ADAPTIVE,
            "adaptive_check",
            crons.adaptive_training,
            "Brings student models and recommendations up to date and asks whether training is needed now.",
            lambda context: _frequent(context, present(_now(context)), ADAPTIVE, "adaptive_check", settings),
        ),
        schedule(
            AGEING,
            AGEING_JOB,
            settings.retention.cron,
            "Removes raw answers, names and set-aside rows that were kept for as long as the settings say.",
            lambda context: _ageing(context, present(_now(context))),
        ),
        schedule(
            FORGET,
            FORGET_JOB,
            settings.forget.cron,
            "Goes on with requests to forget a learner, until the search finds nothing and a certificate is signed.",
            lambda context: _forget(context, present(_now(context)), settings),
        ),
    ]


def _ageing(context: dg.ScheduleEvaluationContext, now: datetime) -> dg.RunRequest | dg.SkipReason:
    running = under_way(context.instance, (AGEING_JOB,))
    if running is not None:
        return dg.SkipReason(f"Run {running} of {AGEING_JOB} is still under way.")
    return dg.RunRequest(run_key=_key(AGEING, now), tags=_cause(AGEING, now).tags())


def _forget(context: dg.ScheduleEvaluationContext, now: datetime, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    running = under_way(context.instance, (FORGET_JOB,))
    if running is not None:
        return dg.SkipReason(f"Run {running} of {FORGET_JOB} is still under way.")
    waiting = reason_to_forget(open_lake(settings), settings)
    if waiting is None:
        return dg.SkipReason("Nobody is to be forgotten.")
    return dg.RunRequest(run_key=_key(FORGET, now), tags=_cause(FORGET, now).tags())


def _daily(context: dg.ScheduleEvaluationContext, now: datetime, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    hours = settings.training.minimum_hours_between
    wait = _reason_to_wait(context, now, settings)
    if wait is None and not is_switched_off(context.instance, WEEKLY_JOB, InstigatorType.SCHEDULE):
        wait = steps_aside(now, settings.schedule, hours)
    if wait is not None:
        return dg.SkipReason(wait)
    return _over_days(context, DAILY, now, settings, tags={MODEL_TAG: "main_brain"})


def _weekly(context: dg.ScheduleEvaluationContext, now: datetime, settings: Settings) -> dg.RunRequest | dg.SkipReason:
    running = under_way(context.instance, (WEEKLY_JOB,))
    if running is not None:
        return dg.SkipReason(f"Run {running} of {WEEKLY_JOB} is still under way.")
    wait = _reason_to_wait(context, now, settings)
    if wait is None:
        return _over_days(context, WEEKLY_JOB, now, settings, tags={MODEL_TAG: "main_brain"})
    assert context.repository_def is not None, "Dagster gives it to every schedule that it evaluates"
    return _over_days(
        context,
        WEEKLY_JOB,
        now,
        settings,
        tags={WITHOUT_TRAINING_TAG: wait[:250]},
        assets=all_but_training(context.repository_def),
    )


def _frequent(
    context: dg.ScheduleEvaluationContext, now: datetime, schedule: str, job: str, settings: Settings
) -> dg.RunRequest | dg.SkipReason:
    running = under_way(context.instance, (job,))
    if running is not None:
        return dg.SkipReason(f"Run {running} of {job} is still under way.")
    day, lake = now.date().isoformat(), open_lake(settings)
    made_of = given(settings, lake, now) if settings.schedule.skip_unchanged else None
    same = nothing_new(context.instance, lake, job, now, made_of)
    if same is not None:
        return dg.SkipReason(same)
    tags = _cause(schedule, now).tags() | ({} if made_of is None else {GIVEN_TAG: made_of})
    return dg.RunRequest(run_key=_key(schedule, now), partition_key=day, tags=tags)


def _reason_to_wait(context: dg.ScheduleEvaluationContext, now: datetime, settings: Settings) -> str | None:
    """Why a cron may not train now, in a sentence, or None when it may."""
    lake, day = open_lake(settings), date.fromisoformat(last_complete_day(now))
    wait = reason_to_wait(context.instance, now, settings.training.minimum_hours_between)
    wait = wait or drift_goes_first(context.instance, lake, _now(context))
    if wait is None and was_read_lately(context.instance, now):  # else the training itself reads the source
        wait = too_few_to_train(lake, day, settings.training)
    return wait


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
    most = settings.schedule.catch_up_days
    first, left_out = first_day_missed(context.instance, last, most), days_left_out(context.instance, last, most)
    cause = _cause(schedule, now, missed=(last - first).days, left_out=left_out)
    if left_out is not None:
        context.log.warning(cause.sentence)
    run_tags = {**cause.tags(), **tags}
    if first == last:
        return dg.RunRequest(
            run_key=_key(schedule, now), partition_key=last.isoformat(), tags=run_tags, asset_selection=assets
        )
    return dg.RunRequest(
        run_key=_key(schedule, now), tags={**run_tags, **partition_tags(first, last)}, asset_selection=assets
    )


def _cause(schedule: str, now: datetime, missed: int = 0, left_out: tuple[date, date] | None = None) -> Cause:
    sentence = f"schedule {schedule}" + (f"; {missed} days before were missed and are covered too" if missed else "")
    if left_out is not None:
        days = (left_out[1] - left_out[0]).days + 1
        sentence += f"; {days} more are left out: aivo run --from {left_out[0]} --to {left_out[1]}"
    return Cause("schedule", schedule, sentence, evidence=now.isoformat())


def _key(schedule: str, now: datetime) -> str:
    # The key holds the tick's own instant: a tick that is evaluated twice asks for one run.
    return f"{schedule}:{now.isoformat()}"


def _unchanged(instant: datetime) -> datetime:
    return instant


def _now(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time.astimezone(UTC)
