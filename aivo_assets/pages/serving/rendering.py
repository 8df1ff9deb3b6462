"""Pages as HTTP answers. Belongs here: the jinja2 environment of the pages, headers, what every page is given."""

import secrets
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from aivo_assets.pages.serving.audience import Viewer
from aivo_assets.pages.texts import LANGUAGES, Texts

FORM_TOKEN: Final = f"token-{secrets.token_hex(16)}"
"""Stands in a page for the token of the reader's forms, so that one page serves many readers."""

REASONS: Final = ("too_easy", "too_hard", "wrong_skill", "not_now", "content", "other")

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Form:
    """The hidden fields of a page's forms.

    Args:
        back: Where the reader is sent afterwards.
    """

    reasons = REASONS

    def __init__(self, back: str) -> None:
        self._back = back

    def hidden(self, row: Mapping[str, Any], action: str) -> Markup:
        """Fields of a decision on a recommendation."""
        names = ("learner", "subject", "skill_id", *(() if action == "pin" else ("kind",)))
        return self._fields({name: row[name] for name in names} | {"action": action, "anchor": row["anchor"]})

    def take_back(self, word: Any) -> Markup:
        """Fields that take a decision back."""
        return self._fields({"word": word.id, "learner": word.learner})

    def plain(self, **fields: str) -> Markup:
        """Any fields."""
        return self._fields(fields)

    def _fields(self, fields: Mapping[str, Any]) -> Markup:
        one = Markup('<input type="hidden" name="{}" value="{}">')
        every = {**fields, "back": self._back, "token": FORM_TOKEN}
        return Markup("").join(one.format(name, value) for name, value in every.items())


def render(template: str, texts: Texts, viewer: Viewer | None, here: str, **values: object) -> str:
    """A page's HTML; every value is escaped.

    Args:
        template: Name of a file in `templates/`.
        texts: The reader's words.
        viewer: Who looks; None where nobody is known.
        here: The page's address, to which a choice of language leads back.
        values: What the template speaks of.
    """
    shown = "" if viewer is None else viewer.shown or texts("page.local")
    common = {
        "t": texts, "viewer": shown, "signed_in": viewer is not None and viewer.signed_in, "languages": LANGUAGES,
        "here": here, "trail": (), "told": None, "form": Form(here),
    }  # fmt: skip
    return environment().get_template(template).render(**{**common, **values})


def answer(html: str, request: Request, *, status: int = 200) -> HTMLResponse:
    """A page as an answer: with the token of this reader's forms, and with headers that let nothing else run."""
    token = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
    response = HTMLResponse(html.replace(FORM_TOKEN, token), status_code=status, headers=dict(HEADERS))
    if COOKIE not in request.cookies:
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


COOKIE: Final = "aivo_form"


@cache
def environment() -> Environment:
    """The templates of the pages."""
    return Environment(
        loader=PackageLoader("aivo_assets.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def static_files() -> Iterator[tuple[str, bytes, str]]:
    """Name, content and media type of every file that pages are made with."""
    from importlib.resources import files  # noqa: PLC0415 - once, when the service starts

    types = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    for file in files("aivo_assets.pages").joinpath("static").iterdir():
        yield file.name, file.read_bytes(), types[file.name.rsplit(".", 1)[-1]]
