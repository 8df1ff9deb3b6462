"""No alert is lost: it is kept before it is sent, folded with its repeats, and tried again until it has arrived."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.operations.alerts.alert import Alert, Delivery
from aivo_assets.operations.alerts.channels import AppriseChannel, Channel
from aivo_assets.operations.alerts.folding import OutboxEntry, fold
from aivo_assets.operations.alerts.outbox import Outbox

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def alert(at: datetime = NOON, key: str = "drift:main_brain", occurrence: str = "") -> Alert:
    return Alert("It drifted", f"As of {at:%H:%M}.", "critical", key, at, {"score": 0.31}, occurrence)


class Recorder:
    """Keeps what it is sent while it is up; refuses while it is down."""

    def __init__(self, name: str = "first", *, up: bool = True) -> None:
        self.name = name
        self.up = up
        self.sent: list[Alert] = []
        self.asked = 0

    def send(self, alert: Alert) -> Delivery:
        self.asked += 1
        if not self.up:
            return Delivery(delivered=False, attempts=1, problem="down")
        self.sent.append(alert)
        return Delivery(delivered=True, attempts=1)


def outbox(folder: Path, *channels: Channel, remind: timedelta = DAY) -> Outbox:
    return Outbox(folder / "alerts", channels, remind=remind, keep=30 * DAY)


class Endpoint(BaseHTTPRequestHandler):
    """An endpoint that takes alerts."""

    received: list[dict[str, object]]

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def endpoint(port: int) -> Iterator[list[dict[str, object]]]:
    handler = type("Handler", (Endpoint,), {"received": []})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield handler.received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_endpoint_that_is_down_gets_its_alerts_once_it_is_up(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    channel = AppriseChannel(f"json://127.0.0.1:{port}/")
    delivery = outbox(tmp_path, channel).send(alert())
    assert not delivery.delivered
    (entry,) = outbox(tmp_path, channel).entries()  # another process reads the same
    assert (entry.is_delivered, entry.attempts) == (False, 1)
    with endpoint(port) as received:
        assert outbox(tmp_path, channel).deliver(NOON) == 0  # its pause is not over
        assert outbox(tmp_path, channel).deliver(NOON + timedelta(minutes=1)) == 1
        assert outbox(tmp_path, channel).deliver(NOON + HOUR) == 0
    assert [body["title"] for body in received] == ["It drifted"]


def test_pauses_between_attempts_grow_to_an_hour(tmp_path: Path) -> None:
    box = outbox(tmp_path, Recorder(up=False))
    box.send(alert())
    pauses = []
    for _ in range(9):
        (entry,) = box.entries()
        assert entry.next_try_at is not None
        before = entry.next_try_at
        box.deliver(before)
        (entry,) = box.entries()
        assert entry.next_try_at is not None
        pauses.append((entry.next_try_at - before).total_seconds() / 60)
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_a_channel_that_is_down_is_asked_once_a_pass_however_much_waits(tmp_path: Path) -> None:
    """Each attempt may last until a timeout, and a sensor has a minute."""
    channel = Recorder(up=False)
    box = outbox(tmp_path, channel)
    for number in range(20):
        box.send(alert(key=f"matter {number}"))
    channel.asked = 0
    assert box.deliver(NOON + HOUR) == 0
    assert channel.asked == 1
    channel.up = True
    assert box.deliver(NOON + 2 * HOUR) == 20


def test_who_was_told_is_not_told_again_because_of_another(tmp_path: Path) -> None:
    first, second = Recorder("first"), Recorder("second", up=False)
    box = outbox(tmp_path, first, second)
    box.send(alert())
    second.up = True
    box.deliver(NOON + HOUR)
    assert (len(first.sent), len(second.sent)) == (1, 1)


def test_repeats_are_counted_and_told_once_with_their_number(tmp_path: Path) -> None:
    channel = Recorder()
    box = outbox(tmp_path, channel)
    for hour in range(5):
        box.send(alert(NOON + hour * HOUR))
    assert len(channel.sent) == 1
    box.deliver(NOON + 23 * HOUR)
    assert len(channel.sent) == 1
    box.deliver(NOON + 25 * HOUR)
    assert len(channel.sent) == 2
    assert "Seen 5 times since 2026-03-10 12:00 UTC." in channel.sent[1].body
    assert channel.sent[1].context["count"] == 5
    box.deliver(NOON + 60 * HOUR)
    assert len(channel.sent) == 2  # nothing came since


def test_the_same_occurrence_told_again_is_not_another_one(tmp_path: Path) -> None:
    box = outbox(tmp_path, Recorder())
    for minute in range(10):
        box.send(alert(NOON + timedelta(minutes=minute), occurrence="2026-03-10"))
    assert [entry.count for entry in box.entries()] == [1]


def test_one_occurrence_that_is_seen_for_days_is_told_once_and_the_next_one_folds_into_it(tmp_path: Path) -> None:
    channel = Recorder()
    box = outbox(tmp_path, channel)
    for hour in range(0, 10 * 24, 6):
        box.send(alert(NOON + hour * HOUR, occurrence="a row of refusals"))
    assert len(channel.sent) == 1
    box.send(alert(NOON + 10 * DAY, occurrence="a worse one"))
    assert [each.context.get("count") for each in channel.sent] == [None, 2]


def test_repeats_while_it_cannot_be_delivered_arrive_as_one(tmp_path: Path) -> None:
    channel = Recorder(up=False)
    box = outbox(tmp_path, channel)
    for hour in range(3):
        box.send(alert(NOON + hour * HOUR))
    channel.up = True
    box.deliver(NOON + 10 * HOUR)
    assert [each.context["count"] for each in channel.sent] == [3]


def test_a_matter_that_was_over_is_new_when_it_comes_back(tmp_path: Path) -> None:
    channel = Recorder()
    box = outbox(tmp_path, channel)
    box.send(alert())
    box.send(alert(NOON + 3 * DAY))
    assert len(channel.sent) == 2
    assert [entry.count for entry in box.entries()] == [1]


def test_different_matters_are_told_apart(tmp_path: Path) -> None:
    channel = Recorder()
    box = outbox(tmp_path, channel)
    box.send(alert(key="one"))
    box.send(alert(key="two"))
    assert len(channel.sent) == len(box.entries()) == 2


def test_without_a_channel_an_alert_is_logged_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert outbox(tmp_path).send(alert()).delivered
    assert "It drifted" in caplog.text
    assert [entry.is_delivered for entry in outbox(tmp_path).entries()] == [True]


def test_a_channel_that_left_the_settings_holds_nothing_back(tmp_path: Path) -> None:
    outbox(tmp_path, Recorder("old", up=False)).send(alert())
    new = Recorder("new")
    assert outbox(tmp_path, new).deliver(NOON + HOUR) == 1
    assert len(new.sent) == 1


def test_delivered_matters_are_forgotten_after_a_time_and_others_never(tmp_path: Path) -> None:
    channel = Recorder()
    box = outbox(tmp_path, channel)
    box.send(alert(key="delivered"))
    channel.up = False
    box.send(alert(key="waiting"))
    box.deliver(NOON + 31 * DAY)
    assert [entry.alert.key for entry in box.entries()] == ["waiting"]


def test_a_disk_that_is_full_does_not_silence_the_alert_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "alerts").write_text("a file where a folder is wanted")
    channel = Recorder()
    assert outbox(tmp_path, channel).send(alert()).delivered
    assert len(channel.sent) == 1


KILLED_WHILE_SENDING = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.operations.alerts.alert import Alert

class Killer:
    name = "first"
    def send(self, alert):
        os.kill(os.getpid(), signal.SIGKILL)

box = Outbox(Path(sys.argv[1]), [Killer()], remind=timedelta(days=1), keep=timedelta(days=30))
box.send(Alert("It drifted", "b", "critical", "k", datetime(2026, 3, 10, 12, tzinfo=UTC)))
"""


def test_a_process_that_is_killed_while_it_sends_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_SENDING, str(tmp_path / "alerts")], check=False,
                          env=dict(os.environ), timeout=120)  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    channel = Recorder("first")
    assert outbox(tmp_path, channel).deliver(NOON) == 1
    assert len(channel.sent) == 1


@given(st.lists(st.integers(0, 72), min_size=1, max_size=30), st.integers(0, 48))
def test_every_occurrence_is_counted_until_it_is_told(hours: list[int], remind: int) -> None:
    """Law of folding: while nothing is delivered, the count is the number of alerts, and the first time stays."""
    entry: OutboxEntry | None = None
    for hour in sorted(hours):
        entry = fold(entry, alert(NOON + hour * HOUR), ["first"], remind * HOUR)
    assert entry is not None
    assert entry.count == len(hours)
    assert entry.first_at == NOON + min(hours) * HOUR
    assert entry.waiting == ("first",)


def test_what_is_kept_reads_back_as_it_was() -> None:
    entry = fold(None, alert(), ["first", "second"], DAY)
    assert OutboxEntry.model_validate_json(entry.model_dump_json()) == entry
