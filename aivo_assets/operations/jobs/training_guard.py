"""When a training must wait. Belongs here: the rule and its sentence; the caller looks runs up.

One rule for schedules, sensors, the command line and the HTTP service: one training at a time, some hours between two
trainings that nobody forced, and a pause for the checks after a challenger was refused.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SECONDS_OF_A_TRAINING: Final = 300
"""How soon a caller may ask again while a training is under way; nobody knows when it ends."""


@dataclass(frozen=True)
class Wait:
    """A training may not begin now.

    Attributes:
        reason: Why, in a sentence.
        seconds: When it is worth asking again.
    """

    reason: str
    seconds: int


def reason_to_wait(
    *, running: str | None, last: datetime | None, now: datetime, minimum_hours: float, forced: bool = False
) -> Wait | None:
    """Whether the main brain may be trained now.

    Args:
        running: Id of a training that is under way; it holds back even a forced one.
        last: When the main brain was last trained, UTC.
        now: The present instant, UTC.
        minimum_hours: Hours that must lie between two trainings that nobody forced.
        forced: Whether somebody forces it, or it has drifted.
    """
    if running is not None:
        return Wait(f"Run {running} is training already; its result comes first.", SECONDS_OF_A_TRAINING)
    if forced or last is None or now - last >= timedelta(hours=minimum_hours):
        return None
    hours = (now - last).total_seconds() / 3600
    left = last + timedelta(hours=minimum_hours) - now
    return Wait(
        f"The main brain was trained {hours:.1f} hours ago; {minimum_hours:g} must lie between two trainings.",
        max(1, round(left.total_seconds())),
    )


def cooling_down(refused_at: datetime | None, now: datetime, hours: float) -> Wait | None:
    """Whether checks hold back because a challenger was refused a short time ago.

    What is refused today is refused again on nearly the same answers tomorrow; the crons try anyway.

    Args:
        refused_at: When the newest verdict refused its challenger, UTC; None where it did not.
        now: The present instant, UTC.
        hours: The cool-down.
    """
    if refused_at is None or now - refused_at >= timedelta(hours=hours):
        return None
    ago = (now - refused_at).total_seconds() / 3600
    left = refused_at + timedelta(hours=hours) - now
    return Wait(
        f"A challenger was refused {ago:.1f} hours ago; checks ask for no other one within {hours:g} hours.",
        max(1, round(left.total_seconds())),
    )
