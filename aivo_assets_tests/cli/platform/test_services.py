"""Processes that live together: one that may be started again comes back, with pauses; the end of another ends all."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aivo_assets.cli.platform.services import Service, Services
from aivo_assets.errors import ServiceError

SLEEPER = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
LEAVES_A_CHILD = """
import signal, subprocess, sys, time
deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
sleeps = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", deaf + sleeps])
time.sleep(600)
"""
ENDS = "import os; print(os.getpid(), flush=True)"


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """`Services` takes SIGTERM and SIGINT for itself."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def service(folder: Path, name: str, code: str, *, restart: bool = False) -> Service:
    return Service(name, [sys.executable, "-c", code], folder / f"{name}.log", restart=restart)


def pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().splitlines() if line.isdigit()]


def until(holds: Callable[[], bool], services: Services) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        services.check()
        time.sleep(0.05)


def test_one_that_is_killed_comes_back_while_the_other_goes_on(tmp_path: Path) -> None:
    kept, restarted = service(tmp_path, "daemon", SLEEPER), service(tmp_path, "http", SLEEPER, restart=True)
    with Services(environment=os.environ) as running:
        running.start(kept)
        running.start(restarted)
        until(lambda: bool(pids(kept.log)) and bool(pids(restarted.log)), running)
        os.kill(pids(restarted.log)[0], signal.SIGKILL)
        until(lambda: len(pids(restarted.log)) == 2, running)
        assert len(pids(kept.log)) == 1
        assert "exit code -9" in restarted.log.read_text()
        last = pids(restarted.log)[-1]
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)


def test_one_that_ends_again_and_again_is_started_after_growing_pauses(tmp_path: Path) -> None:
    ends = service(tmp_path, "http", ENDS, restart=True)
    with Services(environment=os.environ) as running:
        running.start(ends)
        began = time.monotonic()
        until(lambda: len(pids(ends.log)) >= 3, running)
        assert time.monotonic() - began >= 0.5 + 1.0


def test_the_end_of_another_is_the_end_of_all(tmp_path: Path) -> None:
    ends = service(tmp_path, "daemon", ENDS)
    with Services(environment=os.environ) as running:
        running.start(ends)
        with pytest.raises(ServiceError, match="The daemon ended"):
            until(lambda: False, running)


def test_what_a_process_had_started_does_not_outlive_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aivo_assets.cli.platform.services.SECONDS_FOR_THE_REST", 0.5)
    parent = service(tmp_path, "daemon", LEAVES_A_CHILD)
    with Services(environment=os.environ) as running:
        running.start(parent)
        until(lambda: bool(pids(parent.log)), running)
        (child,) = pids(parent.log)
    deadline = time.monotonic() + 10
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_a_killed_process_had_started_goes_on_until_the_platform_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aivo_assets.cli.platform.services.SECONDS_FOR_THE_REST", 0.5)
    parent = service(
        tmp_path, "code server", "import os; print(-os.getpid(), flush=True)\n" + LEAVES_A_CHILD, restart=True
    )
    with Services(environment=os.environ) as running:
        running.start(parent)
        until(lambda: bool(pids(parent.log)), running)
        (child,) = pids(parent.log)
        started = next(int(line) for line in parent.log.read_text().splitlines() if line.startswith("-"))
        os.kill(-started, signal.SIGKILL)
        until(lambda: len(pids(parent.log)) == 2, running)
        assert alive(child)
    deadline = time.monotonic() + 10
    while any(map(alive, pids(parent.log))):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits to be asked for its exit code does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
