"""What the HTTP service is asked and answers. Belongs here: fields, their meaning and examples; no behaviour."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

RUN_ID = "5f0c9a52-3c3e-4e0a-9f53-0f6f5f0a7c11"
LEARNER = "3f9c2b7a51e84d06a1b2c3d4e5f60718"


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(frozen=True, json_schema_extra={"examples": [fields]})


class Health(BaseModel):
    """Whether the service answers, and what it serves."""

    model_config = _example(status="ok", documents=["drift", "main_brain"])

    status: Literal["ok"]
    documents: list[str] = Field(description="Kinds of documents below `/documents`.")


class Job(BaseModel):
    """One schedule."""

    model_config = _example(
        id="aivo_main_brain_daily", name="main_brain_training", next_run="2026-03-11T02:00:00Z", trigger="0 2 * * * UTC"
    )

    id: str = Field(description="Name of the schedule.")
    name: str = Field(description="Job that it runs.")
    next_run: datetime | None = Field(description="When it is due next, UTC; null where it is switched off.")
    trigger: str = Field(description="Its cron and time zone.")


class SchedulerStatus(BaseModel):
    """What runs by itself, and what runs now."""

    model_config = _example(
        running=True,
        problem=None,
        jobs=[
            {
                "id": "aivo_main_brain_daily",
                "name": "main_brain_training",
                "next_run": "2026-03-11T02:00:00Z",
                "trigger": "0 2 * * * UTC",
            }
        ],
        models_training=["main_brain"],
        last_training="2026-03-10T02:03:41Z",
    )

    running: bool = Field(description="Whether the daemon lives and at least one schedule is on.")
    problem: str | None = Field(description="Why it does not run, where it does not.")
    jobs: list[Job]
    models_training: list[str] = Field(description="Models that are being trained or wait in the queue for it.")
    last_training: datetime | None = Field(description="When the main brain was last trained, UTC.")


class Started(BaseModel):
    """A run that was asked for."""

    model_config = _example(
        run_id=RUN_ID,
        job="emergency_retrain",
        model_id="main_brain",
        partition="2026-03-09",
        status="QUEUED",
        repeated=False,
        idempotency_key="monday-curriculum-1",
        cause="Asked over HTTP: a new curriculum began",
        url=f"http://127.0.0.1:3000/runs/{RUN_ID}",
    )

    run_id: str
    job: str = Field(description="Job of the run.")
    model_id: str | None = Field(description="Model that it trains; null for a check.")
    partition: str = Field(description="UTC day as of which it works.")
    status: str = Field(description="Dagster's word for where the run stands.")
    repeated: bool = Field(description="Whether an earlier call with the same key had started it.")
    idempotency_key: str = Field(description="The caller's key, or the one made for this call.")
    cause: str = Field(description="Why; kept with the run.")
    url: str = Field(description="The run's page.")


class Run(BaseModel):
    """Where a run stands, and why it was started."""

    model_config = _example(
        run_id=RUN_ID,
        job="emergency_retrain",
        status="SUCCESS",
        model_id="main_brain",
        partition="2026-03-09",
        cause="The sensor drift_retraining saw a drift verdict that asks for it.",
        because="main_brain: score 0.31, advantage that was promised and not delivered rose.",
        created="2026-03-10T06:01:02Z",
        started="2026-03-10T06:01:09Z",
        ended="2026-03-10T06:03:15Z",
        url=f"http://127.0.0.1:3000/runs/{RUN_ID}",
    )

    run_id: str
    job: str
    status: str = Field(description="Dagster's word: QUEUED, STARTED, SUCCESS, FAILURE, CANCELED …")
    model_id: str | None = Field(description="Model that it trains; null where it trains none.")
    partition: str | None = Field(description="UTC day, or `first...last`.")
    cause: str = Field(description="Who or what asked for it, in a sentence.")
    because: str = Field(description="The reason that was given; empty for none.")
    created: datetime
    started: datetime | None
    ended: datetime | None
    url: str


class Drift(BaseModel):
    """The newest drift verdict on a model."""

    model_config = _example(
        day="2026-03-10", verdict="ok", score=0.02, reason="Score 0.02. Not above 0.15: nothing to do."
    )

    day: date
    verdict: str
    score: float | None = Field(description="In [0, 1]; null without a verdict.")
    reason: str


class ModelStatus(BaseModel):
    """A model: what serves, what trains, whether a training would be let through now."""

    model_config = _example(
        model_id="main_brain",
        version="12",
        as_of="2026-03-09",
        training=None,
        last_training="2026-03-10T02:03:41Z",
        may_train=False,
        wait="The main brain was trained 7.0 hours ago; 20 must lie between two trainings.",
        drift=Drift.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
        last_verdict="Refused: log loss 0.4411 against 0.4412, not significantly better.",
        problem=None,
    )

    model_id: str
    version: str | None = Field(description="Version of the main brain that serves; null where none does.")
    as_of: date | None = Field(description="Last day that the model knows.")
    training: str | None = Field(description="Id of the run that trains it or waits to.")
    last_training: datetime | None = Field(description="When it was last trained, UTC; null where that is not kept.")
    may_train: bool = Field(description="Whether a trigger without `force` would start a training now.")
    wait: str | None = Field(description="Why not, where not.")
    drift: Drift | None
    last_verdict: str | None = Field(
        description="The newest verdict on a challenger, with its reason; null for student models."
    )
    problem: str | None = Field(description="What could not be looked up, and why.")


class Evidence(BaseModel):
    """A signal against its threshold."""

    model_config = _example(signal="recent_accuracy", value=0.35, threshold=0.6, direction="<")

    signal: str
    value: float | None
    threshold: float | None
    direction: str


class Recommendation(BaseModel):
    """What should happen next in one skill."""

    model_config = _example(
        rank=1,
        kind="level_down",
        subject="mathematics",
        skill_id="fractions",
        current_level=6,
        recommended_level=5,
        priority="high",
        confidence=0.83,
        headline="Move down 1 level in “fractions”, from level 6 to level 5.",
        reasoning="Level 6 of “fractions” is too hard for now: 3 of the last 10 answers right.",
        reasoning_learner="Level 6 of “fractions” is too hard just now: you got 3 of the last 10 answers right.",
        reasoning_parent="Level 6 of “fractions” is still too hard for your child (3 of the last 10 answers right).",
        expectation="At least 6 of the next 10 exercises at level 5 will be right.",
        counterfactual="5 right answers in a row at level 6 would probably change the advice to “carry on”.",
        evidence=[{"signal": "recent_accuracy", "value": 0.3, "threshold": 0.6, "direction": "<"}],
        suggested_actions=["Set tasks at level 5 in “fractions” until at least 70% of them go right again."],
        content=["item-1", "item-2"],
        expected_impact=0.21,
        time_to_effect_days=4,
    )

    rank: int = Field(description="Order of importance; 1 is the learner's recommendation.")
    kind: str = Field(description="One of the seven kinds.")
    subject: str | None
    skill_id: str
    current_level: int
    recommended_level: int
    priority: Literal["low", "medium", "high", "urgent"]
    confidence: float | None
    headline: str | None = Field(description="What to do, in a line for the teacher.")
    reasoning: str | None = Field(description="Why, for the teacher.")
    reasoning_learner: str | None = Field(description="Why, for the learner.")
    reasoning_parent: str | None = Field(description="Why, for parents.")
    expectation: str | None = Field(description="What the next answers should show.")
    counterfactual: str | None = Field(description="What would have made it another recommendation.")
    evidence: list[Evidence]
    suggested_actions: list[str]
    content: list[str] = Field(description="Items that fit best, best first.")
    expected_impact: float | None
    time_to_effect_days: int | None


class LearnerRecommendations(BaseModel):
    """All recommendations for a learner, as of one day."""

    model_config = _example(
        learner=LEARNER,
        day="2026-03-10",
        recommendations=[Recommendation.model_config["json_schema_extra"]["examples"][0]],  # type: ignore[index]
    )

    learner: str = Field(description="The pseudonym.")
    day: date = Field(description="Everything up to the end of this UTC day is known.")
    recommendations: list[Recommendation] = Field(description="By rank.")


class OverrideGiven(BaseModel):
    """What a teacher says of one learner's skill."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"learner": LEARNER, "action": "pin", "skill_id": "fractions", "level": 4, "until": "2026-03-31"}
            ]
        },
    )

    learner: str = Field(min_length=1, max_length=500, description="As the source has the learner, or the pseudonym.")
    action: Literal["accept", "reject", "pin"]
    skill_id: str = Field(min_length=1, max_length=500)
    subject: str | None = Field(None, max_length=500, description="Needed where several subjects have such a skill.")
    kind: str | None = Field(None, max_length=40, description="Kind that is accepted or rejected, such as `level_up`.")
    level: int | None = Field(None, ge=1, le=10, description="Level to pin.")
    until: date | None = Field(None, description="Last day of a pin. Default: AIVO_POLICY_PIN_DAYS from today.")
    reason: Literal["too_easy", "too_hard", "wrong_skill", "not_now", "content", "other"] | None = Field(
        None, description="Why a kind is rejected."
    )
    note: str | None = Field(None, max_length=2000, description="In the teacher's own words; stays in the raw zone.")
    teacher: str | None = Field(None, max_length=500, description="Who says so, as the source has them.")


