"""The pages of learners and parents over HTTP. Belongs here: their addresses, and a learner's word from a form."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from aivo_assets.pages.reading.learner_view import LearnerView
from aivo_assets.pages.reading.learner_words import SAYS, choices, keep_word
from aivo_assets.pages.saying.family_pages import learner_values, parent_values
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.serving.deciding import refuse_forgery
from aivo_assets.pages.serving.site import PageError, Reader, Site
from aivo_assets.pages.texts import Texts

PAIR = "\N{SYMBOL FOR UNIT SEPARATOR}"
"""Stands between subject and skill in a choice."""
Pseudonym = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class Said(BaseModel):
    """A learner's form: that something is too hard or too easy, or what they would rather work on.

    Attributes:
        learner: The pseudonym.
        says: One of `SAYS`.
        subject: Of the skill; of no meaning for a choice.
        skill_id: The skill that is too hard or too easy.
        pair: Subject and skill that are chosen, as the page wrote them.
        token: Of the reader's forms.
    """

    learner: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    says: Annotated[str, Field(max_length=20)]
    subject: Annotated[str, Field(max_length=500)] = ""
    skill_id: Annotated[str, Field(max_length=500)] = ""
    pair: Annotated[str, Field(max_length=1100)] = ""
    token: Annotated[str, Field(max_length=500)] = ""


def add_family(router: APIRouter, site: Site) -> None:
    """`/learners/…`, `/parents/…` and `POST /said`."""

    @router.get("/learners/{learner}")
    def of_learner(request: Request, learner: Pseudonym) -> Response:
        return site.page(request, lambda reader: _learner_page(site, reader, learner))

    @router.get("/parents/{learner}")
    def of_parent(request: Request, learner: Pseudonym) -> Response:
        def make(reader: Reader) -> str:
            site.open(reader, "parent", learner)
            view = site.readings.learner_view(learner)
            names = site.names(reader, [learner], _content(view))
            values = parent_values(view, names, reader.texts, settings=site.readings.settings.policy)
            return site.render(reader, "parent.html", **values)

        return site.page(request, make)

    @router.post("/said")
    def said(request: Request, form: Annotated[Said, Form()]) -> Response:
        def make(reader: Reader) -> Any:
            refuse_forgery(reader.request, form.token)
            site.open(reader, "learner", form.learner)
            subject, skill = _meant(site, form)
            readings = site.readings
            keep_word(readings.lake, learner=form.learner, subject=subject, skill=skill, says=form.says,
                      now=readings.now())  # fmt: skip
            readings.forget_state()
            return RedirectResponse(f"/learners/{form.learner}?told=said", 303)

        return site.page(request, make)


def heard(site: Site, names: Names, texts: Texts, learners: Iterable[str]) -> list[dict[str, str]]:
    """What some learners said lately, as their teacher reads it."""
    by_learner = site.readings.learner_words()
    words = [word for learner in learners for word in by_learner.get(learner, ())]
    return [
        {
            "name": names.learner(word["learner"]),
            "says": f"{names.skill(word['skill_id'], word['subject'])} – "
            + texts(
                f"heard.{word['says']}",
                skill=names.skill(word["skill_id"], word["subject"]),
                when=texts.instant(word["said_at"]),
            ),
        }
        for word in sorted(words, key=lambda word: word["said_at"], reverse=True)
    ]


def _learner_page(site: Site, reader: Reader, learner: str) -> str:
    site.open(reader, "learner", learner)
    view = site.readings.learner_view(learner)
    names = site.names(reader, [learner], _content(view))
    chosen = choices(site.readings.learner_words().get(learner, ()))
    values = learner_values(view, names, reader.texts, chosen=chosen, settings=site.readings.settings.policy)
    told = reader.request.query_params.get("told")
    return site.render(
        reader,
        "learner.html",
        separator=PAIR,
        may_say=site.audience.may(reader.viewer, "learner", learner),
        told={"tone": "", "says": reader.texts("learner.said")} if told == "said" else None,
        **values,
    )


def _content(view: LearnerView) -> set[str]:
    items = {item for row in view.advice for item in row["content"] or ()}
    return items | {row["skill_id"] for row in view.advice} | set(view.skills["skill_id"].to_list())


def _meant(site: Site, form: Said) -> tuple[str, str]:
    """Subject and skill that a form means, of the learner's own advice.

    Raises:
        PageError: It means none of them.
    """
    view = site.readings.learner_view(form.learner)
    pairs = [(row["subject"], row["skill_id"]) for row in view.advice]
    meant = (form.subject, form.skill_id)
    if form.says == "choose":
        subject, _, skill = form.pair.partition(PAIR)
        meant = (subject, skill)
    if form.says not in SAYS or meant not in pairs:
        raise PageError("stale_form", 409)
    return meant
