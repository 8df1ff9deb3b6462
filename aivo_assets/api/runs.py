"""Runs and schedules as callers see them. Belongs here: from Dagster's answer to ours; nothing is started."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from aivo_assets.api import schema
from aivo_assets.api.addresses import run_url
from aivo_assets.api.dagster_client import DagsterClient, DagsterRun, DagsterUnreachableError
from aivo_assets.api.standing import ModelStates
from aivo_assets.operations.jobs.causes import CAUSE_TAG, Cause
from aivo_assets.operations.jobs.names import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG, model_trained
from aivo_assets.settings import Settings

BY_HAND: Final = "It was started by hand in the web UI; nobody said why."


def describe_run(run: DagsterRun, settings: Settings) -> schema.Run:
    """A run with its cause."""
    cause = Cause.of(run.tags)
    return schema.Run(
        run_id=run.id,
        job=run.job,
        status=run.status,
        model_id=model_trained(run.job, run.tags, run.assets),
        partition=partition_of(run.tags),
        cause=BY_HAND if cause is None else cause.opening(),
        because=run.tags.get(CAUSE_TAG, ""),
        created=datetime.fromtimestamp(run.created, UTC),
        started=_instant(run.started),
        ended=_instant(run.ended),
        url=run_url(settings, run.id),
    )


def partition_of(tags: Mapping[str, str]) -> str | None:
    """The day that a run covers, or `first...last`."""
    first, last = (tags.get(name) for name in (RANGE_START_TAG, RANGE_END_TAG))
    if first is not None and last is not None:
        return first if first == last else f"{first}...{last}"
    return tags.get(PARTITION_TAG)


def scheduler_status(dagster: DagsterClient, standing: ModelStates) -> schema.SchedulerStatus:
    """What runs by itself; where Dagster does not answer, that is what is said."""
    try:
        dead = dagster.unhealthy_daemons()
        schedules = dagster.schedules()
        training = sorted(standing.models_training())
        last = standing.last_training()
    except DagsterUnreachableError as error:
        return schema.SchedulerStatus(
            running=False, problem=error.what, jobs=[], models_training=[], last_training=None
        )
    is_on = any(each["status"] == "RUNNING" for each in schedules)
    problem = None
    if dead:
        problem = f"The daemon gives no sign of life ({', '.join(sorted(dead))})."
    elif not is_on:
        problem = "Every schedule is switched off."
    return schema.SchedulerStatus(
        running=problem is None,
        problem=problem,
        jobs=[_job(each) for each in schedules],
        models_training=list(training),
        last_training=last,
    )


def _job(schedule: Mapping[str, Any]) -> schema.Job:
    return schema.Job(
        id=schedule["name"],
        name=schedule["pipelineName"],
        next_run=_instant(schedule["next"]) if schedule["status"] == "RUNNING" else None,
        trigger=f"{schedule['cronSchedule']} {schedule['executionTimezone'] or 'UTC'}",
    )


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
