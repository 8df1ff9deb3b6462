"""Alerts reach a real HTTP server by webhook and Apprise, are logged, and never stop the work that raised them."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from aivo_assets.operations.alerts.alert import Alert, log_alert
from aivo_assets.operations.alerts.channels import AppriseChannel, WebhookChannel, build_channels
from aivo_assets.settings import AlertSettings, load_settings

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
    delivery = WebhookChannel(receiver.url).send(ALERT)
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
    delivery = WebhookChannel(receiver.url, pause_seconds=0.5, sleep=pauses.append).send(ALERT)
    assert (delivery.delivered, delivery.attempts) == (True, 3)
    assert pauses == [0.5, 1.0]
    assert len({key for _, key in receiver.received}) == 1


def test_a_refusal_is_not_tried_again(receiver: Receiver) -> None:
    receiver.statuses = [403]
    delivery = WebhookChannel(receiver.url).send(ALERT)
    assert (delivery.delivered, delivery.attempts) == (False, 1)
    assert "403" in (delivery.problem or "")


def test_attempts_are_bounded_and_the_failure_is_told_without_the_secrets_of_the_url(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.statuses = [500]
    delivery = WebhookChannel(receiver.url, attempts=4, sleep=lambda _: None).send(ALERT)
    assert (delivery.delivered, delivery.attempts) == (False, 4)
    assert len(receiver.received) == 4
    said = caplog.text + str(delivery.problem)
    assert "was not delivered after 4 attempts" in said
    assert "s3cret" not in said
    assert "t0ken" not in said


def test_a_server_that_does_not_answer_costs_no_more_than_the_timeout(receiver: Receiver) -> None:
    receiver.hold = True
    delivery = WebhookChannel(receiver.url, timeout_seconds=0.1, attempts=1).send(ALERT)
    assert not delivery.delivered
    assert "ReadTimeout" in (delivery.problem or "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nonsense", "ftp://example.invalid/", "http://[broken/"])
def test_whatever_is_wrong_with_the_address_nothing_is_raised(url: str) -> None:
    delivery = WebhookChannel(url, attempts=2, sleep=lambda _: None).send(ALERT)
    assert not delivery.delivered
    assert delivery.problem


@pytest.mark.parametrize(("severity", "level"), [("info", logging.INFO), ("critical", logging.CRITICAL)])
def test_every_alert_is_a_log_line_at_the_level_of_its_severity(
    severity: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    log_alert(Alert("t", "b", severity, "k", datetime(2024, 1, 1, tzinfo=UTC)))  # type: ignore[arg-type]
    assert [record.levelno for record in caplog.records] == [level]
    assert "alert k: t. b" in caplog.text


def test_apprise_brings_an_alert_to_its_service(receiver: Receiver) -> None:
    channel = AppriseChannel(f"json://127.0.0.1:{receiver.server_port}/hooks")
    assert channel.send(ALERT).delivered
    body = receiver.received[0][0]
    assert body["title"] == "main_brain drifted"
    assert str(body["message"]).startswith("Score 0.31: retrain at once.")
    assert "score: 0.31" in str(body["message"])
    assert body["type"] == "failure"


@pytest.mark.parametrize("url", ["json://127.0.0.1:1/s3cret", "nonsense-s3cret", "no-such-service://s3cret", "json://"])
def test_apprise_tells_what_it_could_not_deliver_without_the_address(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    channel = AppriseChannel(url)
    delivery = channel.send(ALERT)
    assert not delivery.delivered
    assert "s3cret" not in f"{channel.name} {delivery.problem}"
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("aivo_assets")]
    assert ours
    assert "s3cret" not in " ".join(ours)


def test_settings_choose_the_channels(receiver: Receiver) -> None:
    assert build_channels(AlertSettings()) == []
    settings = AlertSettings(
        urls=(SecretStr("json://one.invalid/a"), SecretStr("json://one.invalid/b")),
        webhook_url=SecretStr(receiver.url),
        attempts=1,
    )
    channels = build_channels(settings)
    assert len({channel.name for channel in channels}) == 3
    assert channels[-1].send(ALERT).delivered


@pytest.mark.parametrize("given", ["json://a/b json://c", '["json://a/b", "json://c"]', "json://a/b\n  json://c"])
def test_several_urls_are_a_list_or_separated_by_spaces(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_ALERTS_URLS", given)
    urls = [url.get_secret_value() for url in load_settings().alerts.urls]
    assert urls == ["json://a/b", "json://c"]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Alert("t", "b", "info", "k", datetime(2024, 1, 1))  # noqa: DTZ001
