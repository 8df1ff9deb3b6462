"""What a run decided, read from the lake and the registry. Belongs here: reading; nothing is decided or run."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.drift.schema import ASKS_FOR_TRAINING, DRIFT_VERDICTS, SCORED_EVENTS
from aivo_assets.drift.scores.cohorts import SEPARATOR
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.lake import Dataset, Lake
from aivo_assets.replay.record import Drifted, Moved, Recommended, Scored, Training, TrainingNeed
from aivo_assets.tracing.judging.promotion import Verdict
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import VERDICTS
from aivo_assets.tracing.model.scores import area_under_curve, losses


@dataclass
class Outcomes:
    """Decisions so far, in the order in which they were made.

    Args:
        lake: Where they are read.
        registry: Where champions are looked up.
    """

    lake: Lake
    registry: Registry
    trainings: list[Training] = field(default_factory=list)
    moves: list[Moved] = field(default_factory=list)
    drift: list[Drifted] = field(default_factory=list)
    needs: list[TrainingNeed] = field(default_factory=list)
    recommendations: list[Recommended] = field(default_factory=list)
    scores: dict[date, Scored] = field(default_factory=dict)
    _as_of: dict[int, date] = field(default_factory=dict)

    def note(self, made: Collection[str], *, day: date, at: datetime, cause: str) -> None:
        """Read what a run made as of a day.

        Args:
            made: Names of the assets that it materialised.
            day: As of which day.
            at: Instant of the run by the replay's clock.
            cause: Why it was asked for.
        """
        if "main_brain_promotion" in made:
            self._note_training(day, at, cause)
        if "main_brain_promotion" in made or "champion_shadow" in made:
            for move in self.registry.moves()[len(self.moves) :]:
                self.moves.append(
                    Moved(at=move.at, kind=move.kind, before=move.before, after=move.after, reason=move.reason)
                )
        if "drift_verdict" in made:
            self._note_drift(day, at)
        if "training_need" in made:
            for row in _rows(self.lake, TRAINING_NEED, day):
                self.needs.append(TrainingNeed(at=at, day=day, needed=row["needed"], reason=row["reason"]))
        if "recommendations" in made:
            self._note_recommendations(day, at)
        if "scored_events" in made:
            for scored in (day - timedelta(days=1), day):
                self._note_scores(scored)

    def _note_training(self, day: date, at: datetime, cause: str) -> None:
        for row in _rows(self.lake, VERDICTS, day):
            verdict = Verdict.model_validate_json(row["verdict"])
            mine, other = verdict.challenger_scores, verdict.reference_scores
            self.trainings.append(
                Training(
                    at=at,
                    day=day,
                    cause=cause,
                    version=row["challenger_version"],
                    promoted=row["promote"],
                    reason=row["reason"],
                    events=verdict.events,
                    log_loss=None if mine is None else mine.log_loss,
                    reference_log_loss=None if other is None else other.log_loss,
                )
            )

    def _note_drift(self, day: date, at: datetime) -> None:
        """Keep the verdicts on whole models, and of the cohorts those that asked for a training."""
        for row in _rows(self.lake, DRIFT_VERDICTS, day):
            if SEPARATOR in row["model_id"] and row["verdict"] not in ASKS_FOR_TRAINING:
                continue
            self.drift.append(
                Drifted(
                    at=at,
                    day=day,
                    model=row["model_id"],
                    version=row["model_version"],
                    verdict=row["verdict"],
                    score=row["score"],
                    reason=row["reason"],
                )
            )

    def _note_recommendations(self, day: date, at: datetime) -> None:
        made = self.lake.scan(RECOMMENDATIONS, days=[day]).select("rank", "kind", "changed").collect()
        first = made.filter(pl.col("rank") == 1).select(pl.col("kind").cast(pl.String))
        kinds = dict(first.group_by("kind").len().sort("kind").iter_rows())
        self.recommendations.append(Recommended(at=at, day=day, kinds=kinds, changed=int(made["changed"].sum())))

    def _note_scores(self, day: date) -> None:
        """Keep the score of a day by the last champion that had seen nothing of it."""
        columns = ["correct", "probability", "model_version"]
        scored = self.lake.scan(SCORED_EVENTS, days=[day]).select(columns).collect()
        if scored.is_empty():
            return
        version = int(scored["model_version"][-1])
        if version not in self._as_of:
            self._as_of[version] = self.registry.version(version).as_of
        if self._as_of[version] >= day:
            return
        correct, probability = scored["correct"].cast(pl.Float64).to_numpy(), scored["probability"].to_numpy()
        self.scores[day] = Scored(
            day=day,
            version=version,
            events=correct.size,
            log_loss=float(losses(correct, probability).mean()),
            auc=area_under_curve(correct, probability),
            constant_log_loss=float(losses(correct, np.full(correct.size, correct.mean())).mean()),
        )


def _rows(lake: Lake, dataset: Dataset, day: date) -> list[dict[str, Any]]:
    return lake.scan(dataset, days=[day]).collect().to_dicts()
