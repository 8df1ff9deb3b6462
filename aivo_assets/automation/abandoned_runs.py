"""Runs in a process of ours that was killed. Belongs here: how such a run is known, and its end; no run is started.

A run that a command does in its own process (`aivo run`, `aivo train`) has no worker that Dagster watches: after a
SIGKILL it would count as under way for hours, hold its pools, and keep every training waiting. Such a run holds a lock
on a file of its own, which the kernel takes back however the process ends; whoever gets the lock knows that it is over.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import dagster as dg
from dagster._core.storage.tags import MAX_RETRIES_TAG

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
        Tags for the run. Dagster does not start it again by itself: whoever gave the command does.
    """
    name = uuid4().hex
    path = _folder(instance) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield {HELD_TAG: name, MAX_RETRIES_TAG: "0"}
        path.unlink(missing_ok=True)


def end_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Record as failed what runs in a process that is gone, and free the pools that it held; returns the runs' ids.

    A run whose file is not here was begun on another machine, and is left alone.
    """
    if not _folder(instance).is_dir():
        return []
    ended = []
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED)):
        path = _folder(instance) / os.path.basename(run.tags.get(HELD_TAG, ""))
        if HELD_TAG not in run.tags or not _is_let_go(path):
            continue
        instance.report_run_failed(run, "The process of this run ended without a word: it was killed.")
        if instance.event_log_storage.supports_global_concurrency_limits:
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        path.unlink(missing_ok=True)
        ended.append(run.run_id)
    return ended


def _folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory) / "held"


def _is_let_go(path: Path) -> bool:
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, IsADirectoryError, BlockingIOError):
        return False
    return True
