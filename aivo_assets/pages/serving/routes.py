"""The addresses of the pages. Belongs here: which page stands where, and for whom it opens."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response

from aivo_assets.lake import Lake
from aivo_assets.pages.saying.class_page import class_values
from aivo_assets.pages.saying.pupil_page import pupil_values
from aivo_assets.pages.serving.audience import Audience
from aivo_assets.pages.serving.deciding import add_deciding, told_of
from aivo_assets.pages.serving.family import add_family, heard
from aivo_assets.pages.serving.memory import Readings, Word
from aivo_assets.pages.serving.preferences import chosen
from aivo_assets.pages.serving.rendering import static_files
from aivo_assets.pages.serving.school import Models, add_school
from aivo_assets.pages.serving.site import PageError, Reader, Site
from aivo_assets.pages.serving.tables import class_table
from aivo_assets.settings import Settings

Pseudonym = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Subject = Annotated[str, Query(max_length=500)]
Choice = Annotated[str, Query(max_length=200)]
_KEEP_STATIC: Final = {"Cache-Control": "max-age=600", "X-Content-Type-Options": "nosniff"}


def pages(
    settings: Settings,
    lake: Lake,
    audience: Audience,
    *,
    now: Callable[[], datetime],
    models: Models,
    links: dict[str, str],
) -> APIRouter:
    """Every page.

    Args:
        settings: Of the platform.
        lake: Where rows are.
        audience: Who may see what, and by which names.
        now: Tells the platform's time, UTC.
        models: Tells which model serves, and how that came.
        links: Where Dagster (`dagster`) and MLflow (`mlflow`) are; those that are not there are left out.
    """
    site = Site(Readings(settings, lake, now), audience, settings.schedule.timezone)
    router = APIRouter(include_in_schema=False)
    _add_static(router)
    _add_start(router, site, models, links)
    _add_class(router, site)
    _add_pupil(router, site)
    add_deciding(router, site)
    add_family(router, site)
    add_school(router, site, models)
    return router


def _add_static(router: APIRouter) -> None:
    files = {name: (content, kind) for name, content, kind in static_files()}

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in files:
            return Response(status_code=404)
        content, kind = files[name]
        return Response(content, media_type=kind, headers=_KEEP_STATIC)

    @router.get("/preferences")
    def preferences(request: Request, language: Choice = "", zone: Choice = "", back: Choice = "/") -> Response:
        return chosen(request, language, zone, back)


def _add_start(router: APIRouter, site: Site, models: Models, links: dict[str, str]) -> None:
    @router.get("/")
    def start(request: Request) -> Response:
        def make(reader: Reader) -> str:
            site.open(reader, "start")
            found = site.readings.membership().classes().to_dicts()
            mine = [row for row in found if site.audience.may(reader.viewer, "class", row["class_"])]
            names = site.names(reader, [row["class_"] for row in mine])
            classes = [
                {"id": row["class_"], "name": names.class_(row["class_"]), "learners": row["learners"]} for row in mine
            ]
            return site.render(
                reader,
                "start.html",
                classes=sorted(classes, key=lambda row: str(row["name"]).casefold()),
                schools=_schools(site, reader),
                others=("learner_link", "parent_link"),
                day=site.readings.state().day,
                version=models.version(),
                operator=site.audience.may(reader.viewer, "operations"),
                notice="",
                dagster_url=links["dagster"],
                mlflow_url=links.get("mlflow"),
            )

        return site.page(request, make)


def _add_class(router: APIRouter, site: Site) -> None:
    @router.get("/classes/{class_}")
    def of_class(request: Request, class_: Pseudonym, subject: Subject = "") -> Response:
        return site.page(request, lambda reader: _class_page(site, reader, class_, subject))

    @router.get("/classes/{class_}/table.csv")
    def table(request: Request, class_: Pseudonym) -> Response:
        def make(reader: Reader) -> Any:
            site.open(reader, "class", class_)
            view = site.readings.class_view(class_)
            if view is None:
                raise PageError("unknown_class", 404)
            names = site.names(reader, view.learners, _content(view.needs))
            return class_table(view, names, reader.texts, site.readings.settings.policy)

        return site.page(request, make)


def _schools(site: Site, reader: Reader) -> list[dict[str, str]]:
    found = site.readings.membership().rows["school"].drop_nulls().unique().sort().to_list()
    mine = [school for school in found if site.audience.may(reader.viewer, "school", school)]
    names = site.names(reader, mine)
    return sorted(({"id": each, "name": names.school(each)} for each in mine), key=lambda row: row["name"].casefold())


def _class_page(site: Site, reader: Reader, class_: str, subject: str) -> str:
    site.open(reader, "class", class_)
    view = site.readings.class_view(class_)
    if view is None:
        raise PageError("unknown_class", 404)
    shown = view.of_subject(subject if subject in view.subjects else None)
    words = _words(site, view.learners)
    content = {*_content(view.needs), *(item for group in view.groups for item in group.items)}
    content |= {each.item for each in view.missed} | {skill for skills in view.skills.values() for skill in skills}
    names = site.names(reader, [class_, *view.learners], content)

    def make() -> str:
        values = class_values(
            shown, names, reader.texts, words, today=_today(site, reader), settings=site.readings.settings.policy
        )
        return site.render(
            reader,
            "class.html",
            name=names.class_(class_),
            subject=subject,
            csv=f"/classes/{class_}/table.csv",
            heard=heard(site, names, reader.texts, view.learners),
            may_decide=bool(view.learners) and site.audience.may_decide(reader.viewer, view.learners[0]),
            told=told_of(reader, words),
            **values,
        )

    return site.kept(reader, names, make)


def _add_pupil(router: APIRouter, site: Site) -> None:
    @router.get("/pupils/{learner}")
    def pupil(request: Request, learner: Pseudonym) -> Response:
        return site.page(request, lambda reader: _pupil_page(site, reader, learner))


def _pupil_page(site: Site, reader: Reader, learner: str) -> str:
    site.open(reader, "pupil", learner)
    view = site.readings.learner_view(learner)
    if not view.known:
        raise PageError("unknown_learner", 404)
    class_ = site.readings.membership().class_of(learner)
    words = _words(site, [learner])
    content = {*_content(view.advice), *view.skills["skill_id"].to_list()}
    names = site.names(reader, [learner, *([class_] if class_ else [])], content)

    def make() -> str:
        trail = [{"href": f"/classes/{class_}", "says": names.class_(class_)}] if class_ else []
        values = pupil_values(
            view, names, reader.texts, words, today=_today(site, reader), settings=site.readings.settings.policy
        )
        return site.render(
            reader,
            "pupil.html",
            trail=trail,
            heard=heard(site, names, reader.texts, [learner]),
            may_decide=site.audience.may_decide(reader.viewer, learner),
            told=told_of(reader, words),
            **values,
        )

    return site.kept(reader, names, make)


def _words(site: Site, learners: Any) -> list[Word]:
    """What teachers said of some learners, the newest first."""
    by_learner = site.readings.words()
    words = [word for learner in learners for word in by_learner.get(learner, ())]
    return sorted(words, key=lambda word: word["given_at"], reverse=True)


def _content(rows: Any) -> set[str]:
    """Skills and exercises that rows of advice name."""
    items = {item for row in rows for item in row["content"] or ()}
    return items | {row["skill_id"] for row in rows} | {row["content_skill"] for row in rows if row["content_skill"]}


def _today(site: Site, reader: Reader) -> Any:
    return site.readings.now().astimezone(reader.texts.zone).date()
