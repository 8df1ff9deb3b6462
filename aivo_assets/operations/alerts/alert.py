"""Notifying people. Belongs here: what an alert is; how it is sent is in channels.py.

An alert is always logged. That it could not be delivered is logged and returned to the caller, never raised: whoever
found something worth an alert has work to finish.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

Severity = Literal["info", "warning", "error", "critical"]

_LEVELS: Final[Mapping[Severity, int]] = {
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alert:
    """Something a person should know.

    Attributes:
        title: A few words.
        body: What happened and what is being done, in sentences. Never a raw identifier.
        severity: How urgent it is.
        key: Same key, same matter: repeats are folded together.
        context: Numbers and ids to look things up by.
        occurred_at: When it happened; with a time zone.
        occurrence: Which occurrence of the matter; told again, the same one is not counted again. Empty: each counts.

    Raises:
        ValueError: `occurred_at` has no time zone.
    """

    title: str
    body: str
    severity: Severity
    key: str
    occurred_at: datetime
    context: Mapping[str, str | int | float | None] = field(default_factory=dict)
    occurrence: str = ""

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError(f"occurred_at of the alert {self.title!r} has no time zone")

    def as_json(self) -> dict[str, object]:
        """The document that is posted."""
        return {
            "title": self.title,
            "body": self.body,
            "severity": self.severity,
            "key": self.key,
            "context": dict(self.context),
            "occurred_at": self.occurred_at.isoformat(),
        }


@dataclass(frozen=True)
class Delivery:
    """What became of an alert.

    Attributes:
        delivered: Whether everybody who was to be told was told.
        attempts: Requests made.
        problem: Why it was not delivered, without the address's secrets; None when it was.
    """

    delivered: bool
    attempts: int = 0
    problem: str | None = None


class Notifier(Protocol):
    """Something that can send alerts."""

    def send(self, alert: Alert) -> Delivery:
        """Send one alert. Never raises."""
        ...


def log_alert(alert: Alert) -> None:
    """One log line an alert, at the level of its severity."""
    _log.log(
        _LEVELS[alert.severity],
        "alert %s: %s. %s (%s)",
        alert.key,
        alert.title,
        alert.body,
        ", ".join(f"{name}={value}" for name, value in alert.context.items()),
    )
