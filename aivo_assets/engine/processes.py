"""A pool of processes on one machine. Belongs here: submitting, trying again after a worker died, ending all of it."""

import pickle
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from aivo_assets.engine.engine import progress
from aivo_assets.engine.task import Outcome, attempt, label
from aivo_assets.engine.worker import prepare
from aivo_assets.errors import EngineError

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2  # items a worker that may be under way or wait to be read, so that results do not pile up

_shared: dict[str, Any] = {}  # of a worker: what the tasks of the present map share, by the file it was read from


@dataclass
class Processes:
    """Worker processes, started fresh (`spawn`): polars and numba have threads, which a fork would break.

    They are started by the first `map`, and kept for those that follow until `close`.

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
    _pool: ProcessPoolExecutor | None = field(default=None, init=False, repr=False)

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
        with _handed_over(shared) as place:
            while done < len(items):
                try:
                    for result in self._in_order(work, place, items, done):
                        if say is not None:
                            say(progress(done + 1, len(items), items[done], describe and describe(result)))
                        done += 1
                        yield result
                except BrokenProcessPool:
                    self.close()
                    deaths[done] = deaths.get(done, 0) + 1
                    if deaths[done] > self.retries:
                        raise EngineError(
                            f"The worker of {label(items[done])} died {deaths[done]} times; nothing was committed.",
                            fix="Most often memory is too small (see the kernel's log): lower AIVO_ENGINE_WORKERS or "
                            "raise AIVO_ENGINE_MEMORY_GIB.",
                        ) from None
                    if say is not None:
                        say(f"a worker died while {label(items[done])} was waited for; trying again")
                except BaseException:  # a failed item, an interrupt, or a caller who wants no more
                    self.close()
                    raise

    def _in_order(
        self, work: Callable[[Any, Item], Result], place: str, items: Sequence[Item], first: int
    ) -> Iterator[Result]:
        pool, waiting = self._running(), deque[tuple[Item, Future[Outcome[Result]]]]()
        for item in items[first:]:
            waiting.append((item, pool.submit(_call, work, place, item)))
            if len(waiting) >= AHEAD * self.workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)

    def _running(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=get_context("spawn"),
                initializer=prepare,
                initargs=(self.threads, self.memory_bytes),
            )
        return self._pool

    def close(self) -> None:
        """End the workers at once: what they still do has nobody to read it."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(timeout=5)
            if process.is_alive():
                process.kill()
                threading.Thread(target=process.join, daemon=True).start()


@contextmanager
def _handed_over(shared: Any) -> Iterator[str]:
    """A file with what the tasks share; each worker reads it once."""
    with tempfile.NamedTemporaryFile(prefix="aivo-engine-") as file:
        pickle.dump(shared, file, protocol=pickle.HIGHEST_PROTOCOL)
        file.flush()
        yield file.name


def _next(waiting: "deque[tuple[Item, Future[Outcome[Result]]]]") -> Result:
    item, future = waiting.popleft()
    return future.result().unpack(item)


def _call(work: Callable[[Any, Item], Result], place: str, item: Item) -> Outcome[Result]:
    if place not in _shared:
        _shared.clear()
        with Path(place).open("rb") as file:
            _shared[place] = pickle.load(file)  # noqa: S301 - written by the driver, readable by its user alone
    return attempt(work, _shared[place], item)
