"""Decisions of teachers from a page's form. Belongs here: taking the form, keeping the word, telling what came of it.

A word is judged by the code that judges the command's and the API's.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from aivo_assets.errors import SettingsError
from aivo_assets.events.landing.overrides import remove_overrides
from aivo_assets.pages.saying.decisions import effect
from aivo_assets.pages.serving.preferences import within
from aivo_assets.pages.serving.rendering import COOKIE
from aivo_assets.pages.serving.site import PageError, Reader, Site
from aivo_assets.privacy.lake_key import key_of_lake
from aivo_assets.privacy.override_giving import Kept, Word, find_override, give

SOURCE: Final = "a page"
Text = Annotated[str, Field(max_length=500)]
Short = Annotated[str, Field(max_length=64)]
Back = Annotated[str, Field(max_length=1000)]


class Decided(BaseModel):
    """A form that accepts, rejects or sets a level.

    Attributes:
        learner: The pseudonym.
        subject: Of the skill.
        skill_id: The skill.
        action: `accept`, `reject` or `pin`.
        kind: What is accepted or rejected.
        level: The level that is set.
        reason: Why something is rejected.
        anchor: Where on the page the form stands.
        back: The page.
        token: Of the reader's forms.
    """

    learner: Short
    subject: Text
    skill_id: Text
    action: Short
    kind: Short = ""
    level: Annotated[int, Field(ge=1, le=10)] | None = None
    reason: Short = ""
    anchor: Text = ""
    back: Back = "/"
    token: Text = ""


class TakenBack(BaseModel):
    """A form that takes a decision back: whose, which one, and as above."""

    learner: Short
    word: Short
    back: Back = "/"
    token: Text = ""


def add_deciding(router: APIRouter, site: Site) -> None:
    """`POST /words` and `POST /words/take-back`."""

    @router.post("/words")
    def decide(request: Request, form: Annotated[Decided, Form()]) -> Response:
        def make(reader: Reader) -> Any:
            _refuse_strangers(site, reader, form.token, form.learner)
            pin, reject = form.action == "pin", form.action == "reject"
            word = Word(
                learner=form.learner,
                action=form.action,
                skill=form.skill_id,
                subject=form.subject,
                kind=form.kind or None,
                level=form.level if pin else None,
                reason=(form.reason or "other") if reject else None,
                teacher=reader.viewer.teacher,
            )
            kept = _keep(site, word)
            return _lead_back(form.back, "kept", kept.override_id, form.anchor)

        return site.page(request, make)

    @router.post("/words/take-back")
    def take_back(request: Request, form: Annotated[TakenBack, Form()]) -> Response:
        def make(reader: Reader) -> Any:
            _refuse_strangers(site, reader, form.token, form.learner)
            _remove(site, form.learner, form.word)
            return _lead_back(form.back, "removed", form.word, "words")

        return site.page(request, make)


def told_of(reader: Reader, words: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """What is said above a page after a decision: that it is kept, and what comes of it."""
    told, word = (reader.request.query_params.get(name) for name in ("told", "word"))
    row = next((row for row in words if row["override_id"] == word), None)
    if row is None or told not in ("kept", "removed"):
        return None
    return {"tone": "", "says": reader.texts(f"words.{told}", effect=effect(row, reader.texts))}


def refuse_forgery(request: Request, token: str) -> None:
    """Make sure that a form came from a page of ours.

    Raises:
        PageError: It did not, or its page is too old.
    """
    kept = request.cookies.get(COOKIE, "")
    origin = request.headers.get("origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if not kept or elsewhere or not hmac.compare_digest(kept.encode(), token.encode()):
        raise PageError("stale_form", 403)


def _refuse_strangers(site: Site, reader: Reader, token: str, learner: str) -> None:
    refuse_forgery(reader.request, token)
    if not site.audience.may_decide(reader.viewer, learner):
        raise PageError("forbidden", 403)


def _keep(site: Site, word: Word) -> Kept:
    readings, at = site.readings, site.readings.now()
    try:
        kept = give(
            readings.lake,
            word,
            lambda: key_of_lake(readings.settings, create=False),
            now=at,
            run=f"page-word-{at:%Y%m%dT%H%M%S%f}",
            source=SOURCE,
            pin_days=readings.settings.policy.pin_days,
            show_alike=False,
        )
    except SettingsError as error:
        raise PageError("not_done", 409, f"{error.what}. {error.fix}") from error
    readings.forget_state()
    return kept


def _remove(site: Site, learner: str, word: str) -> None:
    readings, at = site.readings, site.readings.now()
    if all(row["override_id"] != word for row in readings.words().get(learner, ())):
        raise PageError("not_found", 404)
    try:
        whole = find_override(readings.lake, word)
    except SettingsError as error:
        raise PageError("not_done", 409, f"{error.what}. {error.fix}") from error
    remove_overrides(readings.lake, [whole], now=at, run=f"page-word-{at:%Y%m%dT%H%M%S%f}")
    readings.forget_state()


def _lead_back(back: str, told: str, word: str, anchor: str) -> RedirectResponse:
    page = within(back)
    query = urlencode({"told": told, "word": word})
    return RedirectResponse(f"{page}{'&' if '?' in page else '?'}{query}#{anchor or 'content'}", 303)
