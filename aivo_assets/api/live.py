"""Answers in, exercises and predictions out. Belongs here: these endpoints; the work is done in `live/`."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Response
from pydantic import ValidationError

from aivo_assets.api import live_schema as schema
from aivo_assets.api.live_doors import BYTES_AN_ANSWER, REFUSALS, body_of, calm, refuse_short_tokens, right_to
from aivo_assets.api.schema import Problem
from aivo_assets.errors import AivoError, ModelError, ServiceError
from aivo_assets.events.inbox import Inbox, open_inbox
from aivo_assets.lake import Lake
from aivo_assets.live.champion import ServingBrain
from aivo_assets.live.next_exercise import Advice, NextAsked, UnknownSkillError, next_exercises
from aivo_assets.live.predictions import predict
from aivo_assets.live.receiving import receive
from aivo_assets.live.standing import LearnerNow, Learners
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.lake_key import key_of_lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.students.student_models import Brain

LearnerName = Annotated[
    str,
    Path(
        min_length=1, max_length=500, description="As the source has the learner, or the pseudonym.",
        examples=["learner-000001"],
    ),
]  # fmt: skip
_PSEUDONYM: Final = frozenset("0123456789abcdef")
_SENT: Final = schema.Answer.model_json_schema(ref_template="#/components/schemas/{model}")
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [_SENT, {"type": "array", "items": _SENT, "minItems": 1}]},
                "example": _SENT["examples"][0],
            }
        },
    }
}
_KEPT: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "What was sent is no JSON, or no answer and no list of answers."},
    413: {"model": Problem, "description": "Too much at once; nothing was kept."},
    409: {"model": schema.AnswersKept, "description": "Some cannot be kept, each with its reason; the others are."},
    422: {
        "model": schema.AnswersKept,
        "description": "Some are no answers, each with its reason; the others are kept.",
    },
}
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "What was sent is no JSON."},
    404: {"model": Problem, "description": "There is no such skill, subject or item."},
    409: {"model": Problem, "description": "No main brain serves yet."},
}


class LiveService:
    """What the endpoints share, made at the first call that needs it.

    Args:
        settings: Of the platform.
        lake: Of the platform.
    """

    def __init__(self, settings: Settings, lake: Lake) -> None:
        self._settings, self._lake = settings, lake
        self.champion = ServingBrain(settings, lake, time.monotonic)
        self.advice = Advice(lake, time.monotonic)

    @cached_property
    def key(self) -> PseudonymKey:
        """The key of the lake's pseudonyms."""
        return key_of_lake(self._settings, create=False)

    @cached_property
    def inbox(self) -> Inbox:
        """The table of answers.

        Raises:
            ServiceError: No database is known, or it cannot be used.
        """
        inbox = open_inbox(self._settings)
        if inbox is None:
            raise ServiceError(
                "No PostgreSQL is known to this service, so answers cannot be kept",
                fix="Start it with `aivo up`, or set AIVO_POSTGRES_URL.",
            )
        inbox.make()
        return inbox

    @cached_property
    def learners(self) -> Learners:
        """Where learners stand."""
        return Learners(self._settings, self._lake, self.key, open_inbox(self._settings), time.monotonic)

    def warm(self) -> None:
        """Load and compile what the first call would wait for, so that it need not; what is not there yet is no fault.

        A service that has just started answers its first learner as quickly as the others.
        """
        with suppress(AivoError):
            brain, at = self.champion.now(), datetime.now(UTC)
            nobody = self.learners.now(self.pseudonym(""), brain)
            next_exercises(NextAsked(), nobody, brain, self.advice, self._settings, at)

    def pseudonym(self, learner: str) -> str:
        """The pseudonym of a learner, who is named by it or as the source does."""
        is_one = len(learner) == 32 and set(learner) <= _PSEUDONYM
        return learner if is_one else self.learners.pseudonym(learner.strip())


def live_router(settings: Settings, service: LiveService, now: Callable[[], datetime]) -> APIRouter:
    """The endpoints.

    Args:
        settings: Of the platform.
        service: What they share.
        now: Tells the platform's time, UTC.

    Raises:
        SettingsError: A token can be guessed.
    """
    refuse_short_tokens(settings)
    router = APIRouter(prefix="/v1", tags=["live"], dependencies=[Depends(calm(settings))], responses=REFUSALS)
    _add_in(router, settings, service, now)
    _add_out(router, settings, service, now)
    return router


