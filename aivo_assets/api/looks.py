"""The audit log over HTTP. Belongs here: this one call; people are pseudonyms in its answer as they are in the log."""

from datetime import date
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as Of

from aivo_assets.api import schema
from aivo_assets.api.schema import LEARNER
from aivo_assets.api.security import admission
from aivo_assets.people.audit import AuditLog
from aivo_assets.settings import Settings


def _written(day: object) -> object:
    """A day as it is to be written; a plain number would be taken for seconds since 1970."""
    if isinstance(day, str):
        date.fromisoformat(day)
    return day


Day = Annotated[
    date | None,
    BeforeValidator(_written),
    Query(examples=["2026-03-01"], description="First or last day (UTC), included."),
]


class Look(BaseModel):
    """One look at names."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-03-10T06:01:02+00:00",
                    "who": LEARNER[::-1],
                    "role": "teacher",
                    "page": "class",
                    "whose": [LEARNER],
                }
            ]
        },
    )

    at: str = Of(description="When, UTC.")
    who: str = Of(description="Pseudonym of the account; `command` for a command.")
    role: str = Of(description="In which role.")
    page: str = Of(description="Where.")
    whose: list[str] = Of(description="Pseudonyms of those whose names were shown.")


def add_looks(router: APIRouter, settings: Settings, log: AuditLog) -> None:
    """Add `GET /audit`.

    Args:
        router: Below which it stands.
        settings: Of the platform.
        log: What is told.
    """
    refusals: dict[int | str, dict[str, Any]] = {
        401: {"model": schema.Problem, "description": "A token is set, and the call does not show it."},
        403: {
            "model": schema.Problem,
            "description": "Sent by a web page from elsewhere, or under a foreign host name.",
        },
    }

    @router.get("/audit", tags=["audit"], dependencies=[Depends(admission(settings.api))], responses=refusals)
    def audit(
        first: Day = None,
        last: Day = None,
        learner: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$", description="Only looks at this one.")] = None,
        most: Annotated[int, Query(ge=1, le=10_000, description="Most looks told.")] = 100,
    ) -> list[Look]:
        """Who looked at whose name, the newest first."""
        looks = (each for each in log.looks(first, last) if learner is None or learner in each.whose)
        return [
            Look(at=each.at, who=each.who, role=each.role, page=each.page, whose=list(each.whose))
            for each in islice(looks, most)
        ]
