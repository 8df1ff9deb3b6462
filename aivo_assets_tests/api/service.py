"""The real processes that the tests of the control plane talk to: Dagster's web UI, and the HTTP service before it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import httpx

from aivo_assets_tests.conftest import REPOSITORY

SECONDS_TO_START = 120.0

# Runs wait in the queue for a daemon that is not there, so that a trigger starts one and nothing is computed.
QUEUE = """
concurrency:
  runs:
    max_concurrent_runs: 1
telemetry:
  enabled: false
"""


@dataclass(frozen=True)
class Platform:
    """Where the processes are and what they share."""

    home: Path
    dagster_url: str
    environment: Mapping[str, str]

    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(self.home / "dagster"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web_ui(home: Path) -> Iterator[Platform]:
    """Dagster's web UI over the real definitions and an empty home."""
    folder = home / "dagster"
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text(QUEUE)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AIVO_", "DAGSTER_"))}
    environment = {
        **given,
        "AIVO_HOME": str(home),
        "DAGSTER_HOME": str(folder),
        "AIVO_API_DAGSTER_URL": url,
        "AIVO_API_SETTLE_SECONDS": "2",
    }
    command = ["-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(REPOSITORY / "workspace.yaml")]
    with process(command, environment, home / "web.log", f"{url}/server_info"):
        yield Platform(home, url, environment)


@contextmanager
def http_service(platform: Platform, **settings: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The HTTP service as `aivo up` starts it, with settings of its own; its URL and its process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**platform.environment, "AIVO_API_PORT": str(port), **settings}
    with process(["-m", "aivo_assets.api"], environment, platform.home / "http.log", f"{url}/health") as running:
        yield url, running


@contextmanager
def process(
    command: list[str], environment: Mapping[str, str], log: Path, answers: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that is up as soon as an address answers, and gone afterwards."""
    with log.open("ab") as out:
        started = subprocess.Popen(
            [sys.executable, *command], env=dict(environment), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        wait_for(answers, started, log)
        yield started
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert running.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError(f"{url} did not answer: {log.read_text()[-3000:]}")
