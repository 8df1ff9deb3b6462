"""The HTTP service: health, the documents that assets link to, and the control plane below /v1. Belongs here: wiring.

The process keeps nothing: runs are Dagster's, verdicts and recommendations are the lake's. It can be killed and started
again at any time without touching a run.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.routing import compile_path

from aivo_assets.api.addresses import service_url
from aivo_assets.api.audience import SchoolAudience
from aivo_assets.api.control import control_plane
from aivo_assets.api.dagster_client import DagsterClient, DagsterUnreachableError, LaunchRefusedError
from aivo_assets.api.documentation import documentation
from aivo_assets.api.documents import DOCUMENTS, documents
from aivo_assets.api.launches import FateUnknownError, KeyReusedError, MustWaitError
from aivo_assets.api.live import LiveService, live_router
from aivo_assets.api.looks import add_looks
from aivo_assets.api.schema import Health, Problem
from aivo_assets.api.security import page_guard, refuse_open_door
from aivo_assets.api.sign_in import sign_in
from aivo_assets.api.standing import ModelStates
from aivo_assets.errors import AivoError, LakeError
from aivo_assets.lake import Lake, open_lake
from aivo_assets.operations.alerts.folding import OutboxEntry
from aivo_assets.operations.alerts.outbox import build_outbox
from aivo_assets.operations.server.fast_clock import platform_time
from aivo_assets.pages.serving import pages
from aivo_assets.people.audit import AuditLog
from aivo_assets.people.content import Titles
from aivo_assets.people.names import Roster
from aivo_assets.people.sessions import Sessions
from aivo_assets.privacy.lake_key import key_of_lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.champions import Move
from aivo_assets.tracing.judging.registry import Registry

DESCRIPTION: Final = """Starts trainings and drift checks of the AIVO training platform, tells how its models stand and
what learners are recommended, and serves the documents that assets link to. Learners are known by pseudonym only.

Calls that change something take the header `Idempotency-Key`: the same key names the same run, however often it is
sent. On loopback no token is needed where none is set; see `docs/api.md`."""

_STATUS: Final[dict[type[AivoError], int]] = {
    MustWaitError: 409,
    KeyReusedError: 409,
    FateUnknownError: 503,
    LaunchRefusedError: 502,
    DagsterUnreachableError: 503,
    LakeError: 503,
}


def build_app(
    settings: Settings,
    *,
    now: Callable[[], datetime] | None = None,
    machine_now: Callable[[], datetime] | None = None,
) -> FastAPI:
    """The service over one lake and one Dagster.

    Args:
        settings: Of the platform.
        now: Tells the platform's time, UTC. Default: the platform's clock.
        machine_now: Tells the machine's time, UTC, by which timeouts run. Default: the machine's clock.

    Only folders of documents are served as files, never data: a report holds no learner.

    Raises:
        SettingsError: It would listen beyond this machine without a token.
    """
    refuse_open_door(settings.api)
    lake = open_lake(settings)
    registry = Registry(settings.home, settings.models_database)
    machine = machine_now or (lambda: datetime.now(UTC))
    present = now or (lambda: platform_time(settings, machine()))
    # FastAPI's own pages load scripts from the internet.
    app = FastAPI(title="AIVO", description=DESCRIPTION, version="1", docs_url=None, redoc_url=None)
    app.state.settings = settings

    @app.get("/health", tags=["service"])
    def health() -> Health:
        """Whether this service answers; it asks nobody else."""
        return Health(status="ok", documents=sorted(DOCUMENTS))

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        """Every call, for people."""
        return HTMLResponse(documentation(app.openapi(), service_url(settings.api)))

    app.include_router(control_plane(settings, lake, present, machine))
    app.include_router(documents(lake))
    app.state.live = LiveService(settings, lake)
    app.include_router(live_router(settings, app.state.live, present))
    audience = _audience(settings, lake, present, machine)
    links = Sessions(settings.home, "links", settings.people.link_hours, machine)
    app.include_router(sign_in(audience, links))
    told = APIRouter(prefix="/v1")
    add_looks(told, settings, audience.log)
    app.include_router(told)
    # Holds what a sign-in at the provider needs until its reader comes back; nothing of a person.
    app.add_middleware(
        SessionMiddleware, secret_key=secrets.token_hex(32), session_cookie="aivo_sign_in", max_age=600,
        https_only=service_url(settings.api).startswith("https://"),
    )  # fmt: skip
    app.include_router(
        pages(
            settings,
            lake,
            audience,
            now=present,
            models=_Models(settings, lake, registry),
            links={"dagster": settings.api.dagster_public_url or settings.api.dagster_url},
        )
    )
    for error in _STATUS:
        app.add_exception_handler(error, _tell)
    app.add_exception_handler(405, _tell_methods)
    return app


def _audience(
    settings: Settings, lake: Lake, now: Callable[[], datetime], machine_now: Callable[[], datetime]
) -> SchoolAudience:
    """Who may see what, by roster and session."""
    return SchoolAudience(
        settings=settings,
        roster=Roster(lake, lambda: key_of_lake(settings, create=False), lambda: now().date()),
        sessions=Sessions(settings.home, "sessions", settings.people.session_hours, machine_now),
        log=AuditLog(settings.home, settings.people.audit_days, machine_now),
        titles=Titles(lake),
        guard=page_guard(settings.api),
    )


@dataclass(frozen=True)
class _Models:
    """What pages tell of models; Dagster is not asked."""

    settings: Settings
    lake: Lake
    registry: Registry

    def version(self) -> str | None:
        dagster = DagsterClient(self.settings.api.dagster_url, timeout_seconds=self.settings.api.timeout_seconds)
        champion = ModelStates(self.settings, self.lake, self.registry, dagster).champion()
        return None if champion is None else str(champion.number)

    def moves(self) -> list[Move]:
        return self.registry.moves()

    def alerts(self) -> list[OutboxEntry]:
        return build_outbox(self.settings.alerts, self.settings.home).entries()


def _tell_methods(request: Request, error: Exception) -> JSONResponse:
    """A method that an address does not take, with all those that it does; Starlette knows the first call's alone."""
    assert isinstance(error, HTTPException)
    described = request.app.openapi()["paths"].items()
    there = [methods for path, methods in described if compile_path(path)[0].match(request.url.path)]
    allowed = ", ".join(sorted(method.upper() for methods in there for method in methods))
    headers = {"Allow": allowed} if allowed else dict(error.headers or {})
    return JSONResponse({"detail": error.detail}, status_code=error.status_code, headers=headers)


def _tell(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AivoError)
    seconds, key = None, None
    if isinstance(error, MustWaitError):
        seconds = error.wait.seconds
    elif isinstance(error, FateUnknownError):
        seconds, key = error.seconds, error.key
    problem = Problem(detail=f"{error.what} {error.fix}", idempotency_key=key)
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return JSONResponse(problem.model_dump(), status_code=_STATUS[type(error)], headers=headers)
