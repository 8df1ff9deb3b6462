"""One score a model. Belongs here: from measures to DRIFT_SCORES, and what the score means; no decision.

**The score is the share of what the model knew that has been lost since its promotion, with confidence.** What it knew
is its advantage over knowing nothing, measured on its reference: in nats, the log loss of the base rate minus its own;
in ranking, its AUC minus one half. What was lost is the increase of a measure over the reference. It counts by the
lower end of a one-sided confidence interval clustered by learner, so that a small or noisy window scores low and not
high; and by its best estimate once the loss is significant, with a budget of false alarms a year.

- `discrimination_loss`, `calibration_loss`, `refit_loss`: nats lost / nats known.
- `auc_shortfall`: AUC points lost / AUC points known.
- `missed_learners` (student models): share of learners' work judged wrongly beyond chance; a share already.

The model's score is the largest of them. All are shares of the same kind of thing, clipped to [0, 1]. 0.15 reads: 15 %
of the model's worth is gone, and a retraining may win it back. Labels arrive at once here, so only answers decide. Data
drift (Jensen-Shannon distances) explains and raises a watch at most: covariates that move without harm are no reason
to train.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl

from aivo_assets.drift.schema import DRIFT_SCORES, FEATURE_COLUMNS
from aivo_assets.drift.scores import measures
from aivo_assets.drift.scores.distance import column_drift
from aivo_assets.drift.scores.inference import Effect
from aivo_assets.drift.scores.learners import Blocks, last_of_learner, missed_learners, read_blocks
from aivo_assets.drift.scores.sample import Sample, read_sample
from aivo_assets.errors import ModelError
from aivo_assets.settings import DriftSettings
from aivo_assets.tracing.model.scores import area_under_curve

CHECK_DAYS_A_YEAR = 365
MEASURES_A_LOOK = 5
"""Deciding measures of a look at both models: four of the main brain, one of the student models."""

MAIN_BRAIN = "main_brain"
STUDENT_MODELS = "student_models"

GROWING = ("learner_opportunities",)
"""Columns that grow as the school year passes; they would raise a watch all spring, and mean nothing by it."""


Row = dict[str, Any]
"""A row of DRIFT_SCORES."""


@dataclass(frozen=True)
class _Measured:
    measure: str
    role: Literal["decides", "explains", "describes"]
    value: float
    reference_value: float | None = None
    effect: Effect | None = None
    score: float | None = None


@dataclass(frozen=True)
class Worth:
    """What a model knew at its promotion, over knowing nothing.

    Attributes:
        nats: Log loss of the base rate minus its own, on its reference.
        ranking: Its AUC there minus one half.
    """

    nats: float
    ranking: float

    @classmethod
    def of(cls, reference: Sample, settings: DriftSettings) -> "Worth":
        """Of a reference that is not empty; at least the floors of the settings."""
        auc = area_under_curve(reference.correct, reference.probability)
        return cls(
            nats=max(reference.base_rate_loss - reference.log_loss, settings.minimum_advantage),
            ranking=max(0.0 if auc is None else auc - 0.5, settings.minimum_auc_advantage),
        )


@dataclass(frozen=True)
class Comparison:
    """A model or a cohort of one, in a window, against its reference.

    Attributes:
        model_id: Which model or cohort.
        day: As-of day.
        first: First day of the window.
        now: Events of the window.
        then: Events of the reference.
        worth: Of the whole model: a cohort's loss is a share of the same, so that scores compare.
        confidence: One-sided, of the lower bound that is counted.
        explaining: The same of the distances that only explain.
        sure: A loss that chance shows more rarely than this is counted by its best estimate.
    """

    model_id: str
    day: date
    first: date
    now: Sample
    then: Sample
    worth: Worth
    confidence: float
    explaining: float
    sure: float


def share_lost(lower: float, advantage: float) -> float:
    """A loss, by its lower bound, as a share of what was known; clipped to [0, 1], monotone in `lower`."""
    return float(np.clip(lower / advantage, 0.0, 1.0)) if np.isfinite(lower) else 0.0


def whole_look(
    window: pl.DataFrame, reference: pl.DataFrame | Sample | None, model_id: str, day: date, settings: DriftSettings
) -> Comparison:
    """All events of the window against the whole reference.

    Raises:
        ModelError: The rows were not all scored by the champion of the reference.
    """
    first = day - timedelta(days=settings.window_days - 1)
    now, then = _samples(window, reference, first, day)
    return Comparison(
        model_id=model_id,
        day=day,
        first=first,
        now=now,
        then=then,
        worth=worth_of(then, settings),
        confidence=settings.confidence,
        explaining=settings.confidence,
        sure=chance_of_one(1, settings),
    )


def chance_of_one(looks: int, settings: DriftSettings, *, share: float = 1.0) -> float:
    """How rarely chance may show what one measure of one look calls sure, so that a year keeps its budget.

    Bonferroni: whatever depends on what, `false_alarms_a_year` is not exceeded where nothing changed.

    Args:
        looks: That divide the budget.
        settings: The budget.
        share: Of the budget that these looks have.
    """
    return share * settings.false_alarms_a_year / (CHECK_DAYS_A_YEAR * MEASURES_A_LOOK * max(looks, 1))


def worth_of(reference: Sample, settings: DriftSettings) -> Worth:
    """`Worth.of`, and the floors where there is no reference."""
    if not reference.events:
        return Worth(settings.minimum_advantage, settings.minimum_auc_advantage)
    return Worth.of(reference, settings)


def main_brain_rows(comparison: Comparison, *, explain: bool) -> list[Row]:
    """Rows of `DRIFT_SCORES` of the answers' measures; `explain` adds those that only explain or describe."""
    now, then = comparison.now, comparison.then
    rows: list[_Measured] = []
    if now.events and then.events:
        rows += _deciding_rows(comparison)
        rows += _explaining_rows(now, then, comparison.explaining) if explain else []
    return _rows(rows, comparison, _counts(now.events, now.learners, then.events, then.learners))


