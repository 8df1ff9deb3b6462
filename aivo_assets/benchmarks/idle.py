"""What a running platform takes while it has little to do. Belongs here: its processes, their time and memory.

Time is what the kernel has counted for each process and for those that it has waited for, so that a process which came
and went between two looks is in it. Memory is the proportional share (PSS): pages that several processes share count
once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from aivo_assets.errors import ServiceError
from aivo_assets.operations.server.one_home import LOCK


@dataclass(frozen=True)
class Idle:
    """What a platform took.

    Attributes:
        minutes: How long it was watched.
        core_seconds_per_minute: Time of all its processes, user and system.
        mebibytes: PSS of all its processes at the end.
        python_processes: How many of them run Python, at the end.
    """

    minutes: float
    core_seconds_per_minute: float
    mebibytes: float
    python_processes: int


def watch(home: Path, minutes: float, sleep: Callable[[float], None] = time.sleep) -> Idle:
    """Watch the platform of a home, which goes on as it does.

    Args:
        home: AIVO_HOME of a running `aivo up`.
        minutes: For how long.
        sleep: How to wait.

    Raises:
        ServiceError: No platform runs there, or it ended meanwhile.
    """
    began, before = time.monotonic(), _core_seconds(_processes(home))
    sleep(60 * minutes)
    processes = _processes(home)
    took, watched = _core_seconds(processes) - before, (time.monotonic() - began) / 60
    return Idle(watched, took / watched, sum(map(_pss, processes)) / 2**20, sum(map(_is_python, processes)))


def _processes(home: Path) -> list[psutil.Process]:
    """The process of `aivo up`, the embedded PostgreSQL, and all that they started."""
    lock, server = home / LOCK, home / "postgres" / "data" / "postmaster.pid"
    try:
        files = [lock, *([server] if server.exists() else [])]  # none where AIVO_POSTGRES_URL names a server
        roots = [psutil.Process(int(file.read_text().split()[0])) for file in files]
        return [process for root in roots for process in (root, *root.children(recursive=True))]
    except (OSError, IndexError, ValueError, psutil.NoSuchProcess) as error:
        fix = "Start it with aivo up, or set AIVO_HOME to that of the one that runs."
        raise ServiceError(f"No platform runs in {home}", fix=fix) from error


def _core_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # its parent has counted it by now
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def _is_python(process: psutil.Process) -> bool:
    try:
        return "python" in process.name()
    except psutil.NoSuchProcess:
        return False
