"""The code server is renewed once the calendar reaches back further, and what fails is tried again."""

import json
import socket
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from dagster._core.workspace.load import location_origins_from_yaml_paths

from aivo_assets.api.dagster_client import DagsterClient
from aivo_assets.cli.platform.code_server import SECONDS_BETWEEN_LOOKS, Renewal, not_listening, write_workspace

APRIL, MARCH = date(2031, 4, 7), date(2031, 3, 2)
ENDED = {"data": {"shutdownRepositoryLocation": {"__typename": "ShutdownRepositoryLocationSuccess"}}}


class WebUI(HTTPServer):
    """Takes what Dagster's web UI is asked by GraphQL, and gives the same answer to all of it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[str] = []
        self.answer: dict[str, object] = ENDED


class _Answer(BaseHTTPRequestHandler):
    server: WebUI

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["query"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.answer).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web_ui() -> Iterator[WebUI]:
    with WebUI() as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


class Time:
    """Seconds, and the calendar's first day."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.first = APRIL

    def now(self) -> float:
        return self.seconds

    def first_day(self) -> date:
        return self.first

    def passes(self, renewal: Renewal) -> None:
        self.seconds += SECONDS_BETWEEN_LOOKS
        renewal.look()


def renewal_of(web_ui: WebUI, time: Time) -> Renewal:
    dagster = DagsterClient(f"http://127.0.0.1:{web_ui.server_port}", timeout_seconds=5)
    return Renewal(time.first_day, dagster, time.now)


def test_the_code_server_is_ended_once_for_each_new_first_day(web_ui: WebUI) -> None:
    time = Time()
    renewal = renewal_of(web_ui, time)
    time.passes(renewal)
    assert web_ui.asked == []
    time.first = MARCH
    renewal.look()  # too soon after the last look
    assert web_ui.asked == []
    time.passes(renewal)
    time.passes(renewal)
    (asked,) = web_ui.asked
    assert "shutdownRepositoryLocation" in asked


def test_what_the_web_ui_does_not_pass_on_is_asked_again(web_ui: WebUI) -> None:
    time = Time()
    renewal = renewal_of(web_ui, time)
    time.first = MARCH
    web_ui.answer = {"data": {"shutdownRepositoryLocation": {"__typename": "PythonError", "message": "busy"}}}
    time.passes(renewal)
    web_ui.answer = ENDED
    time.passes(renewal)
    time.passes(renewal)
    assert len(web_ui.asked) == 2


def test_the_workspace_names_the_socket_and_the_location_that_schedules_are_known_by(tmp_path: Path) -> None:
    address = tmp_path / "code"
    path = write_workspace(tmp_path, address)
    (origin,) = location_origins_from_yaml_paths([str(path)])
    assert (origin.location_name, origin.socket) == ("aivo", str(address))


def test_a_socket_on_which_nobody_listens_is_not_up(tmp_path: Path) -> None:
    address = tmp_path / "code"
    assert not_listening(address)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        server.listen()
        assert not not_listening(address)
    assert not_listening(address)  # the file is still there
