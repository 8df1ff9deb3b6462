"""Starting, watching and stopping the processes of `aivo up`. Which ones there are is in operate.py."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from aivo_assets.errors import ServiceError

SECONDS_TO_STOP = 20.0


@dataclass(frozen=True)
class Service:
    """A process to keep.

    Attributes:
        name: What people call it.
        command: Program and arguments.
        log: File that gets everything it prints.
    """

    name: str
    command: Sequence[str]
    log: Path


class Services:
    """Processes that live and end together.

    Each has a process group of its own, so that Ctrl-C reaches only this process, which then stops them in order.
    """

    def __init__(self, services: Sequence[Service], *, environment: Mapping[str, str]) -> None:
        self._services = services
        self._environment = dict(environment)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Services":
        # A terminated `aivo up` takes its children with it as Ctrl-C does; a shell's background job ignores SIGINT.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
        for service in self._services:
            service.log.parent.mkdir(parents=True, exist_ok=True)
            with service.log.open("ab") as log:
                self._processes[service.name] = subprocess.Popen(  # noqa: S603 - our own programs
                    service.command,
                    env=self._environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + SECONDS_TO_STOP
        for process in self._processes.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def watch(self) -> None:
        """Return only by an exception: `KeyboardInterrupt`, or when one of the processes ended by itself.

        Raises:
            ServiceError: A process ended.
        """
        while True:
            self.check()
            time.sleep(0.5)

    def check(self) -> None:
        """Raise if a process has ended.

        Raises:
            ServiceError: It names the process and the last lines that it printed.
        """
        for service in self._services:
            code = self._processes[service.name].poll()
            if code is not None:
                lines = service.log.read_text(errors="replace").splitlines()[-5:]
                raise ServiceError(
                    f"The {service.name} ended with exit code {code}: " + " | ".join(line.strip() for line in lines),
                    fix=f"Its whole log is {service.log}.",
                )


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
