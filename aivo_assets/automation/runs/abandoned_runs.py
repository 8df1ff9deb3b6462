"""Runs whose process was killed. Belongs here: recognising such a run and ending it; no run is started.

A run that a command does in its own process (`aivo run`, `aivo train`) has no worker that Dagster watches; one that the
daemon launched has a code server that does, but that dies with it where a container or a machine goes down. Such a run
would count as under way for hours, hold its pools, and keep every training waiting. So every run of our jobs holds a
lock on a file of its own, which the kernel releases however the process ends; a process that gets the lock knows that
it is over.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import dagster as dg

from aivo_assets.automation._dagster import MAX_RETRIES_TAG
from aivo_assets.lake.file_lock import held
from aivo_assets.operations.jobs.run_locks import FOLDER, is_let_go

HELD_TAG = "aivo/held"
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def held_by_this_process(instance: dg.DagsterInstance) -> Iterator[dict[str, str]]:
    """Hold a run of this process for as long as this is open.

    Args:
        instance: Where the run is recorded.

    Yields:
        Tags for the run. Dagster does not start it again by itself; the command does.
    """
    name = uuid4().hex
    path = _folder(instance) / name
    with held(path):
        yield {HELD_TAG: name, MAX_RETRIES_TAG: "0"}
        path.unlink(missing_ok=True)


def end_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Record as failed what runs in a process that is gone, and free the pools that it held; returns the runs' ids.

    Dagster then starts it again where the daemon had launched it. A run that somebody was cancelling is recorded as
    cancelled, and is not. A run whose file is not here was begun on another machine, or has not come to its first step
    yet, and is left alone.
    """
    folder = _folder(instance)
    # First the locks, then the runs: a process that is gone by then has recorded what it had to record.
    let_go = [path for path in folder.iterdir() if is_let_go(path)] if folder.is_dir() else []
    if not let_go:
        return []
    unfinished = {_name(run): run for run in instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED))}
    ended = []
    for path in filter(is_let_go, let_go):  # asked again: a process may have been about to take it
        run = unfinished.get(path.name)
        if run is not None:
            if run.status == dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, "The process of this run ended before it had said so.")
            else:
                instance.report_run_failed(run, "The process of this run ended without a word: it was killed.")
            if instance.event_log_storage.supports_global_concurrency_limits:
                instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            ended.append(run.run_id)
        path.unlink(missing_ok=True)
    return ended


def _name(run: dg.DagsterRun) -> str:
    """Name of the file that a run holds: a command's own, or the run's id."""
    return os.path.basename(run.tags.get(HELD_TAG, "")) or run.run_id


def _folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory) / FOLDER
