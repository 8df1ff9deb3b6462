"""Telling people. Belongs here: what an alert is and how it leaves the house; when to send one is decided elsewhere.

An alert is always logged. That it could not be delivered is logged and told to the caller, never raised: whoever
found something worth an alert has work to finish.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol
from urllib.parse import urlsplit

import httpx

from aivo_assets.settings import AlertSettings

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
        key: Same key, same matter: receivers may fold repeats together.
        context: Numbers and ids to look things up by.
        occurred_at: When it happened; with a time zone.

    Raises:
        ValueError: `occurred_at` has no time zone.
    """

    title: str
    body: str
    severity: Severity
    key: str
    occurred_at: datetime
    context: Mapping[str, str | int | float | None] = field(default_factory=dict)

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


class LogNotifier:
    """Writes alerts to the log and nowhere else."""

    def send(self, alert: Alert) -> Delivery:
        """Log the alert."""
        log_alert(alert)
        return Delivery(delivered=True)


class WebhookNotifier:
    """Logs each alert and posts it as JSON.

    A refusal that will not change (a status of 400 to 499 but 408, 425 and 429) is not tried again. Requests carry the
    header `Idempotency-Key`, the same for every attempt at an alert, so that a receiver can drop a repeat.

    Args:
        url: Where to post. May carry a secret, which no log line repeats.
        timeout_seconds: Of one request, connecting included.
        attempts: Requests at most.
        pause_seconds: Before the second attempt; doubles from then on.
        sleep: How to wait; tests pass their own.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 5.0,
        attempts: int = 3,
        pause_seconds: float = 0.5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._timeout = timeout_seconds
        self._attempts = attempts
        self._pause = pause_seconds
        self._sleep = sleep

    def send(self, alert: Alert) -> Delivery:
        """Log and post the alert; a failure is logged and returned."""
        log_alert(alert)
        problem, attempt = "", 0
        for attempt in range(1, self._attempts + 1):
            try:
                problem, final = self._post(alert)
            except Exception as error:  # whatever goes wrong must not stop the caller's work
                problem, final = self._describe(error), not isinstance(error, httpx.TransportError)
            if not problem:
                return Delivery(delivered=True, attempts=attempt)
            if final:
                break
            if attempt < self._attempts:
                self._sleep(self._pause * 2 ** (attempt - 1))
        _log.error("alert %s was not delivered after %d attempts: %s", alert.key, attempt, problem)
        return Delivery(delivered=False, attempts=attempt, problem=problem)

    def _post(self, alert: Alert) -> tuple[str, bool]:
        key = f"{alert.key}@{alert.occurred_at.isoformat()}".encode("ascii", "backslashreplace").decode("ascii")
        response = httpx.post(self._url, json=alert.as_json(), timeout=self._timeout, headers={"Idempotency-Key": key})
        if response.is_success:
            return "", True
        final = response.status_code < 500 and response.status_code not in (408, 425, 429)
        return f"{self._host()} answered {response.status_code}", final

    def _describe(self, error: Exception) -> str:
        # Messages of httpx may quote the URL, and webhook URLs carry secrets in path, query and user part.
        return f"{self._host()}: {type(error).__name__}"

    def _host(self) -> str:
        try:
            return urlsplit(self._url).hostname or "the webhook"
        except ValueError:
            return "the webhook"


def build_notifier(settings: AlertSettings) -> Notifier:
    """The notifier that the settings ask for: the webhook if there is one, else the log alone."""
    if settings.webhook_url is None:
        return LogNotifier()
    return WebhookNotifier(
        settings.webhook_url.get_secret_value(),
        timeout_seconds=settings.timeout_seconds,
        attempts=settings.attempts,
    )


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
