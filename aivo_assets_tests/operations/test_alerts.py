"""Alerts reach a real HTTP server, are always logged, and never stop the work that raised them."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from aivo_assets.operations.alerts import Alert, LogNotifier, WebhookNotifier, build_notifier
from aivo_assets.settings import AlertSettings

ALERT = Alert(
    title="main_brain drifted",
    body="Score 0.31: retrain at once.",
    severity="critical",
    key="drift:main_brain",
    context={"day": "2024-03-10", "score": 0.31},
    occurred_at=datetime(2024, 3, 10, 6, tzinfo=UTC),
)


class Receiver(ThreadingHTTPServer):
    """Answers with the given statuses in turn, the last for ever, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses = [204]
        self.delay = threading.Event()
        self.hold = False
        self.received: list[tuple[dict[str, object], str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/s3cret?token=t0ken"


class Handler(BaseHTTPRequestHandler):
    """One request to the receiver."""

    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.statuses[min(len(self.server.received), len(self.server.statuses) - 1)]
        self.server.received.append((body, self.headers["Idempotency-Key"]))
        if self.server.hold:
            self.server.delay.wait(5)
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.delay.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_alert_arrives_as_json(receiver: Receiver) -> None:
    delivery = WebhookNotifier(receiver.url).send(ALERT)
    assert delivery.delivered
    assert delivery.attempts == 1
    assert receiver.received[0][0] == {
        "title": "main_brain drifted",
        "body": "Score 0.31: retrain at once.",
        "severity": "critical",
        "key": "drift:main_brain",
        "context": {"day": "2024-03-10", "score": 0.31},
        "occurred_at": "2024-03-10T06:00:00+00:00",
    }


def test_a_passing_failure_is_tried_again_with_growing_pauses_and_the_same_key(receiver: Receiver) -> None:
    receiver.statuses = [503, 429, 200]
    pauses: list[float] = []
    delivery = WebhookNotifier(receiver.url, pause_seconds=0.5, sleep=pauses.append).send(ALERT)
    assert (delivery.delivered, delivery.attempts) == (True, 3)
    assert pauses == [0.5, 1.0]
    assert len({key for _, key in receiver.received}) == 1


def test_a_refusal_is_not_tried_again(receiver: Receiver) -> None:
    receiver.statuses = [403]
    delivery = WebhookNotifier(receiver.url).send(ALERT)
    assert (delivery.delivered, delivery.attempts) == (False, 1)
    assert "403" in (delivery.problem or "")


def test_attempts_are_bounded_and_the_failure_is_told_without_the_secrets_of_the_url(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [500]
    delivery = WebhookNotifier(receiver.url, attempts=4, sleep=lambda _: None).send(ALERT)
    assert (delivery.delivered, delivery.attempts) == (False, 4)
    assert len(receiver.received) == 4
    said = caplog.text + str(delivery.problem)
    assert "was not delivered after 4 attempts" in said
    assert "s3cret" not in said
    assert "t0ken" not in said


def test_a_server_that_does_not_answer_costs_no_more_than_the_timeout(receiver: Receiver) -> None:
    receiver.hold = True
    delivery = WebhookNotifier(receiver.url, timeout_seconds=0.1, attempts=1).send(ALERT)
    assert not delivery.delivered
    assert "ReadTimeout" in (delivery.problem or "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nonsense", "ftp://example.invalid/", "http://[broken/"])
def test_whatever_is_wrong_with_the_address_nothing_is_raised(url: str) -> None:
    delivery = WebhookNotifier(url, attempts=2, sleep=lambda _: None).send(ALERT)
    assert not delivery.delivered
    assert delivery.problem


@pytest.mark.parametrize(("severity", "level"), [("info", logging.INFO), ("critical", logging.CRITICAL)])
def test_every_alert_is_a_log_line_at_the_level_of_its_severity(
    severity: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    LogNotifier().send(Alert("t", "b", severity, "k", datetime(2024, 1, 1, tzinfo=UTC)))  # type: ignore[arg-type]
    assert [record.levelno for record in caplog.records] == [level]
    assert "alert k: t. b" in caplog.text


def test_settings_choose_the_notifier(receiver: Receiver) -> None:
    assert isinstance(build_notifier(AlertSettings()), LogNotifier)
    notifier = build_notifier(AlertSettings(webhook_url=SecretStr(receiver.url), attempts=1))
    assert notifier.send(ALERT).delivered


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Alert("t", "b", "info", "k", datetime(2024, 1, 1))  # noqa: DTZ001
