"""How good a model is on later events, beside simple baselines. Belongs here: hold-outs and evaluations; no decision.

A `Holdout` is the rows and what every model is compared with on them; `evaluate` scores one model there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.errors import ModelError
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.statistics import Statistics
from aivo_assets.tracing.judging.slices import Slice, find_slices
from aivo_assets.tracing.model.calibration import Calibration
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.model.scores import ReliabilityBin, Scores, area_under_curve, clipped, losses, reliability
from aivo_assets.tracing.model.splits import Split

CONSTANT = "constant"
ITEM_DIFFICULTY = "item_difficulty"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SliceScores(_Record):
    """Scores of one group of events (see `slices`)."""

    kind: str
    value: str
    learners: int
    scores: Scores


class DayScores(_Record):
    """One day of the hold-out, for a curve over time; AUC is None without both outcomes."""

    day: date
    events: int
    log_loss: float
    auc: float | None


class Evaluation(_Record):
    """Everything measured of one model on one hold-out.

    Attributes:
        model: Fingerprint of the model.
        since: Time of the earliest event, UTC.
        until: Time of the latest event, UTC.
        learners: Distinct learners.
        scores: Of the model.
        baselines: Of the same events, by `constant` (share of right answers in the fit rows) and `item_difficulty`
            (what the item's difficulty alone says, calibrated on the same rows as the model).
        slices: Of the groups that are large enough.
        reliability: 15 bins of equal mass.
        days: By UTC day.
    """

    model: str
    since: datetime
    until: datetime
    learners: int
    scores: Scores
    baselines: dict[str, Scores]
    slices: tuple[SliceScores, ...]
    reliability: tuple[ReliabilityBin, ...]
    days: tuple[DayScores, ...]

    def metrics(self) -> dict[str, float]:
        """The headline numbers, flat, for a registry or asset metadata."""
        named = {"": self.scores} | {f"{name}_": scores for name, scores in self.baselines.items()}
        return {
            f"{prefix}{metric}": value
            for prefix, scores in named.items()
            for metric in ("auc", "log_loss", "brier", "ece")
            if (value := getattr(scores, metric)) is not None
        } | {"evaluation_events": float(self.scores.events), "evaluation_learners": float(self.learners)}


@dataclass(frozen=True)
class Holdout:
    """Events that no contender has seen, and what costs nothing to say about them. Row i of each belongs together.

    Attributes:
        keys: `FeatureTable.keys` of the n evaluation rows.
        correct: float64 [n].
        learners: Int codes [n] from 0.
        baselines: float64 [n] each, probabilities of `constant` and `item_difficulty`.
        slices: The groups that are large enough.
    """

    keys: pl.DataFrame
    correct: Floats
    learners: NDArray[np.int64]
    baselines: dict[str, Floats]
    slices: tuple[Slice, ...]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Times of the earliest and of the latest event, UTC; there must be one."""
        first, last = self.keys["occurred_at"].min(), self.keys["occurred_at"].max()
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        return first, last

    def at_or_after(self, earliest: datetime) -> NDArray[np.bool_]:
        """Which events, bool [n], are not earlier than a time."""
        return (self.keys["occurred_at"] >= earliest).to_numpy()

    def only(self, rows: NDArray[np.bool_]) -> "Holdout":
        """Some of the events; slices keep their definition and may become smaller."""
        return Holdout(
            keys=self.keys.filter(rows),
            correct=self.correct[rows],
            learners=self.learners[rows],
            baselines={name: values[rows] for name, values in self.baselines.items()},
            slices=tuple(
                Slice(part.kind, part.value, part.rows[rows], np.unique(self.learners[part.rows & rows]).size)
                for part in self.slices
            ),
        )


def hold_out(
    keys: pl.DataFrame,
    split: Split,
    statistics: Statistics,
    settings: PromotionSettings,
    *,
    attributes: pl.DataFrame | None = None,
) -> Holdout:
    """The evaluation rows of a split, their baselines and their slices.

    Args:
        keys: `FeatureTable.keys` of all rows that the split was made of.
        split: Cut by time.
        statistics: Item difficulties, fitted on nothing later than the `calibrate` rows.
        settings: Sizes of slices.
        attributes: Learner attributes to slice by (see `find_slices`).

    Raises:
        ModelError: `attributes` has a learner twice.
    """
    evaluated = keys[split.evaluate]
    return Holdout(
        keys=evaluated,
        correct=_correct(evaluated),
        learners=(evaluated["learner"].rank("dense").cast(pl.Int64) - 1).to_numpy(),
        baselines={
            CONSTANT: np.full(evaluated.height, float(_correct(keys[split.fit]).mean())),
            ITEM_DIFFICULTY: _from_difficulty(keys, split, statistics),
        },
        slices=find_slices(keys, split, settings, attributes=attributes),
    )


def _correct(keys: pl.DataFrame) -> Floats:
    return keys["correct"].cast(pl.Float64).to_numpy()


def _from_difficulty(keys: pl.DataFrame, split: Split, statistics: Statistics) -> Floats:
    """P(correct) of the evaluation rows from the item's difficulty alone, calibrated where the model is calibrated.

    An item without statistics has the difficulty of a typical answer.
    """
    known = statistics.items.select("item_id", "difficulty")

    def ease(rows: NDArray[np.intp]) -> Floats:
        difficulties = keys["item_id"][rows].to_frame().join(known, on="item_id", how="left", maintain_order="left")
        return -difficulties["difficulty"].fill_null(statistics.difficulty).to_numpy()

    calibration = Calibration.fit("platt", ease(split.calibrate), _correct(keys[split.calibrate]))
    return clipped(calibration.apply(ease(split.evaluate)))


def evaluate(
    brain: MainBrain,
    table: FeatureTable,
    split: Split,
    settings: PromotionSettings,
    *,
    attributes: pl.DataFrame | None = None,
) -> Evaluation:
    """Score a model on the evaluation rows of the split that it was fitted with.

    Args:
        brain: The model.
        table: Features of all rows of the split.
        split: Cut by time.
        settings: Sizes of slices.
        attributes: Learner attributes to slice by (see `find_slices`).

    Raises:
        ModelError: The table has another feature schema, or the model has seen evaluation rows.
    """
    if brain.summary.unseen_from > split.evaluate_from:
        raise ModelError(
            f"The model has seen events up to {brain.summary.unseen_from}, the evaluation begins "
            f"at {split.evaluate_from}",
            fix="Evaluate on later events, or fit the model with this split.",
        )
    holdout = hold_out(table.keys, split, brain.statistics, settings, attributes=attributes)
    return score(holdout, brain.predict(table.take(split.evaluate)), model=brain.fingerprint)


def score(holdout: Holdout, probability: Floats, *, model: str) -> Evaluation:
    """Score any probabilities, float64 [n], on a hold-out of n events.

    Raises:
        ModelError: The hold-out is empty, or the probabilities are not n finite numbers.
    """
    refuse_unusable(holdout, probability, model)
    correct = holdout.correct
    since, until = holdout.span
    return Evaluation(
        model=model,
        since=since,
        until=until,
        learners=int(np.unique(holdout.learners).size),
        scores=Scores.of(correct, probability),
        baselines={name: Scores.of(correct, predicted) for name, predicted in holdout.baselines.items()},
        slices=tuple(_slice_scores(holdout.slices, correct, probability)),
        reliability=reliability(correct, probability),
        days=tuple(_by_day(holdout.keys["day"], correct, probability)),
    )


def refuse_unusable(holdout: Holdout, probability: Floats, model: str) -> None:
    """Refuse probabilities that are not one finite number in [0, 1] for each event of the hold-out."""
    if not holdout.correct.size:
        raise ModelError("The hold-out has no event", fix="Load later events, or raise the evaluation share.")
    usable = probability.shape == holdout.correct.shape and bool(((probability >= 0) & (probability <= 1)).all())
    if not usable:
        raise ModelError(
            f"The probabilities of model {model}, shape {probability.shape}, are not {holdout.correct.size} numbers "
            "between 0 and 1",
            fix="Predict the hold-out's rows, in their order, with this model.",
        )


def _slice_scores(slices: Iterable[Slice], correct: Floats, probability: Floats) -> Iterable[SliceScores]:
    for part in slices:
        if part.rows.any():
            scores = Scores.of(correct[part.rows], probability[part.rows])
            yield SliceScores(kind=part.kind, value=part.value, learners=part.learners, scores=scores)


def _by_day(days: pl.Series, correct: Floats, probability: Floats) -> Iterable[DayScores]:
    for day in days.unique().sort().to_list():
        rows = (days == day).to_numpy()
        yield DayScores(
            day=day,
            events=int(rows.sum()),
            log_loss=float(losses(correct[rows], probability[rows]).mean()),
            auc=area_under_curve(correct[rows], probability[rows]),
        )