def student_rows(comparison: Comparison, settings: DriftSettings, *, explain: bool = True) -> list[Row]:
    """Rows of `DRIFT_SCORES` of the student models as a population; `explain` as in `main_brain_rows`."""
    blocks, before = (read_blocks(sample, settings.learner_block) for sample in (comparison.now, comparison.then))
    counts = _counts(blocks.events, blocks.learners, before.events, before.learners)
    rows: list[_Measured] = []
    if blocks.events and before.events:
        # By its lower bound only: of newcomers more are misjudged than of known learners, though the model is right.
        rows += [_deciding("missed_learners", missed_learners(blocks, before, comparison.confidence), 1.0, sure=0.0)]
        rows += _student_rows(comparison, blocks, before) if explain else []
    return _rows(rows, comparison, counts)


def _deciding_rows(comparison: Comparison) -> Iterator[_Measured]:
    now, then, confidence, nats = comparison.now, comparison.then, comparison.confidence, comparison.worth.nats
    yield _deciding("discrimination_loss", measures.discrimination_loss(now, then, confidence), nats, comparison.sure)
    for name, gain in (("calibration_loss", measures.recalibration_gain), ("refit_loss", measures.refit_gain)):
        effect = gain(now, then, confidence)
        yield _deciding(name, (effect.size, 0.0, effect), nats, comparison.sure)
    auc, reference_auc = (area_under_curve(sample.correct, sample.probability) for sample in (now, then))
    if auc is not None and reference_auc is not None:
        yield _deciding(
            "auc_shortfall", measures.auc_shortfall(now, then, confidence), comparison.worth.ranking, comparison.sure
        )
        yield _Measured("auc", "describes", auc, reference_auc)
    yield _Measured("log_loss", "describes", now.log_loss, then.log_loss)


def _explaining_rows(now: Sample, then: Sample, confidence: float) -> Iterator[_Measured]:
    yield _Measured("base_rate_loss", "describes", now.base_rate_loss, then.base_rate_loss)
    yield from _calibration_rows(now, then)
    yield _moved("prediction_distance", (now.frame["probability"], now), (then.frame["probability"], then), confidence)
    for column in (*FEATURE_COLUMNS, "seen_item", "subject"):
        pair = (now.frame[column], now), (then.frame[column], then)
        moved = _moved(f"feature_distance:{column}", *pair, confidence)
        yield replace(moved, role="describes", score=None) if column in GROWING else moved


