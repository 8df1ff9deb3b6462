"""Starting, watching and stopping the processes of `aivo up`. Which ones there are is in operate.py."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from aivo_assets.errors import ServiceError

SECONDS_TO_STOP = 20.0
SECONDS_FOR_THE_REST = 10.0
NOTHING = 0  # a signal that only asks whether somebody is there
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
SECONDS_OF_HEALTH = 60.0
"""A process that lived for so long is started again at once; one that ends sooner, after growing pauses."""


@dataclass(frozen=True)
class Service:
    """A process to keep.

    Attributes:
        name: What people call it.
        command: Program and arguments.
        log: File that gets everything it prints.
        restart: Whether it is started again where it ends by itself; otherwise its end is the end of all.
    """

    name: str
    command: Sequence[str]
    log: Path
    restart: bool = False


class Services:
    """Processes that live and end together, but for those that may be started again.

    Each has a process group of its own, so that Ctrl-C reaches only this process, which then stops them in order.
    """

    def __init__(self, *, environment: Mapping[str, str], folder: Path | None = None) -> None:
        self._services: list[Service] = []
        self._folder = folder
        self._environment = dict(environment)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._pauses: dict[str, float] = {}
        self._ended: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Services":
        # A terminated `aivo up` takes its children with it as Ctrl-C does; a shell's background job ignores SIGINT.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        processes = [*self._processes.values(), *self._ended]
        for process in processes:
            # With all that it started: a code server waits for its runs, so they have to end at the same time.
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_STOP
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
        # What they had started themselves, such as runs, may outlive them.
        left = [process for process in processes if _signal_group(process, signal.SIGTERM)]
        deadline = time.monotonic() + SECONDS_FOR_THE_REST
        while any(_signal_group(process, NOTHING) for process in left) and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in left:
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def start(self, service: Service) -> None:
        """Start one more process, which is kept from now on."""
        service.log.parent.mkdir(parents=True, exist_ok=True)
        self._services.append(service)
        self._start(service)

    def watch(self, look: Callable[[], None]) -> None:
        """Return only by an exception: `KeyboardInterrupt`, or when one of the processes ended by itself.

        Args:
            look: Called twice a second, for what else there is to look after.

        Raises:
            ServiceError: A process ended.
        """
        while True:
            self.check()
            look()
            time.sleep(0.5)

    def check(self) -> None:
        """Start again what ended and may be; raise if another process has ended.

        Raises:
            ServiceError: It names the process and the last lines that it printed.
        """
        # Runs of a killed code server continue, and are ended with the rest. Empty groups are dropped: ids are reused.
        self._ended = [process for process in self._ended if _signal_group(process, NOTHING)]
        for service in self._services:
            code = self._processes[service.name].poll()
            if code is not None and service.restart:
                self._restart(service, code)
            elif code is not None:
                lines = service.log.read_text(errors="replace").splitlines()[-5:]
                raise ServiceError(
                    f"The {service.name} ended with exit code {code}: " + " | ".join(line.strip() for line in lines),
                    fix=f"Its whole log is {service.log}.",
                )

    def _start(self, service: Service) -> None:
        self._started[service.name] = time.monotonic()
        with service.log.open("ab") as log:
            self._processes[service.name] = subprocess.Popen(  # noqa: S603 - our own programs
                service.command,
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _restart(self, service: Service, code: int) -> None:
        """Start a process again, unless its pause is not over yet; the caller tries again."""
        since = time.monotonic() - self._started[service.name]
        if since > SECONDS_OF_HEALTH:
            self._pauses[service.name] = FIRST_PAUSE
        pause = self._pauses.setdefault(service.name, FIRST_PAUSE)
        if since < pause:
            return
        self._pauses[service.name] = min(2 * pause, LONGEST_PAUSE)
        self._ended.append(self._processes[service.name])
        with service.log.open("a") as log:
            log.write(f"It ended with exit code {code} and is started again.\n")
        self._start(service)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> bool:
    """Signal the process and all that it started; false where none of them is left."""
    process.poll()  # else a process that ended would count as there
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
