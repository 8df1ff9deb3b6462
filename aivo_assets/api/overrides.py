"""Teachers' words over HTTP: given, taken back, and what came of them. Belongs here: these endpoints; no judgement.

A word is judged by the code that judges the command's. Answers name learners by pseudonym alone, and so does an error.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from aivo_assets.adaptive.advice.words_given import IN_FORCE, words_given
from aivo_assets.api import schema
from aivo_assets.api.security import admission
from aivo_assets.errors import AivoError, SettingsError
from aivo_assets.events.landing.overrides import raw_overrides, remove_overrides
from aivo_assets.lake import Lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.lake_key import key_of_lake
from aivo_assets.privacy.override_giving import UnknownNameError, Word, find_override, give
from aivo_assets.settings import Settings

SOURCE: Final = "the HTTP service"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": schema.Problem, "description": "A token is set, and the call does not show it."},
    403: {"model": schema.Problem, "description": "Sent by a web page from elsewhere, or under a foreign host name."},
    503: {"model": schema.Problem, "description": "The lake or the pseudonym key cannot be used now."},
}
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": schema.Problem, "description": "It names a learner, a skill or an override that there is not."}
}
_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": schema.Problem, "description": "What was sent is no JSON."},
    409: {"model": schema.Problem, "description": "It cannot be obeyed; the answer says why."},
}
Learner = Annotated[str | None, Query(description="The pseudonym.", examples=[schema.LEARNER])]
Everything = Annotated[bool, Query(alias="all", description="Also what is over, was replaced or taken back.")]
OverrideId = Annotated[
    str, Path(min_length=6, max_length=64, description="Its id, or six characters or more.", examples=["9c1b6c1f"])
]


def add_overrides(router: APIRouter, settings: Settings, lake: Lake, now: Callable[[], datetime]) -> None:
    """Add the endpoints.

    Args:
        router: Of the control plane.
        settings: Of the platform.
        lake: Where overrides and recommendations are kept.
        now: Tells the platform's time, UTC.
    """
    common: dict[str, Any] = {"tags": ["overrides"], "dependencies": [Depends(admission(settings.api))]}

    def key() -> PseudonymKey:
        return key_of_lake(settings, create=False)

    def told() -> list[dict[str, Any]]:
        if raw_overrides(lake).is_empty():  # then no key is needed either
            return []
        return words_given(lake, key(), today=now().date(), settings=settings.policy)

    @router.get("/overrides", responses=_ANSWERS, **common)
    def overrides(learner: Learner = None, everything: Everything = False) -> list[schema.Override]:
        """What teachers said and what came of it, newest first."""
        with _told_as_problem():
            rows = [row for row in told() if everything or row["state"] in IN_FORCE]
        return [_shown(row) for row in rows if learner is None or row["learner"] == learner]

    @router.post("/overrides", status_code=201, responses={**_ANSWERS, **_UNKNOWN, **_REFUSED}, **common)
    def say(given: schema.OverrideGiven) -> schema.Override:
        """Say one thing of one learner's skill; the same word twice on one day is one."""
        at = now()
        word = Word(
            learner=given.learner, action=given.action, skill=given.skill_id, subject=given.subject, kind=given.kind,
            level=given.level, until=None if given.until is None else str(given.until), reason=given.reason,
            note=given.note, teacher=given.teacher,
        )  # fmt: skip
        with _told_as_problem():
            kept = give(
                lake,
                word,
                key,
                now=at,
                run=_run(at),
                source=SOURCE,
                pin_days=settings.policy.pin_days,
                show_alike=False,
            )
            return _shown(next(row for row in told() if row["override_id"] == kept.override_id))

    @router.delete("/overrides/{override_id}", responses={**_ANSWERS, **_UNKNOWN}, **common)
    def take_back(override_id: OverrideId) -> schema.Override:
        """Take an override back: from today on nothing is recommended by it."""
        at = now()
        with _told_as_problem():
            whole = find_override(lake, override_id)
            remove_overrides(lake, [whole], now=at, run=_run(at))
            return _shown(next(row for row in told() if row["override_id"] == whole))


def _shown(row: dict[str, Any]) -> schema.Override:
    return schema.Override(**{name: row[name] for name in schema.Override.model_fields})


def _run(at: datetime) -> str:
    return f"http-override-{at:%Y%m%dT%H%M%S%f}"


@contextmanager
def _told_as_problem() -> Iterator[None]:
    """An unknown name is told with 404, what cannot be obeyed with 409, what cannot be done now with 503."""
    try:
        yield
    except UnknownNameError as error:
        raise HTTPException(404, f"{error.what}. {error.fix}") from error
    except SettingsError as error:
        raise HTTPException(409, f"{error.what}. {error.fix}") from error
    except AivoError as error:
        raise HTTPException(503, f"{error.what}. {error.fix}") from error
