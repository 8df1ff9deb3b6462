"""The daemon is killed in mid-queue, alone or with everything that it started, and comes back after missed ticks."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG

from aivo_assets_tests.chaos.conftest import School
from aivo_assets_tests.chaos.daemon import CHECKS_EVERY_MINUTE, UNFINISHED, daemon
from aivo_assets_tests.chaos.school import Home, nothing_lost_or_doubled

pytestmark = [pytest.mark.chaos, pytest.mark.postgres, pytest.mark.slow]

MISSED = 3
PATIENCE = 900  # seconds, for runs one after the other on a machine with other work
SCHEDULE = "adaptive_training_2h"
STARTED, QUEUED = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.QUEUED
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("with_all", [False, True], ids=["alone", "with_all_it_started"])
def test_killed_in_mid_queue_the_daemon_comes_back_to_one_catch_up_and_every_run_is_done_once(
    with_all: bool, copied: Callable[..., Home], school: School
) -> None:
    last = school.next + timedelta(days=3)
    home = copied(**CHECKS_EVERY_MINUTE)
    landed = home.aivo("ingest", "--from", str(school.next), "--to", str(last))
    assert landed.returncode == 0, landed.stdout
    with daemon(home, at_once=1) as running:
        earlier = {run.run_id for run in running.runs()}
        running.start()
        running.wait(lambda: bool(running.at_work()) and bool(running.runs(QUEUED)), PATIENCE)
        running.kill(with_all_it_started=with_all)
        killed_at = datetime.now(UTC)
        caught = {run.run_id: run.status for run in running.runs(*UNFINISHED)}
        assert QUEUED in caught.values()
        assert home.serving() == 1

        wait_for_minutes(killed_at, MISSED)
        back_at = datetime.now(UTC)
        running.start()
        running.wait(lambda: not {run.run_id for run in running.runs(*UNFINISHED)} & set(caught), PATIENCE)
        running.wait(lambda: any(run.job_name == "late_events" for run in running.runs(SUCCESS)), PATIENCE)
        running.wait(lambda: not running.runs(*UNFINISHED), PATIENCE)
        asked = running.ticks(killed_at, datetime.now(UTC))
        runs = [run for run in running.runs() if run.run_id not in earlier]
        began = {run.run_id: running.begins(run) for run in runs}

    newest_missed = back_at.replace(second=0, microsecond=0)
    # Of the ticks missed only the newest is made up, or one that came due while it was being asked for.
    assert asked[SCHEDULE]
    assert min(asked[SCHEDULE]) >= newest_missed
    firsts = [run for run in runs if run.parent_run_id is None]
    assert max(Counter(run.tags.get(RUN_KEY_TAG, run.run_id) for run in firsts).values()) == 1
    assert set(began.values()) == {1}
    again = {run.parent_run_id: run for run in runs if run.parent_run_id is not None}
    ended = {run.run_id: run.status for run in runs}
    # What was under way when its worker died as well is recorded as failed and done once more; nothing else is.
    died = {run_id for run_id, status in caught.items() if status == STARTED} if with_all else set()
    assert {run_id for run_id, status in ended.items() if status == FAILURE} == died == set(again)
    assert {status for run_id, status in ended.items() if run_id not in died} == {SUCCESS}
    assert home.serving() == 1
    nothing_lost_or_doubled(home, school.source, school.first, last)


def wait_for_minutes(since: datetime, number: int) -> None:
    """Wait until so many minutes have begun since an instant."""
    until = since.replace(second=0, microsecond=0) + timedelta(minutes=number, seconds=5)
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))
