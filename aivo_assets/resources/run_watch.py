"""Ends a run when it is told to. Belongs here: how a process learns that its run is over, and its end; no job.

A run is told to end by a signal (Ctrl-C, SIGTERM, Dagster's Terminate) or by its record: terminated by force, or ended
by somebody who took its process for dead. A step in the middle of native code sees neither, and Dagster would go on
after an interrupt that comes from nowhere as if the run had failed, and start it again. So a thread watches both. It
passes on what the record says as an interrupt, records that the run was cancelled, and ends the process where a step
does not come back from native code within `SECONDS_TO_END`.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import dagster as dg

SECONDS_BETWEEN_LOOKS: Final = 1.0
SECONDS_FOR_DAGSTER: Final = 3.0
"""A run that is being cancelled has this long to be interrupted by Dagster itself."""

SECONDS_TO_END: Final = 10.0
EXIT_CODE: Final = 130

_AT_WORK = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED)
_ENDS = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def watched(instance: dg.DagsterInstance, run_id: str, *, parent: bool) -> Iterator[None]:
    """Watch a run of this process for as long as this is open.

    Args:
        instance: Where the run is recorded.
        run_id: Its id.
        parent: Whether the process that started this one does the run, so that its death is the run's end.
    """
    watch = _Watch(instance, run_id, os.getppid() if parent else None)
    with watch.hears_signals():
        thread = threading.Thread(target=watch.look, name="run-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            watch.close()
            thread.join()
            watch.record()


class _Watch:
    def __init__(self, instance: dg.DagsterInstance, run_id: str, parent: int | None) -> None:
        self._instance = instance
        self._run_id = run_id
        self._parent = parent
        self._hears, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        os.set_blocking(self._hears, False)
        self.over = threading.Event()
        self._signalled = False

    @contextmanager
    def hears_signals(self) -> Iterator[None]:
        """Have the interpreter note each signal in a pipe, which it does also in the middle of native code."""
        is_main = threading.current_thread() is threading.main_thread()
        before = signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False) if is_main else -1
        try:
            yield
        finally:
            if is_main:
                signal.set_wakeup_fd(before)
            os.close(self._hears)
            os.close(self._wakes)

    def look(self) -> None:
        """Until the run is over: pass on what ends it, and end the process where that does not help."""
        told_at: float | None = None
        while not self.over.is_set():
            heard = self._hear(SECONDS_BETWEEN_LOOKS / 4 if told_at else SECONDS_BETWEEN_LOOKS)
            if told_at is None and (heard or self._is_ended()):
                told_at = time.monotonic()
                if not heard and not self._hear(SECONDS_FOR_DAGSTER) and not self.over.is_set():
                    os.kill(os.getpid(), signal.SIGINT)
            if told_at is not None and time.monotonic() - told_at > SECONDS_TO_END and not self.over.is_set():
                self._end()

    def close(self) -> None:
        """The run is over; the thread is woken."""
        self.over.set()
        os.write(self._wakes, b"\0")

    def record(self) -> None:
        """Say that the run was cancelled, before Dagster judges why it ended."""
        self._hear(0)
        if not self._signalled:
            return
        with suppress(Exception):  # whatever is wrong with the storage, the run ends
            run = self._instance.get_run_by_id(self._run_id)
            if run is not None and run.status in _AT_WORK:
                self._instance.report_run_canceling(run, "The process of this run was told to end.")

    def _hear(self, seconds: float) -> bool:
        """Whether a signal that ends a process has come so far; waits so long for one."""
        if not self._signalled:
            ready, _, _ = select.select([self._hears], [], [], seconds)
            self._signalled = bool(ready) and bool(_ENDS & set(os.read(self._hears, 512)))
        else:
            self.over.wait(seconds)
        return self._signalled

    def _is_ended(self) -> bool:
        if self._parent is not None and os.getppid() != self._parent:
            return True
        try:
            run = self._instance.get_run_by_id(self._run_id)
        except Exception:  # a storage that does not answer ends no run; the run's own events will say so
            return False
        return run is not None and run.status not in _AT_WORK and run.status != dg.DagsterRunStatus.QUEUED

    def _end(self) -> None:
        message = f"The step did not end within {SECONDS_TO_END:.0f} s of being told to; its process was ended."
        with suppress(Exception):
            run = self._instance.get_run_by_id(self._run_id)
            if run is not None and not run.is_finished:
                self._instance.report_run_canceled(run, message)
        print(message, file=sys.stderr, flush=True)  # noqa: T201 - the process has no other word left
        os._exit(EXIT_CODE)
