"""A real daemon over a school, its end at a chosen moment, and its ticks and runs. No fault is judged here."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType

from aivo_assets.resources.instance import open_instance
from aivo_assets_tests.chaos.school import Home, environment_of
from aivo_assets_tests.conftest import REPOSITORY

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
NEVER = "0 0 29 2 1"
CHECKS_EVERY_MINUTE = {
    "AIVO_SCHEDULE_ADAPTIVE_TRAINING": "* * * * *",
    "AIVO_SCHEDULE_DRIFT_MONITOR": NEVER,
    "AIVO_SCHEDULE_MAIN_BRAIN_DAILY": NEVER,
    "AIVO_SCHEDULE_WEEKLY_FULL_RETRAINING": NEVER,
    "AIVO_SCHEDULE_SENSOR_SECONDS": "10",
}


@dataclass
class Daemon:
    """The daemon of an instance.

    Attributes:
        instance: Where it records what it does.
        log: What it and its processes print.
        process: The daemon's own process.
        begun: Every process that it was seen to have started.
    """

    instance: dg.DagsterInstance
    log: Path
    process: subprocess.Popen[bytes] | None = None
    begun: frozenset[int] = frozenset()

    def start(self) -> None:
        """Start it as `aivo up` does."""
        command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(REPOSITORY / "workspace.yaml")]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=out, stderr=subprocess.STDOUT)

    def kill(self, *, with_all_it_started: bool) -> None:
        """SIGKILL to it alone, or to its code server and run workers as well, as where a container goes down."""
        assert self.process is not None
        self.begun |= _below(self.process.pid)
        self.process.kill()
        self.process.wait()
        if with_all_it_started:
            self._kill_begun()

    def end(self) -> None:
        """End it in order, and whatever outlived it."""
        if self.process is not None and self.process.poll() is None:
            self.begun |= _below(self.process.pid)
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
        if self.process is not None and self.process.poll() is None:
            self.kill(with_all_it_started=True)
        self._kill_begun()

    def wait(self, holds: Callable[[], bool], seconds: float) -> None:
        """Wait until something holds; the daemon has to live meanwhile."""
        deadline = time.monotonic() + seconds
        while not holds():
            lives = self.process is not None and self.process.poll() is None
            assert lives, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, [(run.job_name, run.status) for run in self.instance.get_runs()]
            time.sleep(0.3)

    def runs(self, *statuses: dg.DagsterRunStatus) -> list[dg.DagsterRun]:
        """Runs of these statuses (of all), oldest first."""
        return list(self.instance.get_runs(filters=dg.RunsFilter(statuses=list(statuses) or None), ascending=True))

    def at_work(self) -> list[dg.DagsterRun]:
        """Runs that are in one of their steps."""
        begun = dg.DagsterEventType.STEP_START
        started = self.runs(dg.DagsterRunStatus.STARTED)
        return [run for run in started if self.instance.all_logs(run.run_id, of_type=begun)]

    def begins(self, run: dg.DagsterRun) -> int:
        """How often a run began."""
        return len(self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_START))

    def ticks(self, after: datetime, before: datetime) -> dict[str, list[datetime]]:
        """Of each schedule that is on the times between two instants for which it was asked."""
        states = self.instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        return {
            state.name: [
                datetime.fromtimestamp(tick.timestamp, UTC)
                for tick in self.instance.get_ticks(
                    state.instigator_origin_id, state.selector_id, after=after.timestamp(), before=before.timestamp()
                )
            ]
            for state in states
        }

    def _kill_begun(self) -> None:
        for pid in self.begun:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.begun = frozenset()


@contextmanager
def daemon(home: Home, *, at_once: int) -> Iterator[Daemon]:
    """The daemon of a home, not started yet, with PostgreSQL running.

    Args:
        home: Where it works.
        at_once: Runs that it lets run at the same time; further ones queue.
    """
    settings = home.settings
    with environment_of(home.environment), open_instance(settings) as instance:
        written = home.path / "dagster" / "dagster.yaml"
        written.write_text(written.read_text().replace("max_concurrent_runs: 2", f"max_concurrent_runs: {at_once}"))
        kept = Daemon(instance, home.path / "daemon.log")
        try:
            yield kept
        finally:
            kept.end()


def _below(pid: int) -> frozenset[int]:
    """Every process that descends from one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return frozenset(found - {pid})
