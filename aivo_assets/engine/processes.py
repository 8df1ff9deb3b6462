"""A pool of processes on one machine. Belongs here: submitting, trying again after a worker died, ending all of it."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, TypeVar

from aivo_assets.engine.engine import progress
from aivo_assets.engine.task import Outcome, attempt, label
from aivo_assets.engine.worker import prepare
from aivo_assets.errors import EngineError

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2  # items a worker that may be under way or wait to be read, so that results do not pile up

_shared: dict[int, Any] = {}


@dataclass
class Processes:
    """Worker processes, started fresh (`spawn`): polars and numba have threads, which a fork would break.

    Attributes:
        workers: How many.
        threads: Threads that libraries may use in each.
        memory_bytes: Most memory of each; None: no bound.
        retries: How often an item is tried again whose worker died.
    """

    workers: int
    threads: int = 1
    memory_bytes: int | None = None
    retries: int = 2
    name: str = field(default="processes", init=False)

    def map(
        self,
        work: Callable[[Any, Item], Result],
        shared: Any,
        items: Sequence[Item],
        *,
        say: Callable[[str], None] | None = None,
        describe: Callable[[Any], str] | None = None,
    ) -> Iterator[Result]:
        """See `Engine.map`."""
        deaths: dict[int, int] = {}
        done = 0
        while done < len(items):
            pool = self._pool(shared)
            try:
                for result in self._in_order(pool, work, items, done):
                    if say is not None:
                        say(progress(done + 1, len(items), items[done], describe and describe(result)))
                    done += 1
                    yield result
            except BrokenProcessPool:
                deaths[done] = deaths.get(done, 0) + 1
                if deaths[done] > self.retries:
                    raise EngineError(
                        f"The worker of {label(items[done])} died {deaths[done]} times; nothing was committed.",
                        fix="Most often memory is too small (see the kernel's log): lower AIVO_ENGINE_WORKERS or raise "
                        "AIVO_ENGINE_MEMORY_GIB.",
                    ) from None
                if say is not None:
                    say(f"a worker died while {label(items[done])} was waited for; trying again")
            finally:
                _end(pool)

    def _pool(self, shared: Any) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers,
            mp_context=get_context("spawn"),
            initializer=_start,
            initargs=(self.threads, self.memory_bytes, shared),
        )

    def _in_order(
        self, pool: ProcessPoolExecutor, work: Callable[[Any, Item], Result], items: Sequence[Item], first: int
    ) -> Iterator[Result]:
        waiting: deque[tuple[Item, Future[Outcome[Result]]]] = deque()
        ahead = iter(items[first:])
        for item in ahead:
            waiting.append((item, pool.submit(_call, work, item)))
            if len(waiting) >= AHEAD * self.workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)

    def close(self) -> None:
        """Nothing to end: each `map` ends its own workers."""


def _next(waiting: "deque[tuple[Item, Future[Outcome[Result]]]]") -> Result:
    item, future = waiting.popleft()
    return future.result().unpack(item)


def _start(threads: int, memory_bytes: int | None, shared: Any) -> None:
    prepare(threads, memory_bytes)
    _shared[0] = shared


def _call(work: Callable[[Any, Item], Result], item: Item) -> Outcome[Result]:
    return attempt(work, _shared[0], item)


def _end(pool: ProcessPoolExecutor) -> None:
    """End the workers at once: what they still do has nobody to read it."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=5)
        if process.is_alive():
            process.kill()
            threading.Thread(target=process.join, daemon=True).start()
