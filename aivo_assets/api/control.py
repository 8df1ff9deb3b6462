"""The endpoints below /v1. Belongs here: paths, parameters and status codes; the work is done elsewhere."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request

from aivo_assets.api import schema
from aivo_assets.api.dagster_client import DagsterClient
from aivo_assets.api.learners import recommendations_for
from aivo_assets.api.overrides import add_overrides
from aivo_assets.api.runs import describe_run, scheduler_status
from aivo_assets.api.security import admission
from aivo_assets.api.standing import ModelStates
from aivo_assets.api.triggers import Call, Priority, Triggers
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.names import MODELS, ModelId
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry

Reason = Annotated[
    str, Query(max_length=200, description="Why; kept with the run.", examples=["a new curriculum began"])
]
Force = Annotated[bool, Query(description="Start however recent the last training is. Never a second one at once.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{1,128}$",
        description="Names this call: the same key names the same run.",
        examples=["monday-curriculum-1"],
    ),
]
ModelName = Annotated[str, Path(description="`main_brain` or `student_models`.", examples=["main_brain"])]
Pseudonym = Annotated[
    str, Path(pattern="^[0-9a-f]{32}$", description="Pseudonym of the learner.", examples=[schema.LEARNER])
]


def _says(status: int, description: str, *, retry: bool = False) -> dict[int | str, dict[str, Any]]:
    answer: dict[str, Any] = {"model": schema.Problem, "description": description}
    if retry:
        seconds = {"type": "integer", "minimum": 1}
        answer["headers"] = {"Retry-After": {"description": "Seconds until it is worth asking.", "schema": seconds}}
    return {status: answer}


_ADMISSION: Final = {
    **_says(401, "A token is set, and the call does not show it."),
    **_says(403, "Sent by a web page from elsewhere, or under a foreign host name."),
}
_DAGSTER: Final = _says(503, "Dagster does not answer, or not for sure.", retry=True)
_STARTING: Final = {
    **_ADMISSION,
    **_says(409, "A guard says to wait; the answer says why.", retry=True),
    **_says(502, "Dagster refused to make the run."),
    **_DAGSTER,
}
_UNKNOWN: Final = {name: _says(404, f"There is no such {name}.") for name in ("model", "run", "learner")}


def control_plane(
    settings: Settings, lake: Lake, now: Callable[[], datetime], machine_now: Callable[[], datetime]
) -> APIRouter:
    """The endpoints over one lake and one Dagster.

    Args:
        settings: Of the platform.
        lake: Where verdicts and recommendations are kept.
        now: Tells the platform's time, UTC.
        machine_now: Tells the machine's, UTC.
    """
    dagster = DagsterClient(settings.api.dagster_url, timeout_seconds=settings.api.timeout_seconds)
    standing = ModelStates(settings, lake, Registry(settings.home, settings.models_database), dagster)
    triggers = Triggers(settings, dagster, standing, now, machine_now)
    router = APIRouter(prefix="/v1")
    _add_reading(router, settings, lake, dagster, standing, now)
    _add_starting(router, settings, triggers)
    add_overrides(router, settings, lake, now)
    return router


def _add_reading(
    router: APIRouter,
    settings: Settings,
    lake: Lake,
    dagster: DagsterClient,
    standing: ModelStates,
    now: Callable[[], datetime],
) -> None:
    @router.get("/scheduler/status", tags=["scheduler"])
    def status() -> schema.SchedulerStatus:
        """What runs by itself and when next, and which models are being trained. Also answers without Dagster."""
        return scheduler_status(dagster, standing)

    @router.get("/model/{model_id}/status", tags=["models"], responses=_UNKNOWN["model"])
    def model_status(model_id: ModelName) -> schema.ModelStatus:
        """What serves, what trains, whether a training would be let through now. Also answers without Dagster."""
        return standing.describe(_model(model_id), now=now())

    @router.get("/runs/{run_id}", tags=["runs"], responses={**_UNKNOWN["run"], **_DAGSTER})
    def run(run_id: Annotated[UUID, Path(examples=[schema.RUN_ID])]) -> schema.Run:
        """Where a run stands and why it was started."""
        answer = dagster.run(str(run_id))
        if answer is None:
            raise HTTPException(404, f"There is no run {run_id}.")
        return describe_run(answer, settings)

    @router.get(
        "/learners/{pseudonym}/recommendations",
        tags=["learners"],
        dependencies=[Depends(admission(settings.api))],
        responses={**_ADMISSION, **_UNKNOWN["learner"]},
    )
    def recommendations(pseudonym: Pseudonym) -> schema.LearnerRecommendations:
        """What the learner is recommended, as of the newest day."""
        answer = recommendations_for(lake, pseudonym)
        if answer is None:
            raise HTTPException(404, "The newest day has no recommendation for this learner.")
        return answer


def _add_starting(router: APIRouter, settings: Settings, triggers: Triggers) -> None:
    starts: dict[str, Any] = {"status_code": 202, "dependencies": [Depends(admission(settings.api))]}

    @router.post("/scheduler/train-main-brain", tags=["scheduler"], responses=_STARTING, **starts)
    def train_main_brain(
        request: Request, reason: Reason = "", force: Force = False, key: Key = None
    ) -> schema.Started:
        """Train a challenger of the main brain up to yesterday; it is promoted only on evidence."""
        return triggers.train("main_brain", _call(request, reason, key, forced=force))

    @router.post(
        "/scheduler/trigger/{model_id}", tags=["scheduler"], responses={**_STARTING, **_UNKNOWN["model"]}, **starts
    )
    def trigger(
        request: Request,
        model_id: ModelName,
        reason: Reason = "",
        priority: Annotated[Priority, Query(description="Place in the queue of runs.", examples=["high"])] = "normal",
        force: Force = False,
        key: Key = None,
    ) -> schema.Started:
        """Train a model now, for a reason that is kept."""
        call = _call(request, reason, key, forced=force, priority=priority)
        return triggers.train(_model(model_id), call)

    @router.post("/drift/check", tags=["drift"], responses=_STARTING, **starts)
    def drift_check(request: Request, reason: Reason = "", key: Key = None) -> schema.Started:
        """Check every model for drift as of today; a drifted one is retrained by the sensor."""
        return triggers.check_drift(_call(request, reason, key))


def _call(
    request: Request, reason: str, key: str | None, *, forced: bool = False, priority: Priority = "normal"
) -> Call:
    by = request.client.host if request.client else "an unknown address"
    return Call(by=by, reason=reason, key=key, forced=forced, priority=priority)


def _model(name: str) -> ModelId:
    for model in MODELS:
        if name == model:
            return model
    raise HTTPException(404, f"There is no model {name!r}; there are {', '.join(MODELS)}.")
