"""When a training must wait: one is under way, or the last is too recent. Belongs here: the guards; no ticks."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from aivo_assets.automation.jobs import TRAINING_JOBS

TRAINED_AT = "trained_at"  # metadata of main_brain_candidate, UTC ISO time from the injected clock

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def under_way(instance: dg.DagsterInstance, job_names: tuple[str, ...] = TRAINING_JOBS) -> str | None:
    """Id of the oldest unfinished run of one of these jobs, or None."""
    runs = [
        run
        for name in job_names
        for run in instance.get_runs(filters=dg.RunsFilter(job_name=name, statuses=UNFINISHED), ascending=True, limit=1)
    ]
    return runs[0].run_id if runs else None


def last_training(instance: dg.DagsterInstance) -> datetime | None:
    """When the main brain was last trained, by the clock that its training was given."""
    event = instance.get_latest_materialization_event(dg.AssetKey("main_brain_candidate"))
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
    running = under_way(instance)
    if running is not None:
        return f"Run {running} is training already; its result comes first."
    last = last_training(instance)
    if last is not None and now - last < timedelta(hours=minimum_hours):
        hours = (now - last).total_seconds() / 3600
        return f"The main brain was trained {hours:.1f} hours ago; {minimum_hours:g} must lie between two trainings."
    return None
