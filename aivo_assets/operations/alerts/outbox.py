"""The outbox: keeps alerts until they are delivered. Belongs here: its files, and attempts to deliver.

A file a matter, replaced in one step, so that a process may be killed at any line. An alert is written down before the
first attempt to deliver it: what cannot be delivered is tried again with growing pauses, and never lost. A crash
between the attempt and its record notifies a channel twice; the webhook then sends the same `Idempotency-Key`.
"""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from aivo_assets.lake.atomic_file import write_whole
from aivo_assets.lake.file_lock import held
from aivo_assets.operations.alerts.alert import Alert, Delivery, log_alert
from aivo_assets.operations.alerts.channels import Channel, build_channels
from aivo_assets.operations.alerts.folding import OutboxEntry, after_attempt, fold, readdressed, remind_of
from aivo_assets.settings import AlertSettings

_log = logging.getLogger(__name__)


class Outbox:
    """Keeps alerts and sends them; a `Notifier`.

    Args:
        folder: Where the files lie.
        channels: Where alerts are sent; none: they are only logged and kept.
        remind: How long a matter goes on before it is sent again.
        keep: How long a delivered matter is kept after its last occurrence.
    """

    def __init__(self, folder: Path, channels: Sequence[Channel], *, remind: timedelta, keep: timedelta) -> None:
        self._folder = folder.absolute()
        self._channels = {channel.name: channel for channel in channels}
        self._remind = remind
        self._keep = keep

    def send(self, alert: Alert) -> Delivery:
        """Log, keep and try to deliver an alert. Never raises."""
        log_alert(alert)
        try:
            with held(self._folder / "files.lock"):
                entry = fold(self._read(self._path(alert.key)), alert, list(self._channels), self._remind)
                self._write(entry)
        except OSError as error:  # a full disk must not silence the alert that says so
            _log.error("alert %s could not be kept: %s", alert.key, error)
            return self._send_unkept(alert)
        self.deliver(alert.occurred_at, key=alert.key)
        left = self._read(self._path(alert.key))
        if left is None or left.is_delivered:
            return Delivery(delivered=True, attempts=1)
        return Delivery(delivered=False, attempts=left.attempts, problem=left.problem)

    def deliver(self, now: datetime, *, key: str | None = None) -> int:
        """Try to deliver what waits and is due, and forget what was delivered long ago.

        Args:
            now: The present instant, UTC.
            key: Only this matter.

        Returns:
            How many matters were delivered.
        """
        with held(self._folder / "delivery.lock"):
            delivered, down = 0, set[str]()
            for entry in self._due(now, key):
                delivered += self._attempt(entry, now, down).is_delivered
            if key is None:
                self._forget(now)
            return delivered

    def entries(self) -> list[OutboxEntry]:
        """All entries, the newest first."""
        read = [self._read(path) for path in sorted(self._folder.glob("*.json"))]
        return sorted(
            (each for each in read if each is not None), key=lambda each: each.alert.occurred_at, reverse=True
        )

    def knows(self, key: str) -> bool:
        """Whether anything is kept of a matter."""
        return self._path(key).exists()

    def _due(self, now: datetime, key: str | None) -> list[OutboxEntry]:
        names, due = list(self._channels), []
        for path in [self._path(key)] if key is not None else sorted(self._folder.glob("*.json")):
            with held(self._folder / "files.lock"):
                entry = self._read(path)
                if entry is None:
                    continue
                ready = readdressed(remind_of(entry, now, names, self._remind), names)
                if ready != entry:
                    self._write(ready)
            if not ready.is_delivered and (ready.next_try_at is None or ready.next_try_at <= now):
                due.append(ready)
        return due

    def _attempt(self, entry: OutboxEntry, now: datetime, down: set[str]) -> OutboxEntry:
        """Send one matter; a channel that failed joins `down`, and is not asked again in this pass."""
        if down.issuperset(entry.waiting):
            return entry
        message, delivered, problem = entry.message(), set(), None
        for name in entry.waiting:
            if name in down:
                continue
            delivery = self._channels[name].send(message)
            if delivery.delivered:
                delivered.add(name)
            else:
                down.add(name)
                problem = f"{name}: {delivery.problem}"
        with held(self._folder / "files.lock"):
            present = self._read(self._path(entry.alert.key)) or entry
            left = after_attempt(present, delivered, problem, now, entry.count)
            self._write(left)
        return left

    def _forget(self, now: datetime) -> None:
        for entry in self.entries():
            if entry.is_delivered and now - entry.alert.occurred_at > self._keep:
                self._path(entry.alert.key).unlink(missing_ok=True)

    def _send_unkept(self, alert: Alert) -> Delivery:
        for channel in self._channels.values():
            delivery = channel.send(alert)
            if not delivery.delivered:
                return delivery
        return Delivery(delivered=True, attempts=1)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def _read(self, path: Path) -> OutboxEntry | None:
        try:
            return OutboxEntry.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            _log.error("the kept alert %s cannot be read and is passed over: %s", path, error)
            return None

    def _write(self, entry: OutboxEntry) -> None:
        write_whole(self._path(entry.alert.key), entry.model_dump_json(indent=1).encode())


def build_outbox(settings: AlertSettings, home: Path) -> Outbox:
    """The outbox below AIVO_HOME, with the channels that the settings ask for."""
    return Outbox(
        home / "alerts",
        build_channels(settings),
        remind=timedelta(hours=settings.remind_hours),
        keep=timedelta(days=settings.keep_days),
    )
