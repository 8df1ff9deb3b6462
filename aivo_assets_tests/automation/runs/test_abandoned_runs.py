"""A run whose process was killed is over: it is recorded as failed, and no training waits for it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.automation.guards import under_way
from aivo_assets.automation.runs.abandoned_runs import end_abandoned_runs, held_by_this_process
from aivo_assets.operations.jobs import run_locks
from aivo_assets.operations.jobs.run_locks import FOLDER
from aivo_assets.resources.platform import build_resources
from aivo_assets.settings import Settings

BEGINS_AND_DIES = """
import os, signal, sys
import dagster as dg
from aivo_assets.automation.runs.abandoned_runs import held_by_this_process
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance, held_by_this_process(instance) as held:
    instance.add_run(dg.DagsterRun(job_name="emergency_retrain", status=dg.DagsterRunStatus(sys.argv[2]), tags=held))
    os.kill(os.getpid(), signal.SIGKILL)
"""

LAUNCHED_AND_DIES = """
import os, signal, sys
import dagster as dg
from aivo_assets.resources.platform import build_resources
from aivo_assets.settings import Settings
@dg.asset(required_resource_keys={"lake"})
def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    resources = build_resources(Settings(home=sys.argv[1]))
    job = dg.define_asset_job("late_events", executor_def=dg.in_process_executor)
    made = dg.Definitions(assets=[dies], jobs=[job], resources=resources)
    made.resolve_job_def("late_events").execute_in_process(instance=instance)
"""


def begun(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    run = dg.DagsterRun(job_name="emergency_retrain", status=dg.DagsterRunStatus.STARTED, tags=tags)
    return instance.add_run(run).run_id


def test_a_run_of_a_killed_process_is_ended_and_holds_no_training_back(instance: dg.DagsterInstance) -> None:
    assert died_as(instance, dg.DagsterRunStatus.STARTED) == dg.DagsterRunStatus.FAILURE


def test_a_run_that_was_being_cancelled_ends_as_cancelled_and_is_not_started_again(
    instance: dg.DagsterInstance,
) -> None:
    assert died_as(instance, dg.DagsterRunStatus.CANCELING) == dg.DagsterRunStatus.CANCELED


def died_as(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRunStatus:
    """What becomes of a run of this status whose process is killed."""
    command = [sys.executable, "-c", BEGINS_AND_DIES, instance.root_directory, status.value]
    died = subprocess.run(command, check=False)
    assert died.returncode == -signal.SIGKILL
    (run,) = instance.get_runs()
    assert run.status == status
    assert under_way(instance) is None
    assert end_abandoned_runs(instance) == []
    (run,) = instance.get_runs()
    return run.status


def test_a_lock_that_cannot_be_opened_holds_nobody_up(instance: dg.DagsterInstance) -> None:
    """As another account's may be; here a link that leads to itself, which root cannot open either."""
    folder = Path(instance.root_directory) / FOLDER
    folder.mkdir()
    (folder / "of-another-account").symlink_to(folder / "of-another-account")
    begun(instance, {"aivo/held": "of-another-account"})
    assert end_abandoned_runs(instance) == []
    assert under_way(instance) is not None


def test_a_run_of_any_worker_holds_itself_and_is_ended_when_the_worker_was_killed(
    instance: dg.DagsterInstance,
) -> None:
    """What the daemon launched, where its code server died as well."""
    died = subprocess.run([sys.executable, "-c", LAUNCHED_AND_DIES, instance.root_directory], check=False)
    assert died.returncode == -signal.SIGKILL
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.STARTED
    assert end_abandoned_runs(instance) == [run.run_id]
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE
    assert end_abandoned_runs(instance) == []


def test_what_ended_in_order_is_left_alone_and_leaves_no_lock_behind(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_locks, "MOST_OF_A_PROCESS", 2)

    @dg.asset(required_resource_keys={"lake"})
    def ends() -> None:
        """Does nothing."""

    jobs = [dg.define_asset_job("late_events", executor_def=dg.in_process_executor)]
    made = dg.Definitions(assets=[ends], jobs=jobs, resources=build_resources(Settings(home=tmp_path)))
    job, by_hand = made.resolve_job_def("late_events"), made.resolve_implicit_global_asset_job_def()
    runs = [job.execute_in_process(instance=instance).run_id for _ in range(3)]
    in_steps = by_hand.execute_in_process(instance=instance).run_id
    held = {path.name for path in (Path(instance.root_directory) / FOLDER).iterdir()}
    assert held == set(runs)
    assert in_steps not in held  # by hand, each step has a process of its own: none of them is the run
    assert end_abandoned_runs(instance) == []
    assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
    kept = {path.name for path in (Path(instance.root_directory) / FOLDER).iterdir()}
    assert runs[0] not in kept
    assert len(kept) <= 2


def test_a_run_that_is_held_goes_on_and_is_left_alone_where_it_is_not_ours(instance: dg.DagsterInstance) -> None:
    with held_by_this_process(instance) as held:
        here = begun(instance, held)
        elsewhere = begun(instance, {**held, "aivo/held": "of-another-machine"})
        by_the_daemon = begun(instance, {})
        assert end_abandoned_runs(instance) == []
        assert under_way(instance) in (here, elsewhere, by_the_daemon)
    assert os.listdir(os.path.join(instance.root_directory, "held")) == []
