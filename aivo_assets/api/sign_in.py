"""Signing in and out: OpenID Connect, one-time links, choosing in local mode. Belongs here: these addresses.

Whoever signs in must be in the roster. A form that signs somebody in or out carries the token of the reader's forms.
"""

import hmac
import logging
import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from aivo_assets.api.addresses import service_url
from aivo_assets.api.audience import COOKIE, SchoolAudience
from aivo_assets.errors import ServiceError
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.serving.preferences import texts_for
from aivo_assets.pages.serving.rendering import COOKIE as FORM_COOKIE
from aivo_assets.pages.serving.rendering import answer, render
from aivo_assets.people.names import ROLES, Person
from aivo_assets.people.sessions import Sessions, Way

CHOICES_A_ROLE: Final = 4
_log = logging.getLogger(__name__)
Field = Annotated[str, Form(max_length=500)]
Group = dict[str, Any]


def sign_in(audience: SchoolAudience, links: Sessions) -> APIRouter:
    """The addresses of signing in and out.

    Args:
        audience: Who is who.
        links: One-time links.
    """
    router = APIRouter(include_in_schema=False)
    _add_choosing(router, audience)
    _add_mine(router, audience)
    _add_link(router, audience, links)
    _add_signing_out(router, audience)
    if audience.settings.people.oidc_issuer is not None:
        _add_provider(router, audience)
    return router


def _add_choosing(router: APIRouter, audience: SchoolAudience) -> None:
    @router.get("/sign-in")
    def ways(request: Request) -> Response:
        texts = texts_for(request, audience.settings.schedule.timezone)
        book = audience.roster.book()
        if audience.settings.people.oidc_issuer is not None:
            link = {"href": "/sign-in/school", "says": texts("sign.by_school")}
            return _page(audience, request, "sign.title", "sign.says", links=[link])
        if book is None or not audience.may_choose(request, book):
            return _page(audience, request, "sign.title", "sign.no_way")
        groups = [
            {"title": texts(f"sign.{role}"), "forms": [_choice(each) for each in book.people(role, CHOICES_A_ROLE)]}
            for role in ROLES
        ]
        return _page(audience, request, "sign.choose", "sign.choose_says", groups=groups)

    @router.post("/sign-in/local")
    def choose(request: Request, person: Field, role: Field, token: Field = "") -> Response:
        book = audience.roster.book()
        if not _is_ours(request, token) or book is None or not audience.may_choose(request, book):
            return _refused(audience, request, "stale_form")
        return _sign_in(audience, request, [each for each in book.find(person) if each.role == role], "local")


def _choice(person: Person) -> Group:
    return {"action": "/sign-in/local", "fields": {"person": person.id, "role": person.role}, "says": person.name}


def _add_mine(router: APIRouter, audience: SchoolAudience) -> None:
    @router.get("/mine")
    def mine(request: Request) -> Response:
        """Leads everybody to the page that is made for them; parents of several children choose."""
        texts = texts_for(request, audience.settings.schedule.timezone)
        try:
            guest = audience.viewer(request)
        except HTTPException as error:
            return _refused(audience, request, "sign_in", error.status_code)
        own = sorted(guest.person.learners)
        if guest.role not in ("learner", "parent") or not own:
            return RedirectResponse("/", 303)
        place = "learners" if guest.role == "learner" else "parents"
        if len(own) == 1:
            return RedirectResponse(f"/{place}/{own[0]}", 303)
        try:
            names = Names(texts, audience.names(guest, own, texts))
        except ServiceError:
            return _refused(audience, request, "unreadable", 503)
        links = [{"href": f"/{place}/{each}", "says": names.learner(each)} for each in own]
        return _page(audience, request, "sign.mine", "sign.mine_says", links=links)


def _add_link(router: APIRouter, audience: SchoolAudience, links: Sessions) -> None:
    @router.get("/link/{given}")
    def link(request: Request, given: str) -> Response:
        """Asks before it signs in: what looks at links ahead of their reader must not use them up."""
        texts = texts_for(request, audience.settings.schedule.timezone)
        if links.find(given) is None:
            return _refused(audience, request, "used_link")
        forms = [{"action": "/link", "fields": {"given": given}, "says": texts("sign.go_on")}]
        return _page(audience, request, "sign.title", "sign.by_link", groups=[{"title": "", "forms": forms}])

    @router.post("/link")
    def use(request: Request, given: Field, token: Field = "") -> Response:
        book = audience.roster.book()
        if not _is_ours(request, token) or book is None:
            return _refused(audience, request, "stale_form")
        meant = links.end(given)
        if meant is None:
            return _refused(audience, request, "used_link")
        return _sign_in(
            audience, request, [each for each in book.find(meant.person) if each.role == meant.role], "link"
        )