class Override(BaseModel):
    """A teacher's word that is kept, and what came of it. The learner is known by pseudonym."""

    model_config = _example(
        override_id="9c1b6c1f0a2e4d53b7e0c1d2a3f4b5c6",
        learner=LEARNER,
        subject="mathematics",
        skill_id="fractions",
        action="pin",
        kind=None,
        level=4,
        until="2026-03-31",
        reason=None,
        given_at="2026-03-10T06:01:02Z",
        state="waiting",
        outcome="The next check obeys it; one runs every two hours.",
    )

    override_id: str = Field(description="By which it is taken back.")
    learner: str = Field(description="The pseudonym.")
    subject: str
    skill_id: str
    action: str
    kind: str | None
    level: int | None
    until: date | None
    reason: str | None
    given_at: datetime
    state: Literal["obeyed", "on record", "waiting", "came to nothing", "replaced", "over", "taken back"]
    outcome: str = Field(description="What came of it, a sentence.")


class Problem(BaseModel):
    """Why something was not done."""

    model_config = _example(
        detail="Run 5f0c9a52-3c3e-4e0a-9f53-0f6f5f0a7c11 is training already; its result comes first."
    )

    detail: str
    idempotency_key: str | None = Field(None, description="Ask again with this key, and nothing is started twice.")