def _add_in(router: APIRouter, settings: Settings, service: LiveService, now: Callable[[], datetime]) -> None:
    most = settings.live.answers_at_once

    @router.post("/answers", dependencies=[Depends(right_to("write", settings))], responses=_KEPT, openapi_extra=_BODY)
    def answers(
        response: Response, body: Annotated[bytes, Depends(body_of(BYTES_AN_ANSWER * most))]
    ) -> schema.AnswersKept:
        """Keep one answer, or a list; what is acknowledged is in the database, and the next check reads it."""
        sent = _sent(body, most)
        fates: list[schema.AnswerFate | None] = [None] * len(sent)
        good: dict[int, schema.Answer] = {}
        for number, row in enumerate(sent):
            try:
                good[number] = schema.Answer.model_validate(row)
            except ValidationError as error:
                fates[number] = schema.AnswerFate(event_id=_name_of(row), status="refused", reason=_reason(error))
        with _told():
            rows = [answer.model_dump() for answer in good.values()]
            subject = settings.source.subject
            kept = receive(rows, service.inbox, service.key, now=now(), subject=subject) if rows else []
        for number, fate in zip(good, kept, strict=True):
            fates[number] = schema.AnswerFate(**asdict(fate))
        told = [fate for fate in fates if fate is not None]
        counts = {status: sum(fate.status == status for fate in told) for status in ("accepted", "known", "refused")}
        if counts["refused"]:
            response.status_code = 422 if len(good) < len(sent) else 409
        return schema.AnswersKept(**counts, answers=told)


def _add_out(router: APIRouter, settings: Settings, service: LiveService, now: Callable[[], datetime]) -> None:
    reading: dict[str, Any] = {"dependencies": [Depends(right_to("read", settings))], "responses": _UNKNOWN}

    @router.post("/learners/{learner}/next", **reading)
    def following(learner: LearnerName, wanted: schema.NextWanted) -> schema.Next:
        """The next exercises of a learner, by all answers until now."""
        asked = NextAsked(wanted.skill, wanted.subject, wanted.count, frozenset(wanted.exclude))
        with _told():
            at, brain = now(), service.champion.now()
            standing = service.learners.now(service.pseudonym(learner), brain)
            chosen = next_exercises(asked, standing, brain, service.advice, settings, at)
        columns = list(schema.Exercise.model_fields)
        return schema.Next(
            learner=standing.learner, subject=chosen.subject, skill=chosen.skill, level=chosen.level,
            kind=chosen.kind, review=chosen.review, override=chosen.override, reasons=chosen.reasons,
            advised_on=chosen.advised_on,
            exercises=[schema.Exercise(**row) for row in chosen.exercises.select(columns).to_dicts()],
            standing=_standing(standing, brain, settings, at),
        )  # fmt: skip

    @router.post("/predict", **reading)
    def predictions(wanted: schema.PredictionWanted) -> schema.Predictions:
        """How likely a learner answers items correctly, were they asked now."""
        with _told():
            at, brain = now(), service.champion.now()
            standing = service.learners.now(service.pseudonym(wanted.learner), brain)
            items = service.advice.items(wanted.items)
            answers = predict(standing.learner, items, standing.states, brain, settings.students, at)
        columns = list(schema.Prediction.model_fields)
        return schema.Predictions(
            learner=standing.learner,
            predictions=[schema.Prediction(**row) for row in answers.select(columns).to_dicts()],
            standing=_standing(standing, brain, settings, at),
        )


def _standing(now: LearnerNow, brain: Brain, settings: Settings, at: datetime) -> schema.Standing:
    notes = []
    if now.unread:
        notes.append(f"Answers since the last check are not known: {now.unread}")
    hours = settings.live.stale_hours
    if now.checked is None:
        notes.append("No check has run yet.")
    elif at - timedelta(hours=hours) > datetime.combine(now.checked + timedelta(days=1), datetime.min.time(), UTC):
        notes.append(f"The last check knows nothing after {now.checked}, which is more than {hours:g} hours ago.")
    return schema.Standing(
        champion=brain.version, checked=now.checked, states_version=now.states_version, answers_since=now.since,
        stale=bool(notes), notes=notes,
    )  # fmt: skip


def _sent(body: bytes, most: int) -> list[Any]:
    try:
        sent = json.loads(body)
    except ValueError as error:
        raise HTTPException(400, f"This is no JSON: {error}") from error
    rows = sent if isinstance(sent, list) else [sent]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise HTTPException(400, "Send one answer as an object, or a list of them that is not empty.")
    if len(rows) > most:
        raise HTTPException(413, f"{len(rows):,} answers at once; {most:,} are taken (AIVO_LIVE_ANSWERS_AT_ONCE).")
    return rows


def _name_of(row: dict[str, Any]) -> str | None:
    name = row.get("event_id")
    return name[:500] if isinstance(name, str) else None


def _reason(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except UnknownSkillError as error:
        raise HTTPException(404, f"{error.what}. {error.fix}") from error
    except ModelError as error:
        raise HTTPException(409, f"{error.what}. {error.fix}") from error
    except AivoError as error:
        raise HTTPException(503, f"{error.what}. {error.fix}") from error
