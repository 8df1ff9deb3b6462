"""What apps send and get while a learner waits. Belongs here: fields, their meaning and examples; no behaviour."""

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_ANSWER: dict[str, Any] = {
    "event_id": "tablet-7-000123",
    "learner_id": "learner-000001",
    "item_id": "reading.cause-and-effect.012",
    "skill_ids": ["reading.cause-and-effect"],
    "subject": "reading",
    "occurred_at": "2026-03-10T09:15:02Z",
    "correct": 1,
    "response_time_ms": 8400,
}
_NAME = 500


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(frozen=True, json_schema_extra={"examples": [fields]})


class Answer(BaseModel):
    """One answer of one learner to one item, as any source gives it. Values are judged as a file's are."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [_ANSWER]})

    event_id: str = Field(
        min_length=1, max_length=_NAME, description="Your name of the answer: sent again, it counts once."
    )
    learner_id: str = Field(min_length=1, max_length=_NAME, description="As every source of yours names the learner.")
    item_id: str = Field(min_length=1, max_length=_NAME)
    skill_ids: list[str] | None = Field(None, max_length=50, description="Default: the item is its own skill.")
    subject: str | None = Field(None, max_length=_NAME, description="Default: AIVO_SOURCE_SUBJECT.")
    occurred_at: AwareDatetime = Field(description="With its offset from UTC.")
    correct: Literal[0, 1] = Field(description="1 right, 0 wrong.")
    response_time_ms: int | None = None
    hint_count: int | None = None
    attempt_number: int | None = None
    session_id: str | None = Field(None, max_length=_NAME)
    focus: float | None = None
    assignment_id: str | None = Field(None, max_length=_NAME)
    teacher_id: str | None = Field(None, max_length=_NAME)
    class_id: str | None = Field(None, max_length=_NAME)
    school_id: str | None = Field(None, max_length=_NAME)


class AnswerFate(BaseModel):
    """What became of an answer."""

    model_config = _example(event_id="tablet-7-000123", status="accepted", reason=None)

    event_id: str | None = Field(description="As it was sent; null where it could not be read.")
    status: Literal["accepted", "known", "refused"] = Field(
        description="`accepted`: kept now. `known`: kept before, and counts once. `refused`: not kept."
    )
    reason: str | None = Field(description="Why it was refused.")


class AnswersKept(BaseModel):
    """What became of the answers of a call, in the order sent."""

    model_config = _example(
        accepted=1, known=0, refused=0, answers=[{"event_id": "tablet-7-000123", "status": "accepted", "reason": None}]
    )

    accepted: int
    known: int
    refused: int
    answers: list[AnswerFate]


class NextWanted(BaseModel):
    """Which exercises are wanted; without a word, the one that is recommended first."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"count": 3}]})

    skill: str | None = Field(None, max_length=_NAME, description="Only of this skill.")
    subject: str | None = Field(None, max_length=_NAME, description="Only of this subject.")
    count: int = Field(1, ge=1, le=50, description="Exercises at most.")
    exclude: list[str] = Field(default_factory=list, max_length=1000, description="Items that are not wanted.")


class Exercise(BaseModel):
    """An exercise, and how likely the learner is to get it right now."""

    model_config = _example(
        item_id="reading.cause-and-effect.012", subject="reading", skill_ids=["reading.cause-and-effect"], level=5,
        probability=0.77, lower=0.66, upper=0.86, answered_before=False,
    )  # fmt: skip

    item_id: str
    subject: str
    skill_ids: list[str]
    level: int = Field(description="1 (easiest) to 10.")
    probability: float = Field(description="Of a right answer, now.")
    lower: float = Field(description="Lower end of its 80 % band.")
    upper: float = Field(description="Upper end.")
    answered_before: bool


class Standing(BaseModel):
    """What an answer rests on."""

    model_config = _example(
        champion="12", checked="2026-03-10", states_version=41, answers_since=2, stale=False, notes=[]
    )

    champion: str = Field(description="Version of the main brain.")
    checked: date | None = Field(description="Newest day in the states of the last check; null where there are none.")
    states_version: int | None = Field(description="Number of the commit of these states.")
    answers_since: int = Field(description="Answers that came later and count already.")
    stale: bool = Field(description="Whether something is older or less complete than it should be; `notes` say what.")
    notes: list[str]


class Next(BaseModel):
    """What comes next for a learner."""

    model_config = _example(
        learner="3f9c2b7a51e84d06a1b2c3d4e5f60718", subject="reading", skill="reading.cause-and-effect", level=5,
        kind="maintain", review=False, override=None, reasons={"learner": "Level 5 of “cause and effect” suits you."},
        advised_on="2026-03-10",
        exercises=[Exercise.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
        standing=Standing.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
    )  # fmt: skip

    learner: str = Field(description="The pseudonym.")
    subject: str
    skill: str
    level: int = Field(description="Level to work at, 1 to 10.")
    kind: str | None = Field(description="Kind of the recommendation in force; null where there is none.")
    review: bool = Field(description="Whether the skill comes back after AIVO_LIVE_REVIEW_DAYS without practice.")
    override: str | None = Field(description="A teacher's word that is obeyed: `accept`, `reject` or `pin`.")
    reasons: dict[str, str] = Field(description="Why, in the words of `teacher`, `learner` and `parent`.")
    advised_on: date | None = Field(description="As-of day of the recommendation.")
    exercises: list[Exercise] = Field(description="Best first; none where the skill has nothing left.")
    standing: Standing


class PredictionWanted(BaseModel):
    """Items about which the main brain is asked."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"learner": "learner-000001", "items": ["reading.cause-and-effect.012"]}]},
    )

    learner: str = Field(min_length=1, max_length=_NAME, description="As the source has the learner, or the pseudonym.")
    items: list[str] = Field(min_length=1, max_length=500)


class Prediction(BaseModel):
    """How likely a right answer is."""

    model_config = _example(item_id="reading.cause-and-effect.012", probability=0.77, lower=0.66, upper=0.86)

    item_id: str
    probability: float
    lower: float
    upper: float


class Predictions(BaseModel):
    """Predictions for one learner, in the order asked."""

    model_config = _example(
        learner="3f9c2b7a51e84d06a1b2c3d4e5f60718",
        predictions=[Prediction.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
        standing=Standing.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
    )

    learner: str
    predictions: list[Prediction]
    standing: Standing
