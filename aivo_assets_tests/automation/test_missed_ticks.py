"""A daemon that was away for a day: Dagster's own scheduler over the real definitions catches up once."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
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
    with (
        dg.DagsterInstance.from_config(str(folder)) as instance,
        create_test_daemon_workspace_context(definitions, instance) as context,
    ):
        yield context


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
