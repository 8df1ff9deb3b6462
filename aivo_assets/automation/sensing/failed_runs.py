"""What a failed run becomes: an alert, unless it is started again."""

import time

import dagster as dg

from aivo_assets.automation._dagster import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG
from aivo_assets.automation.runs.failures import failures
from aivo_assets.operations.alerts.alert import Notifier
from aivo_assets.operations.alerts.rules import failed_run_alert
from aivo_assets.resources.clock import Clock

LOOKS_FOR_RETRY = 10
SECONDS_BETWEEN_LOOKS = 0.3


def tell_of_failed_run(instance: dg.DagsterInstance, run: dg.DagsterRun, clock: Clock, notifier: Notifier) -> None:
    """Alert of a run that failed for good; one that Dagster starts again alerts for itself."""
    run = _as_it_stands(instance, run)
    if run.status != dg.DagsterRunStatus.FAILURE or run.tags.get(WILL_RETRY_TAG) == "true":
        return
    if AUTO_RETRY_RUN_ID_TAG in run.tags:  # its retry alerts for itself
        return
    failed = failures(instance, run.run_id)
    steps = tuple(each.step for each in failed if each.step is not None)
    causes = tuple(each.told(to_all=True) for each in failed)
    notifier.send(failed_run_alert(run.run_id, run.job_name, run.tags, steps, clock.now(), causes=causes))


def _as_it_stands(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRun:
    """A failed run with the tag that says whether Dagster starts it again, which is set after the failure is stored."""
    for _ in range(LOOKS_FOR_RETRY):
        run = instance.get_run_by_id(run.run_id) or run
        if WILL_RETRY_TAG in run.tags or not instance.run_retries_enabled:
            break
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return run
