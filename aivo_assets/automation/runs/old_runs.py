"""Runs that have been kept for long enough. Belongs here: which of Dagster's runs go, with their event logs.

The frequent checks make sixteen runs a day, each with hundreds of events; what they made is in the lake. After a while
the last successful run of each check and day is kept, and after a longer while no run.
"""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import dagster as dg

from aivo_assets.operations.jobs.names import CHECKS, PARTITION_TAG
from aivo_assets.operations.jobs.run_locks import FOLDER
from aivo_assets.settings import RetentionSettings

AT_ONCE = 500
_RUN_ID: Final = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")


def remove_old_runs(instance: dg.DagsterInstance, settings: RetentionSettings, machine_now: datetime) -> int:
    """Remove ended runs and their event logs.

    Args:
        instance: Where they are.
        settings: How long they are kept.
        machine_now: The present instant by the machine's clock, UTC, by which runs are dated.

    Returns:
        How many were removed.
    """
    of_all = _ended(instance, machine_now - timedelta(days=settings.run_days), None)
    of_checks = [
        record
        for job in CHECKS
        for record in _ended(instance, machine_now - timedelta(days=settings.check_days), job)
        if not _is_last(instance, record.dagster_run)
    ]
    gone = {record.dagster_run.run_id for record in (*of_all, *of_checks)}
    for run_id in sorted(gone):
        instance.delete_run(run_id)
    _remove_files_of_no_run(Path(instance.root_directory), instance.has_run)
    return len(gone)


def _remove_files_of_no_run(root: Path, known: Callable[[str], bool]) -> int:
    """What steps printed, and locks, of runs that are no more; Dagster leaves these where they are."""
    gone = [
        file
        for folder in (root / "storage", root / FOLDER)
        for file in folder.glob("*")
        if _RUN_ID.match(file.name) and not known(file.name)
    ]
    for file in gone:
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
    return len(gone)


def _ended(instance: dg.DagsterInstance, before: datetime, job: str | None) -> list[dg.RunRecord]:
    """Ended runs that were created before an instant, a page after the other."""
    wanted = dg.RunsFilter(job_name=job, created_before=before.astimezone(UTC).replace(tzinfo=None))
    ended: list[dg.RunRecord] = []
    cursor = None
    while page := instance.get_run_records(wanted, limit=AT_ONCE, cursor=cursor):
        ended += [record for record in page if record.dagster_run.is_finished]
        cursor = page[-1].dagster_run.run_id
    return ended


def _is_last(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a run is the last successful one of its job and day."""
    day = run.tags.get(PARTITION_TAG)
    if day is None or not run.is_success:
        return False
    same = dg.RunsFilter(job_name=run.job_name, tags={PARTITION_TAG: day}, statuses=[dg.DagsterRunStatus.SUCCESS])
    return [each.dagster_run.run_id for each in instance.get_run_records(same, limit=1)] == [run.run_id]
