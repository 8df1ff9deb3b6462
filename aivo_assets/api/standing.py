"""State of the models: which serves, which trains, whether one may be trained. Belongs here: looking up; no launch."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from aivo_assets.api import schema
from aivo_assets.api.dagster_client import DagsterClient, DagsterRun, DagsterUnreachableError
from aivo_assets.api.launches import unfinished
from aivo_assets.drift.schema import ASKS_FOR_TRAINING, DRIFT_VERDICTS
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.names import CANDIDATE, TRAINED_AT, ModelId, model_trained
from aivo_assets.operations.jobs.training_guard import SECONDS_OF_A_TRAINING, Wait, reason_to_wait
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.registry_reading import Version
from aivo_assets.tracing.judging.verdicts import VERDICTS

VERDICT_HOLDS_FOR: Final = timedelta(days=2)
"""A drift verdict older than this says nothing about now; the model is checked every six hours."""


class ModelStates:
    """Looks up how models stand.

    Args:
        settings: Of the platform.
        lake: Where verdicts are kept.
        registry: Where versions are kept.
        dagster: Where runs are looked up.
    """

    def __init__(self, settings: Settings, lake: Lake, registry: Registry, dagster: DagsterClient) -> None:
        self._settings = settings
        self._lake = lake
        self._registry = registry
        self._dagster = dagster

    def models_training(self) -> dict[ModelId, DagsterRun]:
        """The oldest unfinished run that trains each model."""
        runs: dict[ModelId, DagsterRun] = {}
        for run in unfinished(self._dagster):
            model = model_trained(run.job, run.tags, run.assets)
            if model is not None:
                runs.setdefault(model, run)
        return runs

    def last_training(self) -> datetime | None:
        """When the main brain was last trained, by the clock that its training was given."""
        trained_at = self._dagster.latest_metadata(CANDIDATE).get(TRAINED_AT)
        return None if trained_at is None else datetime.fromisoformat(trained_at).astimezone(UTC)

    def wait(self, model: ModelId, *, now: datetime, forced: bool) -> Wait | None:
        """Why a model may not be trained now. Forced or drifted, the hours between trainings do not count."""
        running = self.models_training()
        if model == "main_brain":
            return reason_to_wait(
                running=running[model].id if model in running else None,
                last=self.last_training(),
                now=now,
                minimum_hours=self._settings.training.minimum_hours_between,
                forced=forced or self.has_drifted(model, now.date()),
            )
        under_way = running.get(model) or running.get("main_brain")
        if under_way is None:
            return None
        return Wait(f"Run {under_way.id} makes the student models already.", SECONDS_OF_A_TRAINING)

    def has_drifted(self, model: ModelId, today: date) -> bool:
        """Whether the newest verdict asks for a training of the model that still serves."""
        rows = self._newest_verdicts(model)
        champion = self.champion()
        if rows.is_empty() or champion is None or today - rows["day"][0] > VERDICT_HOLDS_FOR:
            return False
        asks = pl.col("verdict").cast(pl.String).is_in(ASKS_FOR_TRAINING)
        return not rows.filter(asks, pl.col("model_version") == str(champion.number)).is_empty()

    def champion(self) -> Version | None:
        """The version that the last move made champion; whether its files are sound is not looked at."""
        moves = self._registry.moves()
        return self._registry.version(moves[-1].after) if moves else None

    def drift(self, model: ModelId) -> schema.Drift | None:
        """The newest drift verdict on a model: of the cohort that asks for its training where one does, else of all."""
        rows = self._newest_verdicts(model)
        whole = pl.col("model_id") == model
        asks = pl.col("verdict").cast(pl.String).is_in(ASKS_FOR_TRAINING)
        shown = rows.filter(whole | asks).sort(asks, whole, descending=True)
        if shown.is_empty():
            return None
        row = shown.row(0, named=True)
        about = "" if row["model_id"] == model else f"{row['model_id']}: "
        return schema.Drift(
            day=row["day"], verdict=row["verdict"], score=row["score"], reason=f"{about}{row['reason']}"
        )

    def describe(self, model: ModelId, *, now: datetime) -> schema.ModelStatus:
        """All of it, for one model."""
        champion, problem, wait, training, last = self.champion(), None, None, None, None
        try:
            running = self.models_training().get(model)
            training = running.id if running else None
            last = self.last_training() if model == "main_brain" else None
            wait = self.wait(model, now=now, forced=False)
        except DagsterUnreachableError as error:
            problem = error.what
        return schema.ModelStatus(
            model_id=model,
            version=None if champion is None else str(champion.number),
            as_of=None if champion is None else champion.as_of,
            training=training,
            last_training=last,
            may_train=wait is None and problem is None,
            wait=None if wait is None else wait.reason,
            drift=self.drift(model),
            last_verdict=self._last_verdict() if model == "main_brain" else None,
            problem=problem,
        )

    def _newest_verdicts(self, model: ModelId) -> pl.DataFrame:
        days = self._lake.newest_days(DRIFT_VERDICTS, 1)
        rows = self._lake.scan(DRIFT_VERDICTS, days=days).collect()
        return rows.filter(pl.col("model_id").str.split("/").list.first() == model)

    def _last_verdict(self) -> str | None:
        rows = self._lake.scan(VERDICTS, days=self._lake.newest_days(VERDICTS, 1)).select("reason").collect()
        return None if rows.is_empty() else str(rows["reason"][0])
