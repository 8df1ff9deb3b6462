"""The control plane before a real Dagster web UI: the contract's calls, keys, guards, faults, and schemathesis."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import httpx
import pytest

from aivo_assets.operations.jobs.causes import Cause
from aivo_assets_tests.api.service import Platform, http_service, web_ui

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with web_ui(tmp_path_factory.mktemp("control") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def service(platform: Platform) -> Iterator[str]:
    with http_service(platform) as (url, _):
        yield url


@pytest.fixture(autouse=True)
def nothing_before(platform: Platform) -> Iterator[None]:
    """Each test begins without runs and trainings: those of the one before would hold its own back."""
    yield
    with platform.instance() as instance:
        for run in instance.get_runs():
            instance.delete_run(run.run_id)
        instance.wipe_assets([dg.AssetKey("main_brain_candidate")])
    for intention in (platform.home / "api").glob("*.json"):
        intention.unlink()


def runs(platform: Platform) -> list[dg.DagsterRun]:
    with platform.instance() as instance:
        return list(instance.get_runs())


def post(url: str, path: str, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return httpx.post(f"{url}{path}", headers=headers, timeout=90)


def test_the_calls_of_the_contract_work_as_written(service: str, platform: Platform) -> None:
    """With curl itself, on loopback, without a token."""
    for arguments in (
        ["-X", "POST", f"{service}/v1/scheduler/train-main-brain"],
        ["-X", "POST", f"{service}/v1/scheduler/trigger/main_brain?reason=new+curriculum&priority=high&force=true"],
        [f"{service}/v1/scheduler/status"],
    ):
        said = subprocess.run(["curl", "-s", "-m", "90", *arguments], capture_output=True, text=True, check=True)
        assert "detail" not in json.loads(said.stdout) or "is training already" in said.stdout
    (run,) = runs(platform)
    assert run.job_name == "emergency_retrain"
    status = json.loads(said.stdout)
    assert {job["id"] for job in status["jobs"]} >= {"aivo_main_brain_daily", "weekly_full_retraining"}
    assert all(set(job) == {"id", "name", "next_run", "trigger"} for job in status["jobs"])
    assert status["models_training"] == ["main_brain"]
    assert not status["running"]
    assert "daemon" in status["problem"]  # this platform has none


def test_a_run_tells_who_asked_and_why(service: str, platform: Platform) -> None:
    started = post(service, "/v1/scheduler/trigger/student_models?reason=new+pupils&priority=urgent").json()
    (run,) = runs(platform)
    cause = Cause.of(run.tags)
    assert cause is not None
    assert (cause.kind, cause.by, cause.sentence) == ("api", "127.0.0.1", "Asked over HTTP: new pupils")
    assert run.tags["dagster/priority"] == "2"
    assert run.job_name == "adaptive_check"  # which reads what has arrived, folds it, and makes the models of it
    told = httpx.get(f"{service}/v1/runs/{started['run_id']}", timeout=60).json()
    assert told["because"] == cause.sentence
    assert told["model_id"] == "student_models"
    assert told["status"] == "QUEUED"


def test_the_same_key_is_the_same_run_and_another_model_is_refused(service: str, platform: Platform) -> None:
    first = post(service, "/v1/scheduler/train-main-brain", "monday").json()
    again = post(service, "/v1/scheduler/train-main-brain", "monday").json()
    assert (first["run_id"], first["repeated"], again["repeated"]) == (again["run_id"], False, True)
    assert post(service, "/v1/drift/check", "monday").status_code == 409
    assert len(runs(platform)) == 1


def test_a_second_training_is_refused_with_a_reason_and_a_time(service: str, platform: Platform) -> None:
    post(service, "/v1/scheduler/train-main-brain")
    refused = post(service, "/v1/scheduler/train-main-brain?force=true")
    assert refused.status_code == 409
    assert "is training already" in refused.json()["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    assert len(runs(platform)) == 1


def test_many_callers_at_once_start_one_training(service: str, platform: Platform) -> None:
    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(lambda _: post(service, "/v1/scheduler/train-main-brain").status_code, range(6)))
    assert sorted(answers) == [202, 409, 409, 409, 409, 409]
    assert len(runs(platform)) == 1


def test_twenty_hours_count_unless_forced(service: str, platform: Platform) -> None:
    at = datetime.now(UTC) - timedelta(hours=3)
    with platform.instance() as instance:
        instance.report_runless_asset_event(
            dg.AssetMaterialization("main_brain_candidate", metadata={"trained_at": at.isoformat()})
        )
    refused = post(service, "/v1/scheduler/train-main-brain")
    assert refused.status_code == 409
    assert "3.0 hours ago" in refused.json()["detail"]
    assert 16 * 3600 < int(refused.headers["Retry-After"]) <= 17 * 3600
    told = httpx.get(f"{service}/v1/model/main_brain/status", timeout=60).json()
    assert (told["may_train"], "3.0 hours ago" in told["wait"]) == (False, True)
    assert post(service, "/v1/scheduler/train-main-brain?force=true").status_code == 202
    assert [run.tags["aivo/cause_kind"] for run in runs(platform)] == ["override"]


def test_the_process_dies_and_returns_without_touching_runs(platform: Platform) -> None:
    with http_service(platform) as (url, running):
        first = post(url, "/v1/scheduler/train-main-brain", "before-the-end").json()
        running.kill()
        running.wait()
    with http_service(platform) as (url, _):
        again = post(url, "/v1/scheduler/train-main-brain", "before-the-end").json()
    assert again["run_id"] == first["run_id"]
    assert [run.status for run in runs(platform)] == [dg.DagsterRunStatus.QUEUED]


class Faulty(ThreadingHTTPServer):
    """Passes everything on to the web UI. Of a launch it then says something else, or says it before passing it on."""

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Faulty)
        self.target = target
        self.fault: str | None = None
        self.launches = 0


class _Faulty(BaseHTTPRequestHandler):
    server: Faulty

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        launch = b"launchRun" in body
        self.server.launches += launch
        if launch and self.server.fault == "lost":
            self.send_error(500)
            return
        answer = httpx.post(f"{self.server.target}{self.path}", content=body, timeout=90,
                            headers={"Content-Type": "application/json"})  # fmt: skip
        if launch and self.server.fault == "made":
            self.send_error(500)
            return
        if launch and self.server.fault == "cut":
            self.connection.close()
            return
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def faulty(platform: Platform) -> Iterator[tuple[str, Faulty]]:
    server = Faulty(platform.dagster_url)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        with http_service(platform, AIVO_API_DAGSTER_URL=address) as (url, _):
            yield url, server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def through_faults(platform: Platform) -> Iterator[tuple[str, Faulty]]:
    with faulty(platform) as running:
        yield running


@pytest.mark.parametrize("fault", ["made", "cut"])
def test_an_error_of_dagster_after_it_made_the_run_finds_that_run(
    fault: str, through_faults: tuple[str, Faulty], platform: Platform
) -> None:
    url, server = through_faults
    server.fault, server.launches = fault, 0
    started = post(url, "/v1/scheduler/train-main-brain", f"key-{fault}")
    assert started.status_code == 202
    assert [run.run_id for run in runs(platform)] == [started.json()["run_id"]]
    assert server.launches == 1


def test_a_launch_of_unknown_fate_lets_no_second_one_through(
    through_faults: tuple[str, Faulty], platform: Platform
) -> None:
    url, server = through_faults
    server.fault, server.launches = "lost", 0
    for key in ("lost", "lost", None):  # the same call again, and somebody else's
        answer = post(url, "/v1/scheduler/train-main-brain", key)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json()["idempotency_key"] == "lost"
    assert server.launches == 1
    assert runs(platform) == []


def test_where_dagster_is_not_there_nothing_starts_and_the_rest_still_answers(platform: Platform) -> None:
    with http_service(platform, AIVO_API_DAGSTER_URL="http://127.0.0.1:9") as (url, _):
        refused = post(url, "/v1/scheduler/train-main-brain", "nobody-there")
        assert refused.status_code == 503
        assert httpx.get(f"{url}/health").status_code == 200
        status = httpx.get(f"{url}/v1/scheduler/status", timeout=60).json()
        assert (status["running"], "does not answer" in status["problem"]) == (False, True)
    assert runs(platform) == []


def test_it_does_not_start_beyond_loopback_without_a_token(platform: Platform) -> None:
    environment = {**platform.environment, "AIVO_API_HOST": "0.0.0.0"}
    command = [sys.executable, "-m", "aivo_assets.api"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "AIVO_API_TOKEN" in done.stderr


@pytest.mark.parametrize("token", [None, "a token of a good length"])
def test_schemathesis_finds_no_fault(token: str | None, platform: Platform, postgres_url: str, tmp_path: Path) -> None:
    """Every call that the OpenAPI description allows, and many that it does not, against the running service."""
    settings = {"AIVO_POSTGRES_URL": postgres_url, "AIVO_PSEUDONYM_KEY": "a key of thirty-two characters or more"}
    settings |= {} if token is None else {"AIVO_API_TOKEN": token}
    with http_service(platform, **settings) as (url, _):
        command = [Path(sys.executable).parent / "schemathesis", "run", f"{url}/openapi.json", "--checks", "all"]
        shown = [] if token is None else ["-H", f"Authorization: Bearer {token}"]
        limits = ["--max-examples", "8", "--seed", "1", "--workers", "1", "--request-timeout", "90"]
        done = subprocess.run(
            [*map(str, command), *shown, *limits],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=1500,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_real_service_starts_by_its_module(platform: Platform) -> None:
    """As `aivo up` starts it: nothing but its module and the environment."""
    with http_service(platform) as (url, _):
        described = httpx.get(f"{url}/openapi.json").json()
    examples = [path for path in described["paths"].values() for _ in path]
    assert len(examples) == 15
    assert all("examples" in schema or name in {"HTTPValidationError", "ValidationError"}
               for name, schema in described["components"]["schemas"].items())  # fmt: skip
