"""The promises of the README, kept by the real commands: the demo on PostgreSQL, and the platform going up and down."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from aivo_assets.lake import calendar, open_lake
from aivo_assets.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SCHEDULES = {
    "aivo_main_brain_daily",
    "drift_monitor_6h",
    "weekly_full_retraining",
    "adaptive_training_2h",
    "forget_requests_15m",
    "personal_retention_daily",
}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder outside pytest's own, which is closed to the account that PostgreSQL runs under."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "home"


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AIVO_", "DAGSTER_"))}
    small = {"AIVO_SIMULATOR_LEARNERS": "120", "AIVO_SIMULATOR_DAYS": "14", "AIVO_TRAINING_MAX_ITERATIONS": "30"}
    return {**given, **small, "AIVO_HOME": str(home), "COLUMNS": "160"}


@pytest.fixture(scope="module")
def demo(environment: dict[str, str]) -> str:
    done = subprocess.run([aivo(), "demo"], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def aivo() -> str:
    return str(Path(sys.executable).parent / "aivo")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_demo_ends_with_a_summary_a_person_can_read(demo: str) -> None:
    for heading in ("Stages", "Main brain, version 1", "Recommendations for", "Drift", "Where to look next"):
        assert heading in demo
    for row in ("item difficulty alone", "a constant", "anonymised interactions", "privacy audit"):
        assert row in demo
    assert demo.count("Evidence") == 3


def test_the_demo_makes_its_key_private_and_prints_no_name(demo: str, home: Path) -> None:
    assert (home / "secrets" / "pseudonym.key").stat().st_mode & 0o777 == 0o600
    assert "@" not in demo


def test_up_shows_the_demo_and_every_schedule_on_and_ends_without_leftovers(
    demo: str, environment: dict[str, str], home: Path
) -> None:
    assert demo
    port, api = free_port(), free_port()
    process = subprocess.Popen(
        [aivo(), "up", "--port", str(port)],
        env={**environment, "AIVO_API_PORT": str(api)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{port}/graphql"
        answer = wait_for(url, process)
        states = {each["name"]: each["scheduleState"]["status"] for each in answer["schedules"]}
        assert states == dict.fromkeys(SCHEDULES, "RUNNING")
        assert [run["jobName"] for run in answer["runs"]][-1] == "end_to_end"
        assert httpx.get(f"http://127.0.0.1:{api}/health").json()["status"] == "ok"
        status = httpx.get(f"http://127.0.0.1:{api}/v1/scheduler/status", timeout=60).json()
        assert {job["id"] for job in status["jobs"]} == SCHEDULES
        service = child_running(process, "aivo_assets.api")
        assert service is not None
        os.kill(service, signal.SIGKILL)
        wait_until_healthy(f"http://127.0.0.1:{api}/health", process)
        code_server = child_running(process, "aivo_assets.definitions")
        assert code_server is not None
        os.kill(code_server, signal.SIGKILL)
        wait_for_another(process, "aivo_assets.definitions", code_server)
        first = wait_for_days(url, process, bool)[0]
        earlier = date.fromisoformat(first) - timedelta(days=1)
        calendar.extend(open_lake(Settings(home=home)), earlier)
        wait_for_days(url, process, lambda days: days[:2] == [str(earlier), first])
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Stopped." in said
    for closed in (port, api):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{closed}/", timeout=2)


def child_running(process: subprocess.Popen[str], module: str) -> int | None:
    """Id of the process that `aivo up` started for a module; None while there is none."""
    assert process.poll() is None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    running = (int(pid) for pid in children if module in Path(f"/proc/{pid}/cmdline").read_text().split("\0"))
    return next(running, None)


def wait_for_another(process: subprocess.Popen[str], module: str, former: int) -> None:
    """Until `aivo up` has started another process for a module than the one that was killed."""
    deadline = time.monotonic() + 90
    while child_running(process, module) in (None, former):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def wait_until_healthy(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise AssertionError(f"{url} did not answer again")


DAYS = """{
  assetNodeOrError(assetKey: {path: ["raw_interactions"]}) {
    ... on AssetNode { partitionKeysByDimension { partitionKeys } }
  }
}"""


def wait_for_days(url: str, process: subprocess.Popen[str], wanted: Callable[[list[str]], bool]) -> list[str]:
    """The days that the web UI shows, as soon as a code server answers and they are as wanted."""
    deadline = time.monotonic() + 120
    days: list[str] = []
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        node = httpx.post(url, json={"query": DAYS}, timeout=30).json()["data"]["assetNodeOrError"]
        days = node["partitionKeysByDimension"][0]["partitionKeys"] if node else []
        if wanted(days):
            return days
        time.sleep(1)
    raise AssertionError(f"the web UI shows {days}")


QUERY = """{
  schedulesOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "aivo"}) {
    ... on Schedules { results { name scheduleState { status } } }
  }
  runsOrError { ... on Runs { results { jobName status } } }
}"""


def wait_for(url: str, process: subprocess.Popen[str]) -> dict[str, list[dict[str, object]]]:
    """The schedules and runs that the web UI tells of, as soon as it does."""
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        try:
            data = httpx.post(url, json={"query": QUERY}, timeout=10).json()["data"]
        except (httpx.TransportError, ValueError):
            time.sleep(1)
            continue
        if data["schedulesOrError"].get("results"):
            return {"schedules": data["schedulesOrError"]["results"], "runs": data["runsOrError"]["results"]}
        time.sleep(1)
    raise AssertionError("the web UI did not answer")
