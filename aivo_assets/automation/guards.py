"""When a training must wait: what the instance and the lake tell the rule, which is operations/training_guard.py."""

from datetime import UTC, datetime

import dagster as dg

from aivo_assets.automation.abandoned_runs import end_abandoned_runs
from aivo_assets.lake import Lake
from aivo_assets.operations.job_names import BY_HAND, CANDIDATE, TRAINED_AT, TRAINING_JOBS, ModelId, model_trained
from aivo_assets.operations.training_guard import Wait, cooling_down
from aivo_assets.operations.training_guard import reason_to_wait as rule
from aivo_assets.tracing.verdicts import refused_in_a_row

__all__ = ["TRAINED_AT", "last_training", "reason_to_wait", "refused_lately", "training_under_way", "under_way"]

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
    """Id of the oldest unfinished run that trains a model, whoever started it; None where there is none."""
    end_abandoned_runs(instance)
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED), ascending=True)
    for run in runs:
        assets = None if run.asset_selection is None else {key.path[-1] for key in run.asset_selection}
        if run.job_name in (*TRAINING_JOBS, BY_HAND) and model_trained(run.job_name, run.tags, assets) == model:
            return str(run.run_id)
    return None


def last_training(instance: dg.DagsterInstance) -> datetime | None:
    """When the main brain was last trained, by the clock that its training was given."""
    event = instance.get_latest_materialization_event(dg.AssetKey(CANDIDATE))
    if event is None or event.asset_materialization is None:
        return None
    value = event.asset_materialization.metadata.get(TRAINED_AT)
    return None if value is None else datetime.fromisoformat(str(value.value)).astimezone(UTC)


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


def _said(wait: Wait | None) -> str | None:
    return None if wait is None else wait.reason
