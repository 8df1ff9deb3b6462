"""A daemon that was away for a day, and a clock that jumps: Dagster's own scheduler over the real definitions."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._scheduler.scheduler import launch_scheduled_runs

from aivo_assets_tests.api.service import QUEUE

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceProcessContext]:
    folder = tmp_path / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(QUEUE)
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    definitions = ModuleTarget("aivo_assets.definitions", None, None, "aivo")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        with create_test_daemon_workspace_context(definitions, instance) as context:
            yield context
        context._grpc_server_registry.wait_for_processes()  # one that is left behind makes Python warn at its end


def look(workspace: WorkspaceProcessContext, at: datetime) -> None:
    """One look of the scheduler, as the daemon has many."""
    for _ in launch_scheduled_runs(workspace, logging.getLogger("scheduler"), at, {}):
        pass


def asked(workspace: WorkspaceProcessContext) -> Counter[str]:
    return Counter(run.job_name for run in workspace.instance.get_runs())


def test_after_a_day_without_a_daemon_each_schedule_catches_up_once(workspace: WorkspaceProcessContext) -> None:
    now = datetime.now(UTC)
    look(workspace, now)  # the schedules are on from here
    before = asked(workspace)
    back = now + timedelta(hours=26)  # thirteen ticks of the two-hourly check, four of drift, one of the daily training
    look(workspace, back)
    caught_up = asked(workspace) - before
    assert caught_up["adaptive_check"] == 1
    assert caught_up["drift_monitoring"] == 1
    assert sum(caught_up[job] for job in ("main_brain_training", "weekly_full_retraining")) <= 1
    look(workspace, back + timedelta(minutes=1))
    assert asked(workspace) - before == caught_up
    # They are still under way when the next ticks come: no schedule overlaps itself.
    look(workspace, back + timedelta(hours=13))
    assert (asked(workspace) - before)["adaptive_check"] == 1


def test_a_clock_that_jumps_ahead_and_back_asks_for_no_tick_twice_and_for_none_in_between_again(
    workspace: WorkspaceProcessContext,
) -> None:
    """Until the time that it showed has come, the schedules that ticked rest; then they go on."""
    right = datetime.now(UTC)
    look(workspace, right)
    look(workspace, right + timedelta(hours=13))  # wrong by 13 hours: two of the two schedules' ticks are certain
    ahead = keys(workspace)
    assert {"adaptive_training_2h", "drift_monitor_6h"} <= {key.split(":")[0] for key in ahead}
    for minutes in (1, 60, 600):
        look(workspace, right + timedelta(minutes=minutes))
    assert keys(workspace) == ahead
    for run in workspace.instance.get_runs():
        workspace.instance.report_run_canceled(run)  # so that none under way holds the next ones back
    look(workspace, right + timedelta(hours=13, minutes=1))
    assert keys(workspace) == ahead
    look(workspace, right + timedelta(hours=20))
    after = keys(workspace)
    assert max(after.values()) == 1
    assert {key.split(":")[0] for key in after - ahead} >= {"adaptive_training_2h", "drift_monitor_6h"}


def keys(workspace: WorkspaceProcessContext) -> Counter[str]:
    """How many runs were asked for under each run key."""
    return Counter(run.tags[RUN_KEY_TAG] for run in workspace.instance.get_runs())
