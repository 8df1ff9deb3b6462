"""Addresses of services and documents. Belongs here: where something is; nothing is asked or served.

Where a service listens is not always where it is reached: behind a proxy, in a container, or on every address of a
machine. What browsers are sent to is therefore a setting; without it, it is what works on this machine.
"""

from aivo_assets.settings import ApiSettings, Settings


def reachable(host: str) -> str:
    """The host under which this machine reaches what listens on `host`, as it is written in a URL."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not listened on
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104
    return f"[{host}]" if ":" in host else host


def service_url(settings: ApiSettings) -> str:
    """Where a browser reaches the HTTP service; without a slash at the end."""
    return (settings.public_url or f"http://{reachable(settings.host)}:{settings.port}").rstrip("/")


def document_url(settings: Settings, kind: str, name: str) -> str:
    """Where a browser finds a document while `aivo up` runs.

    Args:
        settings: Of the platform.
        kind: One of the names of `api.documents.DOCUMENTS`.
        name: File name of the document.
    """
    return f"{service_url(settings.api)}/documents/{kind}/{name}"


def run_url(settings: Settings, run_id: str) -> str:
    """The page of a run in Dagster's web UI."""
    return f"{(settings.api.dagster_public_url or settings.api.dagster_url).rstrip('/')}/runs/{run_id}"
