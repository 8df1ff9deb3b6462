"""Outbound alert channels: a webhook, and whatever Apprise reaches. No alert is kept here.

A channel has a name that may be shown, since its address may carry a secret. Nothing of an address is logged.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

from aivo_assets.operations.alerts.alert import Alert, Delivery, Severity
from aivo_assets.settings import AlertSettings

_log = logging.getLogger(__name__)


class Channel(Protocol):
    """A way to send alerts."""

    name: str

    def send(self, alert: Alert) -> Delivery:
        """Send one alert. Never raises."""
        ...


class WebhookChannel:
    """Posts each alert as JSON.

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
        self.name = f"webhook {self._host()}"
        self._timeout = timeout_seconds
        self._attempts = attempts
        self._pause = pause_seconds
        self._sleep = sleep

    def send(self, alert: Alert) -> Delivery:
        """Post the alert; a failure is logged and returned."""
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


class AppriseChannel:
    """Sends each alert through one service of Apprise: mail, chat, SMS, telephone, webhooks and more.

    Args:
        url: Apprise URL, such as `mailto://…` or `json://…`. May carry a secret, which no log line repeats.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        scheme = url.partition("://")[0] if "://" in url else "apprise"
        self.name = f"{scheme} {hashlib.sha256(url.encode()).hexdigest()[:6]}"

    def send(self, alert: Alert) -> Delivery:
        """Send the alert; a failure is logged and returned."""
        import apprise  # noqa: PLC0415 - its plugins take a second, and most processes send nothing

        kind = apprise.NotifyType(_NOTIFY_TYPE[alert.severity])
        try:
            service = apprise.Apprise.instantiate(self._url, suppress_exceptions=True)
            if service is None:
                problem = "Apprise knows no service of this URL"
            elif service.notify(title=alert.title, body=_text(alert), notify_type=kind):
                return Delivery(delivered=True, attempts=1)
            else:
                problem = "the service did not take it"
        except Exception as error:  # whatever goes wrong must not stop the caller's work
            problem = type(error).__name__
        _log.error("alert %s was not delivered by %s: %s", alert.key, self.name, problem)
        return Delivery(delivered=False, attempts=1, problem=problem)


_NOTIFY_TYPE: Final[Mapping[Severity, str]] = {
    "info": "info",
    "warning": "warning",
    "error": "failure",
    "critical": "failure",
}


def _text(alert: Alert) -> str:
    numbers = [f"{name}: {value}" for name, value in alert.context.items()]
    return "\n".join([alert.body, "", *numbers, f"{alert.severity}, {alert.occurred_at:%Y-%m-%d %H:%M} UTC"])


def build_channels(settings: AlertSettings) -> list[Channel]:
    """The channels that the settings ask for; none where alerts are only logged and kept."""
    channels: list[Channel] = [AppriseChannel(url.get_secret_value()) for url in settings.urls]
    if settings.webhook_url is not None:
        url, seconds = settings.webhook_url.get_secret_value(), settings.timeout_seconds
        channels.append(WebhookChannel(url, timeout_seconds=seconds, attempts=settings.attempts))
    return channels
