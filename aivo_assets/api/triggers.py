"""What the HTTP service starts: trainings and drift checks. Belongs here: job, day, cause and guard of each call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from aivo_assets.api import schema
from aivo_assets.api.addresses import run_url
from aivo_assets.api.dagster_client import DagsterClient
from aivo_assets.api.launches import Launch, Launched, Launcher, unfinished
from aivo_assets.api.standing import ModelStates
from aivo_assets.operations.jobs.causes import MODEL_TAG, Cause
from aivo_assets.operations.jobs.names import PARTITION_TAG, PRIORITY_TAG, STUDENT_MODELS_JOB, ModelId, model_trained
from aivo_assets.operations.jobs.training_guard import Wait
from aivo_assets.settings import Settings

JOB_OF: Final[dict[ModelId, str]] = {"main_brain": "emergency_retrain", "student_models": STUDENT_MODELS_JOB}
DRIFT_JOB: Final = "drift_monitoring"
SECONDS_OF_A_CHECK: Final = 120

Word = Literal["low", "medium", "normal", "high", "urgent", "critical"]
Priority = Word | Annotated[int, Field(ge=-10, le=10)]
_OF_WORD: Final[dict[str, int]] = {"low": -1, "medium": 0, "normal": 0, "high": 1, "urgent": 2, "critical": 2}


@dataclass(frozen=True)
class Call:
    """Who asks, why, and how.

    Attributes:
        by: Who, as far as it is known.
        reason: Why; may be empty.
        key: Idempotency key; None makes one.
        forced: Whether a recent training is no reason to wait.
        priority: Place in the queue of runs: higher runs first.
    """

    by: str
    reason: str
    key: str | None
    forced: bool = False
    priority: Priority = "normal"


class Triggers:
    """Starts what callers ask for.

    Args:
        settings: Of the platform.
        dagster: Through which runs are started.
        standing: Tells whether a model may be trained.
        now: Tells the platform's time, UTC: which day is trained.
        machine_now: Tells the machine's, UTC: how long a launch has been waited for.
    """

    def __init__(
        self,
        settings: Settings,
        dagster: DagsterClient,
        standing: ModelStates,
        now: Callable[[], datetime],
        machine_now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._dagster = dagster
        self._standing = standing
        self._now = now
        self._launcher = Launcher(
            dagster, settings.home.absolute() / "api", settle_seconds=settings.api.settle_seconds, now=machine_now
        )

    def train(self, model: ModelId, call: Call) -> schema.Started:
        """Start a training: of the main brain up to yesterday, of the student models with all that has arrived.

        Raises:
            ServiceError: See `Launcher.start`.
        """
        now = self._now()
        day = now.date() - timedelta(days=1) if model == "main_brain" else now.date()
        tags = self._tags(call, day.isoformat(), model)
        launched = self._launcher.start(
            Launch(JOB_OF[model], tags, call.key), lambda: self._standing.wait(model, now=now, forced=call.forced)
        )
        return self._started(launched)

    def check_drift(self, call: Call) -> schema.Started:
        """Start a drift check of all models as of today.

        Raises:
            ServiceError: See `Launcher.start`.
        """
        tags = self._tags(call, self._now().date().isoformat(), None)
        return self._started(self._launcher.start(Launch(DRIFT_JOB, tags, call.key), self._check_under_way))

    def _check_under_way(self) -> Wait | None:
        running = unfinished(self._dagster, DRIFT_JOB)
        if not running:
            return None
        return Wait(f"Run {running[0].id} checks for drift already.", SECONDS_OF_A_CHECK)

    def _tags(self, call: Call, partition: str, model: ModelId | None) -> dict[str, str]:
        reason = "".join(sign for sign in " ".join(call.reason.split()) if sign.isprintable())
        sentence = ": ".join(
            part for part in ("Forced over HTTP" if call.forced else "Asked over HTTP", reason) if part
        )
        cause = Cause("override" if call.forced else "api", call.by, sentence, evidence=self._now().isoformat())
        priority = call.priority if isinstance(call.priority, int) else _OF_WORD[call.priority]
        tags = {**cause.tags(), PARTITION_TAG: partition, PRIORITY_TAG: str(priority)}
        return tags if model is None else {**tags, MODEL_TAG: model}

    def _started(self, launched: Launched) -> schema.Started:
        run = launched.run
        cause = Cause.of(run.tags)
        return schema.Started(
            run_id=run.id,
            job=run.job,
            model_id=model_trained(run.job, run.tags, run.assets),
            partition=run.tags.get(PARTITION_TAG, ""),
            status=run.status,
            repeated=launched.repeated,
            idempotency_key=launched.key,
            cause="" if cause is None else cause.sentence,
            url=run_url(self._settings, run.id),
        )