def _add_signing_out(router: APIRouter, audience: SchoolAudience) -> None:
    @router.get("/sign-out")
    def ask(request: Request) -> Response:
        texts = texts_for(request, audience.settings.schedule.timezone)
        forms = [{"action": "/sign-out", "fields": {}, "says": texts("page.sign_out")}]
        return _page(audience, request, "page.sign_out", "sign.out_says", groups=[{"title": "", "forms": forms}])

    @router.post("/sign-out")
    def end(request: Request, token: Field = "") -> Response:
        if not _is_ours(request, token):
            return _refused(audience, request, "stale_form")
        audience.sessions.end(request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(COOKIE)
        return response


def _add_provider(router: APIRouter, audience: SchoolAudience) -> None:
    people = audience.settings.people
    secret = people.oidc_client_secret
    oauth = OAuth()
    oauth.register(
        "school",
        client_id=people.oidc_client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        server_metadata_url=f"{str(people.oidc_issuer).rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": people.oidc_scope, "code_challenge_method": "S256"},
    )

    @router.get("/sign-in/school")
    async def begin(request: Request) -> Response:
        try:
            where = f"{service_url(audience.settings.api)}/sign-in/return"
            to_provider: Response = await oauth.school.authorize_redirect(
                request, where, nonce=secrets.token_urlsafe(24)
            )
        except Exception as error:  # which HTTP client the library uses, and so its errors, depends on the machine
            _log.warning("the provider of sign-ins cannot be asked: %s", type(error).__name__)
            return _refused(audience, request, "no_provider", 503)
        return to_provider

    @router.get("/sign-in/return")
    async def came_back(request: Request) -> Response:
        try:
            token = await oauth.school.authorize_access_token(request)
        except Exception as error:  # forged, replayed or refused: the library has an exception for each way
            _log.warning("a return from the provider of sign-ins was refused: %s", type(error).__name__)
            return _refused(audience, request, "not_signed_in")
        finally:
            request.session.clear()
        return _sign_in(audience, request, _meant(audience, token.get("userinfo") or {}), "oidc")


def _meant(audience: SchoolAudience, claims: dict[str, Any]) -> list[Person]:
    """Whom claims name; nobody where an e-mail was not verified, or two people of the roster share it."""
    people, book = audience.settings.people, audience.roster.book()
    said = claims.get(people.oidc_claim)
    if book is None or not isinstance(said, str) or not said.strip():
        return []
    if people.oidc_claim == "email" and claims.get("email_verified") is not True:
        return []
    found = book.find(said, by=people.oidc_match)
    return found if len({each.id for each in found}) == 1 else []


def _sign_in(audience: SchoolAudience, request: Request, people: Sequence[Person], way: Way) -> Response:
    """Begin a new session, whatever was there before."""
    if not people:
        return _refused(audience, request, "not_in_roster")
    audience.sessions.end(request.cookies.get(COOKIE, ""))
    given = audience.sessions.make(people[0].id, people[0].role, way)
    response = RedirectResponse("/mine", 303)
    hours = audience.settings.people.session_hours
    response.set_cookie(
        COOKIE, given, max_age=int(hours * 3600), httponly=True, samesite="lax", secure=_is_https(audience, request)
    )
    return response


def _is_https(audience: SchoolAudience, request: Request) -> bool:
    return request.url.scheme == "https" or service_url(audience.settings.api).startswith("https://")


def _is_ours(request: Request, token: str) -> bool:
    """Whether a form came from a page of ours."""
    kept, origin = request.cookies.get(FORM_COOKIE, ""), request.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    return bool(kept) and not elsewhere and hmac.compare_digest(kept.encode(), token.encode())


def _page(
    audience: SchoolAudience,
    request: Request,
    title: str,
    says: str,
    *,
    links: Sequence[Group] = (),
    groups: Sequence[Group] = (),
) -> HTMLResponse:
    texts = texts_for(request, audience.settings.schedule.timezone)
    html = render(
        "sign_in.html",
        texts,
        None,
        "/sign-in",
        title=texts(title),
        says=texts(says),
        links=links,
        groups=groups,
    )
    return answer(html, request)


def _refused(audience: SchoolAudience, request: Request, why: str, status: int = 403) -> HTMLResponse:
    texts = texts_for(request, audience.settings.schedule.timezone)
    title, says = texts(f"errors.{why}"), texts(f"errors.{why}_says")
    return answer(render("message.html", texts, None, "/sign-in", title=title, says=says), request, status=status)