def _calibration_rows(now: Sample, then: Sample) -> Iterator[_Measured]:
    (error, floor), (error_then, floor_then) = (measures.calibration_error(sample) for sample in (now, then))
    (level, slope), (level_then, slope_then) = (measures.calibration_line(sample) for sample in (now, then))
    yield _Measured("calibration_error", "describes", error, error_then)
    yield _Measured("calibration_error_above_noise", "describes", error - floor, error_then - floor_then)
    yield _Measured("calibration_in_the_large", "describes", level, level_then)
    yield _Measured("calibration_slope", "describes", slope, slope_then)


def _student_rows(comparison: Comparison, blocks: Blocks, before: Blocks) -> Iterator[_Measured]:
    for name in ("over", "under"):
        shares = [
            float(np.mean(getattr(part, f"{name}estimated") - getattr(part, f"chance_{name}")))
            for part in (blocks, before)
        ]
        yield _Measured(f"{name}estimated_learners", "describes", shares[0], shares[1])
    abilities = [last_of_learner(sample, "ability") for sample in (comparison.now, comparison.then)]
    distance, effect = column_drift(
        (abilities[0], np.arange(abilities[0].len())),
        (abilities[1], np.arange(abilities[1].len())),
        comparison.explaining,
    )
    yield _Measured("ability_distance", "explains", distance, 0.0, effect, effect.lower)
    means = [value if isinstance(value := series.mean(), float) else float("nan") for series in abilities]
    yield _Measured("mean_ability", "describes", means[0], means[1])


def _deciding(measure: str, measured: tuple[float, float, Effect], advantage: float, sure: float) -> _Measured:
    value, reference_value, effect = measured
    counted = max(effect.lower, effect.size) if effect.chance <= sure else effect.lower
    return _Measured(measure, "decides", value, reference_value, effect, share_lost(counted, advantage))


def _moved(
    measure: str, window: tuple[pl.Series, Sample], reference: tuple[pl.Series, Sample], confidence: float
) -> _Measured:
    distance, effect = column_drift((window[0], window[1].learner), (reference[0], reference[1].learner), confidence)
    return _Measured(measure, "explains", distance, 0.0, effect, effect.lower)


def _samples(
    window: pl.DataFrame, reference: pl.DataFrame | Sample | None, first: date, day: date
) -> tuple[Sample, Sample]:
    now = read_sample(window.filter(pl.col("day").is_between(pl.lit(first), pl.lit(day))))
    then = (
        reference if isinstance(reference, Sample) else read_sample(window.clear() if reference is None else reference)
    )
    versions = {
        name: sorted(set(sample.frame["model_version"].to_list()))
        for name, sample in (("window", now), ("reference", then))
    }
    if len(set(versions["window"]) | set(versions["reference"])) > 1:
        raise ModelError(
            f"Drift as of {day} would compare answers of different models: window {versions['window']}, "
            f"reference {versions['reference']}",
            fix="Score every day of the window with the champion that the reference belongs to.",
        )
    return now, then


def _counts(events: int, learners: int, reference_events: int, reference_learners: int) -> dict[str, int]:
    return {
        "events": events,
        "learners": learners,
        "reference_events": reference_events,
        "reference_learners": reference_learners,
    }


def as_frame(rows: list[Row]) -> pl.DataFrame:
    """Rows as DRIFT_SCORES."""
    return pl.DataFrame(rows, schema=dict(DRIFT_SCORES.schema), orient="row")


def _rows(measured: list[_Measured], comparison: Comparison, counts: dict[str, int]) -> list[Row]:
    # A model that could not be measured still has a row, so that the verdict can say why.
    measured = measured or [
        _Measured("events", "describes", float(counts["events"]), float(counts["reference_events"]))
    ]
    versions = [sample.frame["model_version"][0] for sample in (comparison.then, comparison.now) if sample.events]
    identity = {
        "day": comparison.day,
        "model_id": comparison.model_id,
        "model_version": versions[0] if versions else None,
        "window_first": comparison.first,
        "window_last": comparison.day,
    }
    return [
        {
            **identity,
            **counts,
            "measure": row.measure,
            "role": row.role,
            "value": row.value,
            "reference_value": row.reference_value,
            "effect": row.effect.size if row.effect else None,
            "standard_error": row.effect.standard_error if row.effect else None,
            "lower": row.effect.lower if row.effect else None,
            "score": row.score,
        }
        for row in measured
    ]
