"""A run whose process was killed is over: it is recorded as failed, and no training waits for it."""

import os
import signal
import subprocess
import sys

import dagster as dg

from aivo_assets.automation.abandoned_runs import end_abandoned_runs, held_by_this_process
from aivo_assets.automation.guards import under_way

BEGINS_AND_DIES = """
import os, signal, sys
import dagster as dg
from aivo_assets.automation.abandoned_runs import held_by_this_process
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance, held_by_this_process(instance) as held:
    instance.add_run(dg.DagsterRun(job_name="emergency_retrain", status=dg.DagsterRunStatus.STARTED, tags=held))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def begun(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    run = dg.DagsterRun(job_name="emergency_retrain", status=dg.DagsterRunStatus.STARTED, tags=tags)
    return instance.add_run(run).run_id


def test_a_run_of_a_killed_process_is_ended_and_holds_no_training_back(instance: dg.DagsterInstance) -> None:
    died = subprocess.run([sys.executable, "-c", BEGINS_AND_DIES, instance.root_directory], check=False)
    assert died.returncode == -signal.SIGKILL
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.STARTED
    assert under_way(instance) is None
    (run,) = instance.get_runs()
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert end_abandoned_runs(instance) == []


def test_a_run_that_is_held_goes_on_and_is_left_alone_where_it_is_not_ours(instance: dg.DagsterInstance) -> None:
    with held_by_this_process(instance) as held:
        here = begun(instance, held)
        elsewhere = begun(instance, {**held, "aivo/held": "of-another-machine"})
        by_the_daemon = begun(instance, {})
        assert end_abandoned_runs(instance) == []
        assert under_way(instance) in (here, elsewhere, by_the_daemon)
    assert os.listdir(os.path.join(instance.root_directory, "held")) == []
