"""A run ends when it is told to: by a signal, by Terminate, by force. It is not failed, and nothing is tried again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.resources.run_watch import watched

PATIENCE = 60.0
SCRIPT = """
import hashlib, sys
from pathlib import Path
import dagster as dg
from aivo_assets.resources import run_watch

run_watch.SECONDS_TO_END = 1.0

@dg.resource
def lake(context):
    with run_watch.watched(context.instance, context.run.run_id, parent=False):
        yield None

@dg.op(required_resource_keys={"lake"})
def native():
    Path(sys.argv[2]).touch()
    hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2_000_000_000)  # minutes in which no signal handler of Python runs

@dg.job(resource_defs={"lake": lake})
def long():
    native()

with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    long.execute_in_process(instance=instance)
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@dg.resource
def lake(context: dg.InitResourceContext) -> Iterator[None]:
    """What a run of ours asks for first."""
    assert context.instance is not None
    assert context.run is not None
    with watched(context.instance, context.run.run_id, parent=False):
        yield


@dg.op(required_resource_keys={"lake"})
def works_on() -> None:
    """A step of a minute."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(0.01)


@dg.op(required_resource_keys={"lake"})
def works_once() -> None:
    """A step of no time."""


@dg.job(resource_defs={"lake": lake})
def long() -> None:
    """A job that is to be ended."""
    works_on()


@dg.job(resource_defs={"lake": lake})
def short() -> None:
    """A job that ends by itself."""
    works_once()


def ended_by(instance: dg.DagsterInstance, act: Callable[[dg.DagsterRun], None]) -> tuple[dg.DagsterRun, float]:
    """Run the long job, act on it once its step has begun, and tell what became of it and how many seconds later."""
    acted: list[float] = []

    def wait_and_act() -> None:
        while True:
            runs = instance.get_runs()
            if runs and instance.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.STEP_START):
                acted.append(time.monotonic())
                return act(runs[0])
            time.sleep(0.05)

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    with pytest.raises((KeyboardInterrupt, dg.DagsterExecutionInterruptedError)):
        long.execute_in_process(instance=instance)
    thread.join()
    return instance.get_runs()[0], time.monotonic() - acted[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_as_cancelled(number: int, instance: dg.DagsterInstance) -> None:
    run, seconds = ended_by(instance, lambda _: os.kill(os.getpid(), number))
    assert run.status == dg.DagsterRunStatus.CANCELED  # neither failed, which would be started again, nor done
    assert seconds < 5
    assert not instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)


def test_terminate_ends_a_run_that_dagster_cannot_reach(instance: dg.DagsterInstance) -> None:
    run, seconds = ended_by(instance, lambda run: instance.report_run_canceling(run) and None)
    assert run.status == dg.DagsterRunStatus.CANCELED
    assert seconds < 10


def test_what_was_terminated_by_force_or_taken_for_dead_does_not_go_on(instance: dg.DagsterInstance) -> None:
    run, seconds = ended_by(instance, lambda run: instance.report_run_canceled(run) and None)
    assert run.status == dg.DagsterRunStatus.CANCELED
    assert seconds < 10


def test_a_run_that_nobody_ends_is_left_alone(instance: dg.DagsterInstance) -> None:
    began = time.monotonic()
    assert short.execute_in_process(instance=instance).success
    assert time.monotonic() - began < 5
    assert threading.active_count() < 20
    assert signal.set_wakeup_fd(-1) == -1


def test_a_step_in_native_code_ends_with_its_process(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), str(begun)], stderr=subprocess.PIPE)
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=8)
    assert process.returncode == 130
    assert b"its process was ended" in told
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert instance.get_runs()[0].status == dg.DagsterRunStatus.CANCELED
