"""The head's page and the operators' page over HTTP. Belongs here: their addresses."""

from typing import Annotated, Protocol

import polars as pl
from fastapi import APIRouter, Path, Request, Response

from aivo_assets.operations.alerts.folding import OutboxEntry
from aivo_assets.pages.reading.operations_view import OperationsView, read_operations
from aivo_assets.pages.reading.school_view import read_school
from aivo_assets.pages.saying.school_pages import operations_values, school_values
from aivo_assets.pages.serving.site import PageError, Reader, Site
from aivo_assets.tracing.judging.champions import Move

Pseudonym = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class Models(Protocol):
    """What pages ask about models."""

    def version(self) -> str | None:
        """The version that serves; None where none does."""

    def moves(self) -> list[Move]:
        """Every change of it, oldest first."""

    def alerts(self) -> list[OutboxEntry]:
        """What people were told, the newest first."""


def add_school(router: APIRouter, site: Site, models: Models) -> None:
    """`/schools/…` and `/operations`."""

    @router.get("/schools/{school}")
    def of_school(request: Request, school: Pseudonym) -> Response:
        return site.page(request, lambda reader: _school_page(site, reader, models, school))

    @router.get("/operations")
    def operations(request: Request) -> Response:
        def make(reader: Reader) -> str:
            site.open(reader, "operations")
            values = operations_values(_operations(site, models), models.alerts(), reader.texts)
            return site.render(reader, "operations.html", version=models.version(), **values)

        return site.page(request, make)


def _school_page(site: Site, reader: Reader, models: Models, school: str) -> str:
    site.open(reader, "school", school)
    readings = site.readings
    members = readings.membership()
    rows = members.rows.filter(pl.col("school") == school)
    if rows.is_empty():
        raise PageError("not_found", 404)
    state = readings.state()
    view = readings.remembered(
        ("school", school, state.advice, state.answers),
        lambda: read_school(readings.lake, rows, day=state.day, newest_answer=members.newest_answers),
    )
    names = site.names(reader, [school, *(each.name for each in view.classes)])
    judged = [check for check in _operations(site, models).checks if check["auc"] is not None]
    values = school_values(
        view,
        names,
        reader.texts,
        today=readings.now().astimezone(reader.texts.zone).date(),
        quality=(judged[-1]["auc"], judged[-1]["events"]) if judged else None,
    )
    return site.render(reader, "school.html", name=names.school(school), **values)


def _operations(site: Site, models: Models) -> OperationsView:
    moves = models.moves()
    key = ("operations", site.readings.state(), len(moves))
    return site.readings.remembered(key, lambda: read_operations(site.readings.lake, moves))
