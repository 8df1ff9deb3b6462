"""Who may call the live endpoints, how often, and how much at once. Belongs here: these limits; no endpoint.

Three tokens part three rights: AIVO_LIVE_WRITE_TOKEN sends answers, AIVO_LIVE_READ_TOKEN asks about learners, and
AIVO_API_TOKEN may do everything. Where none is set, calls of this machine are let through, as everywhere else.
"""

import hmac
import time
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import SecretStr

from aivo_assets.api.schema import Problem
from aivo_assets.api.security import SHORTEST_TOKEN, admission
from aivo_assets.errors import SettingsError
from aivo_assets.settings import Settings

Right = Literal["write", "read"]
BYTES_AN_ANSWER: Final = 8_192
"""A call may have so many bytes for each answer that it may hold: names of 500 characters and 50 skills fit."""

_bearer = HTTPBearer(auto_error=False, description="AIVO_LIVE_WRITE_TOKEN, AIVO_LIVE_READ_TOKEN or AIVO_API_TOKEN.")
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Problem, "description": "A token is set, and the call shows none that may do this."},
    403: {"model": Problem, "description": "Sent by a web page from elsewhere, or under a foreign host name."},
    429: {
        "model": Problem,
        "description": "Too many calls of this client; nothing was done.",
        "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
    },
    503: {"model": Problem, "description": "The lake, the database or the pseudonym key cannot be used now."},
}


def refuse_short_tokens(settings: Settings) -> None:
    """Refuse tokens that can be guessed.

    Raises:
        SettingsError: One has too few characters; it is not repeated.
    """
    for name, token in (("WRITE", settings.live.write_token), ("READ", settings.live.read_token)):
        if token is not None and len(token.get_secret_value()) < SHORTEST_TOKEN:
            raise SettingsError(
                f"AIVO_LIVE_{name}_TOKEN has fewer than {SHORTEST_TOKEN} characters",
                fix="Set it to a secret, for example of: openssl rand -hex 32.",
            )


def right_to(right: Right, settings: Settings) -> Callable[..., None]:
    """What lets a call through that needs a right, or refuses it, as a dependency of an endpoint."""
    own = settings.live.write_token if right == "write" else settings.live.read_token
    tokens = [token for token in (own, settings.api.token) if token is not None]
    return _by_token(tokens) if tokens else admission(settings.api)


def _by_token(tokens: list[SecretStr]) -> Callable[..., None]:
    expected = [token.get_secret_value().encode() for token in tokens]

    def admit(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None) -> None:
        shown = credentials.credentials.encode() if credentials is not None else b""
        fits = [hmac.compare_digest(shown, token) for token in expected]  # all of them: the time taken tells nothing
        if not any(fits):
            raise HTTPException(401, "A bearer token with this right is needed.", {"WWW-Authenticate": "Bearer"})

    return admit


def calm(settings: Settings) -> Callable[[Request], None]:
    """What tells a client to wait that calls too often, as a dependency of all live endpoints together."""
    limit, limiter = RateLimitItemPerSecond(settings.live.calls_per_second), MovingWindowRateLimiter(MemoryStorage())

    def admit(request: Request) -> None:
        client = request.headers.get("authorization") or (request.client.host if request.client else "")
        if not limiter.hit(limit, client):
            seconds = max(1, round(limiter.get_window_stats(limit, client).reset_time - time.time()))
            raise HTTPException(429, "Too many calls; nothing was done.", {"Retry-After": str(seconds)})

    return admit


def body_of(most_bytes: int) -> Callable[[Request], Any]:
    """Reads a body of bounded size, as a dependency."""

    async def read(request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most_bytes:
                raise HTTPException(413, f"A call may have {most_bytes:,} bytes; send fewer answers at once.")
        return bytes(body)

    return read
