"""When a training must wait: reads the instance and the lake for the rule in operations/jobs/training_guard.py."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import dagster as dg
import polars as pl

from aivo_assets.automation._dagster import InstigatorStatus, InstigatorType
from aivo_assets.automation.runs.abandoned_runs import end_abandoned_runs
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.drift.verdicts.training_need import missing_events
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.causes import BY_TAG
from aivo_assets.operations.jobs.names import (
    BY_HAND,
    CANDIDATE,
    PARTITION_TAG,
    TRAINED_AT,
    TRAINED_OF,
    TRAINING_JOBS,
    ModelId,
    model_trained,
)
from aivo_assets.operations.jobs.training_guard import Wait, cooling_down
from aivo_assets.operations.jobs.training_guard import reason_to_wait as rule
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import TrainingSettings
from aivo_assets.tracing.judging.verdicts import refused_in_a_row

DRIFT_SENSOR: Final = "drift_retraining"
DRIFT_IS_WAITED_FOR: Final = timedelta(hours=1)
"""The sensor looks every minute; longer than this it waits for something that is broken."""
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def under_way(instance: dg.DagsterInstance, job_names: tuple[str, ...] | None = None) -> str | None:
    """Id of the oldest unfinished run of one of these jobs; without jobs, of one that trains the main brain."""
    if job_names is None:
        return training_under_way(instance, "main_brain")
    end_abandoned_runs(instance)
    runs = [
        run
        for name in job_names
        for run in instance.get_runs(filters=dg.RunsFilter(job_name=name, statuses=UNFINISHED), ascending=True, limit=1)
    ]
    return runs[0].run_id if runs else None


def training_under_way(instance: dg.DagsterInstance, model: ModelId) -> str | None:
    """Id of the oldest unfinished run that trains a model, no matter who started it; None where there is none."""
    end_abandoned_runs(instance)
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED), ascending=True)
    for run in runs:
        assets = None if run.asset_selection is None else {key.path[-1] for key in run.asset_selection}
        if run.job_name in (*TRAINING_JOBS, BY_HAND) and model_trained(run.job_name, run.tags, assets) == model:
            return str(run.run_id)
    return None


def last_training(instance: dg.DagsterInstance) -> datetime | None:
    """When the main brain was last trained, by the clock that its training was given."""
    at = _said_of_last_training(instance, TRAINED_AT)
    return None if at is None else datetime.fromisoformat(at).astimezone(UTC)


def knows_every_answer(instance: dg.DagsterInstance, lake: Lake) -> bool:
    """Whether the last training had all the answers that there are, so that another would make the same model."""
    return _said_of_last_training(instance, TRAINED_OF) == lake.version(ANONYMISED_INTERACTIONS)


def _said_of_last_training(instance: dg.DagsterInstance, name: str) -> str | None:
    event = instance.get_latest_materialization_event(dg.AssetKey(CANDIDATE))
    if event is None or event.asset_materialization is None:
        return None
    value = event.asset_materialization.metadata.get(name)
    return None if value is None else str(value.value)


def reason_to_wait(instance: dg.DagsterInstance, now: datetime, minimum_hours: float) -> str | None:
    """Why the main brain may not be trained now, in a sentence, or None when it may.

    Args:
        instance: Where runs and materialisations are looked up.
        now: Time of the tick.
        minimum_hours: Hours that must lie between two trainings that nobody forced.
    """
    return _said(rule(running=under_way(instance), last=last_training(instance), now=now, minimum_hours=minimum_hours))


def refused_lately(lake: Lake, now: datetime, hours: float) -> str | None:
    """Why a check asks for no training, in a sentence, where a challenger was refused within so many hours."""
    refused = refused_in_a_row(lake)
    return _said(cooling_down(refused[0].decided_at if refused else None, now, hours))


def too_few_to_train(lake: Lake, day: date, settings: TrainingSettings) -> str | None:
    """Why a cron may not train as of a day, in a sentence, where fewer answers are known than a training needs."""
    missing = missing_events(lake, day, settings)
    if missing <= 0:
        return None
    return (
        f"{settings.minimum_events - missing:,} answers are known, a training needs {settings.minimum_events:,}; "
        "the two-hourly check asks for one as soon as they are there."
    )


def drift_goes_first(instance: dg.DagsterInstance, lake: Lake, machine_now: datetime) -> str | None:
    """Why a cron leaves the training to the drift sensor, in a sentence, where an extreme verdict waits for it.

    Crons that are due often would otherwise always be ahead of it, for one training holds back the next. Where the
    sensor is switched off, itself waits for an answer, or has done nothing about the verdict for `DRIFT_IS_WAITED_FOR`,
    the crons go on.

    Args:
        instance: Where runs and materialisations are looked up.
        lake: Where verdicts are.
        machine_now: The present instant by the machine's clock, UTC, by which materialisations are dated.
    """
    days = lake.newest_days(DRIFT_VERDICTS, 1)
    made = instance.get_latest_materialization_event(dg.AssetKey("drift_verdict")) if days else None
    if (
        made is None
        or not timedelta(0) <= machine_now - datetime.fromtimestamp(made.timestamp, UTC) < DRIFT_IS_WAITED_FOR
    ):
        return None
    if is_switched_off(instance, DRIFT_SENSOR, InstigatorType.SENSOR) or knows_every_answer(instance, lake):
        return None
    alarmed = lake.scan(DRIFT_VERDICTS, days=days).filter(pl.col("verdict") == "alert").collect()["model_id"]
    asked = dg.RunsFilter(tags={BY_TAG: DRIFT_SENSOR, PARTITION_TAG: days[0].isoformat()})
    if alarmed.is_empty() or instance.get_runs(filters=asked, limit=1):
        return None
    return f"The drift verdict of {days[0]} asks for a training of {alarmed[0]} at once: that one goes first."


def is_switched_off(instance: dg.DagsterInstance, name: str, kind: InstigatorType) -> bool:
    """Whether somebody switched a schedule or sensor off; an instance that keeps none has none that is off."""
    if instance.schedule_storage is None:
        return False
    states = instance.all_instigator_state(instigator_type=kind)
    return any(state.name == name and state.status == InstigatorStatus.STOPPED for state in states)


def _said(wait: Wait | None) -> str | None:
    return None if wait is None else wait.reason
