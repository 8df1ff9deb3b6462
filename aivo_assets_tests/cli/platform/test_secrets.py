"""A running platform tells its secrets to nobody: not in the list of processes, on pages, in logs or on disk."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from aivo_assets.cli.main import app

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
SECRETS = {
    "AIVO_PSEUDONYM_KEY": "marmalade-of-pseudonyms-1-0123456789abcdef",
    "AIVO_API_TOKEN": "marmalade-of-tokens-2-0123456789abcdef",
    "AIVO_ALERTS_URLS": "json://me:marmalade-of-alerts-3@127.0.0.1:9/",
    "AIVO_ALERTS_WEBHOOK_URL": "http://127.0.0.1:9/marmalade-of-hooks-4",
    "AIVO_SOURCE_URL": "postgresql://reader:marmalade-of-sources-5@127.0.0.1:9/school",
    "AIVO_LAKE_KEY": "marmalade-of-stores-6",
    "AIVO_LAKE_SECRET": "marmalade-of-stores-7",
}
SIGN = "marmalade"
INSTANCE = "{ instance { info runLauncher { name } } }"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def platform(home: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """`aivo up` with every secret set; the process, and the addresses of web UI and HTTP service."""
    port, api = free_port(), free_port()
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "aivo"), "up", "--port", str(port)],
        env={**os.environ, **SECRETS, "AIVO_HOME": str(home), "AIVO_API_PORT": str(api)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o022,
    )
    try:
        for address in (f"http://127.0.0.1:{api}/health", f"http://127.0.0.1:{port}/server_info"):
            until_up(process, address)
        yield process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{api}"
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=90)
    assert SIGN not in said


def until_up(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise AssertionError(f"{url} did not answer")


def commands_below(pid: int) -> Iterator[str]:
    """Command lines of a process and all that it started."""
    yield Path(f"/proc/{pid}/cmdline").read_text()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from commands_below(int(child))


def test_a_platform_with_every_secret_set_shows_none(
    platform: tuple[subprocess.Popen[str], str, str], home: Path
) -> None:
    process, web_ui, api = platform
    commands = list(commands_below(process.pid))
    assert len(commands) >= 4, "the command, the web UI, the daemon and the HTTP service"
    assert not [command for command in commands if SIGN in command]

    told = httpx.post(f"{web_ui}/graphql", json={"query": INSTANCE}, timeout=60).text
    assert "max_retries" in told, "the page that shows how the instance is configured"
    pages = [told]
    guess = {"Authorization": "Bearer not-the-one"}
    paths = ("/", "/docs", "/openapi.json", "/nowhere", "/v1/scheduler/status", "/v1/learners/abc/recommendations")
    pages += [httpx.get(f"{api}{path}", headers=guess, timeout=60).text for path in paths]
    pages.append(httpx.post(f"{api}/v1/scheduler/train-main-brain", headers=guess, json=[1], timeout=60).text)
    assert not [page for page in pages if SIGN in page]

    open_to_others = []
    for file in home.rglob("*"):
        if file.is_relative_to(home / "postgres" / "data"):
            continue  # another account's, and closed by it
        if file.lstat().st_mode & 0o077 and file != home / "postgres" and not file.is_symlink():
            open_to_others.append(file)
        if file.is_file():
            assert SIGN.encode() not in file.read_bytes(), file
    assert not open_to_others


def test_what_goes_wrong_with_a_secret_does_not_repeat_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that does not answer, and the settings as they are shown."""
    for name, value in {**SECRETS, "AIVO_HOME": str(home), "AIVO_SOURCE_KIND": "postgres"}.items():
        monkeypatch.setenv(name, value)
    shown = CliRunner().invoke(app, ["settings"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert SIGN not in shown.output
    monkeypatch.setenv("COLUMNS", "200")
    done = subprocess.run(
        [str(Path(sys.executable).parent / "aivo"), "ingest"], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode != 0
    assert "127.0.0.1" in done.stderr
    assert SIGN not in done.stdout + done.stderr
