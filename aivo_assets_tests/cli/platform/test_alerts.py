"""`aivo alerts`: a test that cannot be delivered is an error, is kept, and is shown without the address's secret."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aivo_assets.cli.main import app
from aivo_assets.errors import ServiceError, SettingsError
from aivo_assets.operations.alerts.alert import Alert
from aivo_assets.operations.alerts.outbox import build_outbox
from aivo_assets.settings import AlertSettings

RUN = CliRunner()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")


def said(*arguments: str) -> str:
    result = RUN.invoke(app, ["alerts", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_nothing_is_kept_at_first() -> None:
    assert "No alert is kept." in said("list")


def test_an_alert_that_cannot_be_delivered_is_an_error_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_ALERTS_URLS", "json://127.0.0.1:1/s3cret")
    result = RUN.invoke(app, ["alerts", "test"])
    assert isinstance(result.exception, ServiceError)
    assert "s3cret" not in str(result.exception)
    shown = said("list", "--undelivered")
    assert "A test of the alerts" in shown
    assert "no, 1 attempts" in shown
    assert "s3cret" not in shown


def test_a_test_without_a_channel_is_an_error_and_says_that_nobody_was_told() -> None:
    result = RUN.invoke(app, ["alerts", "test"])
    assert isinstance(result.exception, SettingsError)
    assert "No alert channel is set" in str(result.exception)


def test_what_is_kept_without_a_channel_counts_as_told_to_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outbox = build_outbox(AlertSettings(), tmp_path)
    now = datetime(2026, 3, 10, 9, tzinfo=UTC)
    outbox.send(Alert(title="Nothing arrives", body="Since Monday.", severity="error", key="k", occurred_at=now))
    for arguments in (["list"], ["list", "--undelivered"]):
        shown = said(*arguments)
        assert "No alert channel is set" in shown
        assert "no channel is set" in next(line for line in shown.splitlines() if "Nothing arrives" in line)
    assert isinstance(RUN.invoke(app, ["alerts", "retry"]).exception, SettingsError)


class Endpoint(BaseHTTPRequestHandler):
    """Takes everything."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_a_test_that_arrives_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        monkeypatch.setenv("AIVO_ALERTS_URLS", f"json://127.0.0.1:{server.server_port}/")
        assert "Delivered." in said("test")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert "Every alert was delivered." in said("list", "--undelivered")
    assert "yes" in said("list")
    assert "0 delivered." in said("retry")
