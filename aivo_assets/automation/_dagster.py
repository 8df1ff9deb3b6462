"""Dagster's private modules, imported here only. Belongs here: each name, why it is needed, and what would replace it.

Dagster's version is pinned (pyproject.toml), so none of them moves unless somebody raises it; then this is the one
file to look at. Everything else imports from `dagster` itself, which a test checks.
"""

from dagster._core.definitions.run_request import InstigatorType
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterUserCodeProcessError
from dagster._core.events import RunFailureReason
from dagster._core.scheduler.instigation import InstigatorStatus
from dagster._core.storage.tags import (
    AUTO_RETRY_RUN_ID_TAG,
    BACKFILL_ID_TAG,
    MAX_RETRIES_TAG,
    PARENT_RUN_ID_TAG,
    WILL_RETRY_TAG,
)
from dagster._utils.schedules import schedule_execution_time_iterator

__all__ = [
    # Tags that Dagster writes on runs: which run is tried again by which, and whether one will be. Documented as texts
    # ("dagster/will_retry" …); to wait for: constants in `dagster`, or `DagsterRun` saying so itself.
    "AUTO_RETRY_RUN_ID_TAG",
    "BACKFILL_ID_TAG",
    "MAX_RETRIES_TAG",
    "PARENT_RUN_ID_TAG",
    "WILL_RETRY_TAG",
    # What `execute_in_process` raises for a step that failed after its retries: the cause is inside it, its own text
    # says "Exceeded max_retries" alone. To wait for: a step's error that chains what the step raised.
    "DagsterUserCodeProcessError",
    # Whether somebody switched a schedule or sensor off, so that nobody waits for it. `DagsterInstance` has public
    # `all_instigator_state`, but what it takes and returns is private; to wait for: both in `dagster`.
    "InstigatorStatus",
    "InstigatorType",
    # That a run's process died, in contrast to a failed step, as it is in the failure event of `dg.DagsterEvent`; to
    # wait for: the enumeration in `dagster`.
    "RunFailureReason",
    # What `dg.define_asset_job` returns, for annotations alone; to wait for: its name in `dagster`.
    "UnresolvedAssetJobDefinition",
    # When a cron is due, by the code with which Dagster's daemon decides it: a second reading of cron texts would
    # disagree on an odd hour, zone or change to summer time; to wait for: the times of a `dg.ScheduleDefinition`.
    "schedule_execution_time_iterator",
]
