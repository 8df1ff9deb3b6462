"""The cost of work that runs in several processes. Belongs here: an engine whose items say what they took.

Core seconds are those of the driver and of the workers while they work on items. What a worker spends on being started
is in none of them: a step that is warm does not pay for it, and the seconds that starting took are reported apart.
"""

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from aivo_assets.benchmarks.machine import peak_bytes
from aivo_assets.engine import Engine

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class ItemCost:
    """What one item took.

    Attributes:
        result: Of the work.
        cpu_seconds: Of all threads of the process meanwhile.
        peak_bytes: Most memory of the process meanwhile.
        process: Which process of which machine.
    """

    result: Any
    cpu_seconds: float
    peak_bytes: int
    process: tuple[str, int]


@dataclass
class Meter:
    """Maps work with an engine and adds up what it took, until `start` is called again.

    Attributes:
        engine: Which does the work.
    """

    engine: Engine
    _workers_cpu: float = field(default=0.0, init=False)
    _peak: int = field(default=0, init=False)
    _processes: set[tuple[str, int]] = field(default_factory=set, init=False)
    _started: float = field(default=0.0, init=False)
    _cpu: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Begin to count anew."""
        self._workers_cpu, self._peak, self._processes = 0.0, 0, set()
        forget_peak()
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def map(self, work: Callable[[Any, Item], Result], shared: Any, items: Sequence[Item]) -> list[Result]:
        """`Engine.map`, all of it."""
        results = []
        for cost in self.engine.map(_measured, (work, shared), items):
            if cost.process != _this_process():
                self._workers_cpu += cost.cpu_seconds
            self._peak = max(self._peak, cost.peak_bytes)
            self._processes.add(cost.process)
            results.append(cost.result)
        return results

    @property
    def seconds(self) -> float:
        """Since `start`, on the wall."""
        return time.perf_counter() - self._started

    @property
    def cpu_seconds(self) -> float:
        """Since `start`, of the driver and, while they worked, the workers."""
        return time.process_time() - self._cpu + self._workers_cpu

    @property
    def peak_bytes(self) -> int:
        """Most memory of any one process since `start`."""
        return max(peak_bytes(), self._peak)

    @property
    def processes(self) -> int:
        """How many processes worked on items since `start`."""
        return len(self._processes)


def forget_peak() -> None:
    """Let this process's mark of its most memory begin anew, where the system can do that (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def idle(shared: float, item: int) -> int:
    """Load what the stages need, and wait so many seconds, so that every worker is started to do it."""
    import_module("aivo_assets.benchmarks.scale.stages")
    time.sleep(shared)
    return item


def _measured(shared: tuple[Callable[[Any, Any], Any], Any], item: Any) -> ItemCost:
    work, given = shared
    forget_peak()
    cpu = time.process_time()
    result = work(given, item)
    return ItemCost(result, time.process_time() - cpu, peak_bytes(), _this_process())


def _this_process() -> tuple[str, int]:
    return os.uname().nodename, os.getpid()
