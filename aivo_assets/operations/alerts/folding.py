"""Folding repeats into one alert. Belongs here: the rules of folding and retrying; no file, no channel.

A matter is told when it is new, and once more, with the number of times, when it goes on for `remind` or longer. What
repeats in between is counted and told with the next reminder. A matter that was not seen for twice that long is over.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from aivo_assets.operations.alerts.alert import Alert

FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=1)


class Kept(BaseModel):
    """A matter, with the newest alert about it.

    Attributes:
        alert: The newest alert.
        first_at: When the matter was first seen, UTC.
        count: Times that it was seen since.
        told_at: When every channel had been told last; None so far never.
        told_count: The count that was told then.
        waiting: Channels that have yet to be told.
        attempts: Attempts at the present delivery that failed.
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
        """Whether nobody has yet to be told."""
        return not self.waiting

    def message(self) -> Alert:
        """The alert as it is sent: with the number of times, where there were several."""
        if self.count == 1:
            return self.alert
        body = f"{self.alert.body} Seen {self.count} times since {self.first_at:%Y-%m-%d %H:%M} UTC."
        context = {**self.alert.context, "count": self.count, "first": self.first_at.isoformat()}
        return replace(self.alert, body=body, context=context)


def fold(kept: Kept | None, alert: Alert, channels: Sequence[str], remind: timedelta) -> Kept:
    """What is kept of a matter after an alert about it.

    Args:
        kept: What was kept before; None for a new matter.
        alert: The alert.
        channels: Names of the channels that are to be told.
        remind: How long a matter goes on before it is told again.
    """
    now = alert.occurred_at
    if kept is not None and alert.occurrence and alert.occurrence == kept.alert.occurrence:
        # The same sighting: it is not counted, but the matter goes on. Noted once in `remind`, not at every look.
        return kept if now - kept.alert.occurred_at <= remind else kept.model_copy(update={"alert": alert})
    if kept is None or (kept.is_delivered and now - kept.alert.occurred_at > 2 * remind):
        return _told_if_nobody(Kept(alert=alert, first_at=now, waiting=tuple(channels)), now)
    again = kept.model_copy(update={"alert": alert, "count": kept.count + 1})
    return remind_of(again, now, channels, remind)


def remind_of(kept: Kept, now: datetime, channels: Sequence[str], remind: timedelta) -> Kept:
    """Put a delivered matter on its way again, where repeats were counted and it is time to tell them."""
    if not kept.is_delivered or kept.told_at is None or kept.count == kept.told_count:
        return kept
    if now - kept.told_at < remind:
        return kept
    return _told_if_nobody(kept.model_copy(update={"waiting": tuple(channels), "attempts": 0}), now)


def after_attempt(kept: Kept, delivered: Collection[str], problem: str | None, now: datetime, count: int) -> Kept:
    """What is kept after an attempt.

    Args:
        kept: What was kept, perhaps with repeats that came during the attempt.
        delivered: Channels that were told.
        problem: Why one of the others was not.
        now: The time of the attempt, UTC.
        count: The count that was told.
    """
    waiting = tuple(name for name in kept.waiting if name not in delivered)
    if not waiting:
        done = {"told_at": now, "told_count": count, "attempts": 0, "next_try_at": None, "problem": None}
        return kept.model_copy(update={"waiting": (), **done})
    pause = min(FIRST_PAUSE * 2 ** min(kept.attempts, 10), LONGEST_PAUSE)
    tried = {"attempts": kept.attempts + 1, "next_try_at": now + pause, "problem": problem}
    return kept.model_copy(update={"waiting": waiting, **tried})


def readdressed(kept: Kept, channels: Sequence[str]) -> Kept:
    """The same, where channels that it waits for are no longer in the settings: then the present ones are told."""
    if kept.is_delivered:
        return kept
    known = tuple(name for name in kept.waiting if name in channels)
    return kept.model_copy(update={"waiting": known or tuple(channels)})


def _told_if_nobody(kept: Kept, now: datetime) -> Kept:
    if kept.waiting:
        return kept
    return kept.model_copy(update={"told_at": now, "told_count": kept.count})  # the log was told
