"""Access to the HTTP service. Belongs here: the token, and what a browser's page may not do; no endpoint.

On loopback every process of this machine may trigger a training, so that the calls of the contract work as written. A
web page that the user happens to look at is no such process: browsers say where a request comes from, and a request
that comes from elsewhere, or for a host name that is not this machine's, is refused. Beyond loopback a token is needed.
"""

import hmac
import ipaddress
from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr

from aivo_assets.errors import SettingsError
from aivo_assets.settings import ApiSettings

SHORTEST_TOKEN: Final = 16
_bearer = HTTPBearer(auto_error=False, description="AIVO_API_TOKEN.")


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_open_door(settings: ApiSettings) -> None:
    """Refuse to listen beyond this machine without a token, or with one that can be guessed.

    Raises:
        SettingsError: It would; the token is not repeated.
    """
    fix = "Set AIVO_API_TOKEN to a secret, for example of: openssl rand -hex 32."
    if settings.token is None and not is_loopback(settings.host):
        raise SettingsError(
            f"The HTTP service would listen on {settings.host}, beyond this machine, and start trainings for anybody",
            fix=fix,
        )
    if settings.token is not None and len(settings.token.get_secret_value()) < SHORTEST_TOKEN:
        raise SettingsError(f"AIVO_API_TOKEN has fewer than {SHORTEST_TOKEN} characters", fix=fix)


def admission(settings: ApiSettings) -> Callable[..., None]:
    """What lets a request through or refuses it, as a dependency of an endpoint.

    With a token: 401 where it is not shown. Without one: 403 where a web page from elsewhere asks.
    """
    return _by_token(settings.token) if settings.token is not None else _of_this_machine


def page_guard(settings: ApiSettings) -> Callable[[Request], None]:
    """What keeps pages without a sign-in to this machine: 401 where others may reach it or a token is set."""

    def guard(request: Request) -> None:
        if settings.token is not None or not is_loopback(settings.host):
            raise HTTPException(401, "Nobody is signed in.")
        _of_this_machine(request)

    return guard


def _by_token(token: SecretStr) -> Callable[..., None]:
    expected = token.get_secret_value().encode()

    def admit(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None) -> None:
        shown = credentials.credentials.encode() if credentials is not None else b""
        if not hmac.compare_digest(shown, expected):
            raise HTTPException(401, "A bearer token is needed.", headers={"WWW-Authenticate": "Bearer"})

    return admit


def _of_this_machine(request: Request) -> None:
    settings: ApiSettings = request.app.state.settings.api
    host = _host_of(f"//{request.headers.get('host', '')}")
    if host is None or not (is_loopback(host) or host == settings.host):
        raise HTTPException(403, "This address does not name this machine.")
    origin = request.headers.get("origin")
    if origin is not None and not is_loopback(_host_of(origin) or ""):
        raise HTTPException(403, "Web pages from elsewhere may not ask for this.")


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
