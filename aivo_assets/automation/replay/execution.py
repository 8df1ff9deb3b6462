"""One run of a job, in this process, on the replay's instance: what it made, whether it failed, and what it cost."""

import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import dagster as dg

from aivo_assets.automation._dagster import RunFailureReason
from aivo_assets.operations.jobs.names import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG

LONGEST_FAILURE = 300


@dataclass(frozen=True)
class Done:
    """What became of a run.

    Attributes:
        run: The run as the instance knows it.
        made: Names of the assets that were materialised.
        failure: Event of the failed run; None where it succeeded.
        problem: The first failed step and the first line of its error; empty where it succeeded.
        wall: Wall seconds.
        cpu: Seconds of processor time.
        steps: Wall seconds of each step.
    """

    run: dg.DagsterRun
    made: frozenset[str]
    failure: dg.DagsterEvent | None
    problem: str
    wall: float
    cpu: float
    steps: Mapping[str, float]


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    tags: Mapping[str, str],
    assets: Collection[dg.AssetKey] | None,
    leave_out: Collection[str],
) -> Done:
    """Run a job to its end; a failed step does not raise.

    Args:
        job: Of the definitions.
        instance: Where the run is recorded.
        tags: Of the run; its partition is among them.
        assets: Of the job, only these. None: all.
        leave_out: Names of assets that are not made.

    Raises:
        KeyboardInterrupt: Somebody interrupted it. Dagster takes that for a failure of the run.
    """
    keys = job.asset_layer.selected_asset_keys if assets is None else set(assets)
    chosen = sorted(key for key in keys if key.to_user_string() not in leave_out)
    wall, cpu = time.perf_counter(), time.process_time()
    result = job.execute_in_process(
        instance=instance, tags=dict(tags), asset_selection=chosen if len(chosen) < len(keys) or assets else None,
        raise_on_error=False, run_config={"loggers": {"console": {}}},
    )  # fmt: skip
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    events = result.all_events
    failed = [event for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    failure = next((each for each in events if each.event_type == dg.DagsterEventType.RUN_FAILURE), None)
    if failure is not None and failure.job_failure_data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION:
        raise KeyboardInterrupt
    return Done(
        run=result.dagster_run,
        made=frozenset(
            event.asset_key.to_user_string()
            for event in events
            if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key
        ),
        failure=failure,
        problem=_problem(failed[0]) if failed else "",
        wall=wall,
        cpu=cpu,
        steps={
            str(event.step_key): event.step_success_data.duration_ms / 1000
            for event in events
            if event.event_type == dg.DagsterEventType.STEP_SUCCESS
        },
    )


def days_named(tags: Mapping[str, str]) -> tuple[date, date] | None:
    """First and last day that a run's tags name; None where they name none."""
    if PARTITION_TAG in tags:
        day = date.fromisoformat(tags[PARTITION_TAG])
        return day, day
    if RANGE_START_TAG in tags:
        return date.fromisoformat(tags[RANGE_START_TAG]), date.fromisoformat(tags[RANGE_END_TAG])
    return None


def silent_logger() -> dg.LoggerDefinition:
    """A logger for runs of which there are a thousand; what they log is in the instance."""

    def silent(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("aivo.replay", level=logging.CRITICAL)
        logger.addHandler(logging.NullHandler())
        return logger

    return dg.LoggerDefinition(silent, description="Prints nothing.")


def _problem(event: dg.DagsterEvent) -> str:
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    lines = error.message.strip().splitlines() if error is not None else []
    return f"{event.step_key}: {lines[0] if lines else 'no message'}"[:LONGEST_FAILURE]
