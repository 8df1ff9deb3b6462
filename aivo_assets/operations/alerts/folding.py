"""Folding repeats into one alert. Belongs here: the rules of folding and retrying; no file, no channel.

A matter is sent when it is new, and again, with its number of occurrences, when it goes on for `remind` or longer.
Repeats in between are counted and sent with the next reminder. A matter not seen for twice that long is over.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from aivo_assets.operations.alerts.alert import Alert

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)


class OutboxEntry(BaseModel):
    """What the outbox keeps of one matter, with the newest alert about it.

    Attributes:
        alert: The newest alert.
        first_at: When the matter was first seen, UTC.
        count: Times that it was seen since.
        told_at: When every channel had last been notified; None: never so far.
        told_count: The count that was sent then.
        waiting: Channels that are still to be notified.
        attempts: Failed attempts at the present delivery.
        next_try_at: No attempt before this instant; None: at once.
        problem: Why the last attempt failed.
    """

    model_config = ConfigDict(frozen=True)

    alert: Alert
    first_at: datetime
    count: int = 1
    told_at: datetime | None = None
    told_count: int = 0
    waiting: tuple[str, ...] = ()
    attempts: int = 0
    next_try_at: datetime | None = None
    problem: str | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether every channel was notified."""
        return not self.waiting

    def message(self) -> Alert:
        """The alert as it is sent: with the number of occurrences, if there were several."""
        if self.count == 1:
            return self.alert
        body = f"{self.alert.body} Seen {self.count} times since {self.first_at:%Y-%m-%d %H:%M} UTC."
        context = {**self.alert.context, "count": self.count, "first": self.first_at.isoformat()}
        return replace(self.alert, body=body, context=context)


def fold(entry: OutboxEntry | None, alert: Alert, channels: Sequence[str], remind: timedelta) -> OutboxEntry:
    """The entry of a matter after an alert about it.

    Args:
        entry: What was kept before; None for a new matter.
        alert: The alert.
        channels: Names of the channels to notify.
        remind: How long a matter goes on before it is sent again.
    """
    now = alert.occurred_at
    if entry is not None and alert.occurrence and alert.occurrence == entry.alert.occurrence:
        # The same sighting: it is not counted, but the matter goes on. Noted once in `remind`, not at every look.
        return entry if now - entry.alert.occurred_at <= remind else entry.model_copy(update={"alert": alert})
    if entry is None or (entry.is_delivered and now - entry.alert.occurred_at > 2 * remind):
        return _notified_by_log(OutboxEntry(alert=alert, first_at=now, waiting=tuple(channels)), now)
    again = entry.model_copy(update={"alert": alert, "count": entry.count + 1})
    return remind_of(again, now, channels, remind)


def remind_of(entry: OutboxEntry, now: datetime, channels: Sequence[str], remind: timedelta) -> OutboxEntry:
    """Send a delivered matter again, if repeats were counted and it is time for a reminder."""
    if not entry.is_delivered or entry.told_at is None or entry.count == entry.told_count:
        return entry
    if now - entry.told_at < remind:
        return entry
    return _notified_by_log(entry.model_copy(update={"waiting": tuple(channels), "attempts": 0}), now)


def after_attempt(
    entry: OutboxEntry, delivered: Collection[str], problem: str | None, now: datetime, count: int
) -> OutboxEntry:
    """The entry after an attempt to deliver.

    Args:
        entry: What was kept, perhaps with repeats that came during the attempt.
        delivered: Channels that were notified.
        problem: Why one of the others was not.
        now: The time of the attempt, UTC.
        count: The count that was sent.
    """
    waiting = tuple(name for name in entry.waiting if name not in delivered)
    if not waiting:
        done = {"told_at": now, "told_count": count, "attempts": 0, "next_try_at": None, "problem": None}
        return entry.model_copy(update={"waiting": (), **done})
    pause = min(FIRST_PAUSE * 2 ** min(entry.attempts, 10), LONGEST_PAUSE)
    tried = {"attempts": entry.attempts + 1, "next_try_at": now + pause, "problem": problem}
    return entry.model_copy(update={"waiting": waiting, **tried})


def readdressed(entry: OutboxEntry, channels: Sequence[str]) -> OutboxEntry:
    """The entry without channels that are no longer configured; if none is left, all present ones are notified."""
    if entry.is_delivered:
        return entry
    known = tuple(name for name in entry.waiting if name in channels)
    return entry.model_copy(update={"waiting": known or tuple(channels)})


def _notified_by_log(entry: OutboxEntry, now: datetime) -> OutboxEntry:
    if entry.waiting:
        return entry
    return entry.model_copy(update={"told_at": now, "told_count": entry.count})  # the log has it
