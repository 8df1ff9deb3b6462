"""One score a model. Belongs here: from measures to DRIFT_SCORES, and what the score means; no decision.

**The score is the share of what the model knew that has surely been lost since its promotion.** What it knew is its
advantage over knowing nothing, measured on its reference: in nats, the log loss of the base rate minus its own; in
ranking, its AUC minus one half. What was lost is the increase of a measure over the reference, as the lower bound of
a one-sided confidence interval clustered by learner, so that a small or noisy window scores low instead of loud:

- `discrimination_loss`, `calibration_loss`, `refit_loss`: nats lost / nats known.
- `auc_shortfall`: AUC points lost / AUC points known.
- `missed_learners` (student models): share of learners' work judged wrongly beyond chance; a share already.

The model's score is the largest of them. All are shares of the same kind of thing, and each is linear in its lower
bound and clipped to [0, 1], so a worse window never scores less. 0.15 reads: at least 15 % of the model's worth is
gone, and a retraining may win it back. Labels arrive at once here, so only answers decide. Data drift (Jensen-Shannon
distances) explains and raises a watch at most: covariates that move without harm are no reason to train.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from aivo_assets.drift import measures
from aivo_assets.drift.distance import column_drift
from aivo_assets.drift.inference import Effect
from aivo_assets.drift.learners import Blocks, last_of_learner, missed_learners, read_blocks
from aivo_assets.drift.sample import Sample, read_sample
from aivo_assets.drift.schema import DRIFT_SCORES, FEATURE_COLUMNS
from aivo_assets.errors import ModelError
from aivo_assets.settings import DriftSettings

MAIN_BRAIN = "main_brain"
STUDENT_MODELS = "student_models"

GROWING = ("learner_opportunities",)
"""Columns that grow as the school year passes; they would raise a watch all spring, and mean nothing by it."""


@dataclass(frozen=True)
class _Measured:
    measure: str
    role: Literal["decides", "explains", "describes"]
    value: float
    reference_value: float | None = None
    effect: Effect | None = None
    score: float | None = None


def share_lost(lower: float, advantage: float) -> float:
    """A loss, by its lower bound, as a share of what was known; clipped to [0, 1], monotone in `lower`."""
    return float(np.clip(lower / advantage, 0.0, 1.0)) if np.isfinite(lower) else 0.0


def score_main_brain(
    window: pl.DataFrame,
    reference: pl.DataFrame | None,
    *,
    day: date,
    settings: DriftSettings,
    model_id: str = MAIN_BRAIN,
    explain: bool = True,
) -> pl.DataFrame:
    """Compare the champion's answers in the window with those of its reference.

    Args:
        window: Rows of `SCORED_EVENTS`; days after `day` or before the window are left out.
        reference: Rows of `DRIFT_REFERENCE`, or None where there is none.
        day: As-of day.
        settings: Window, confidence and floors.
        model_id: Written into the rows; a cohort passes its own name and rows.
        explain: False leaves out what only explains; a benchmark that resamples wants the rest.

    Returns:
        Rows of `DRIFT_SCORES`; a window or reference that is empty gives one row that says so.

    Raises:
        ModelError: The rows were not all scored by the champion of the reference.
    """
    now, then = _samples(window, reference, day, settings)
    counts = _counts(now.events, now.learners, then.events, then.learners)
    rows: list[_Measured] = []
    if now.events and then.events:
        rows += _deciding_rows(now, then, settings)
        rows += _explaining_rows(now, then, settings.confidence) if explain else []
    return _frame(rows, counts, _identity(window, reference, model_id, day, settings))


def score_student_models(
    window: pl.DataFrame,
    reference: pl.DataFrame | None,
    *,
    day: date,
    settings: DriftSettings,
    model_id: str = STUDENT_MODELS,
) -> pl.DataFrame:
    """Ask for how many learners their student model was wrong; arguments, result and errors as `score_main_brain`.

    The events and learners of the rows are those of complete blocks.
    """
    now, then = _samples(window, reference, day, settings)
    blocks, before = read_blocks(now, settings.learner_block), read_blocks(then, settings.learner_block)
    counts = _counts(blocks.events, blocks.learners, before.events, before.learners)
    rows = list(_student_rows(now, then, blocks, before, settings)) if blocks.events and before.events else []
    return _frame(rows, counts, _identity(window, reference, model_id, day, settings))


def _deciding_rows(now: Sample, then: Sample, settings: DriftSettings) -> Iterator[_Measured]:
    nats = max(then.base_rate_loss - then.log_loss, settings.minimum_advantage)
    yield _deciding("discrimination_loss", measures.discrimination_loss(now, then, settings.confidence), nats)
    for name, gain in (("calibration_loss", measures.recalibration_gain), ("refit_loss", measures.refit_gain)):
        effect = gain(now, then, settings.confidence)
        yield _deciding(name, (effect.size, 0.0, effect), nats)
    reference_auc = measures.auc(then.correct, then.probability)
    if np.isfinite(reference_auc) and 0 < now.correct.sum() < now.events:
        ranking = max(reference_auc - 0.5, settings.minimum_auc_advantage)
        yield _deciding("auc_shortfall", measures.auc_shortfall(now, then, settings.confidence), ranking)
        yield _Measured("auc", "describes", measures.auc(now.correct, now.probability), reference_auc)
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


def _student_rows(
    now: Sample, then: Sample, blocks: Blocks, before: Blocks, settings: DriftSettings
) -> Iterator[_Measured]:
    yield _deciding("missed_learners", missed_learners(blocks, before, settings.confidence), 1.0)
    for name in ("over", "under"):
        shares = [
            float(np.mean(getattr(part, f"{name}estimated") - getattr(part, f"chance_{name}")))
            for part in (blocks, before)
        ]
        yield _Measured(f"{name}estimated_learners", "describes", shares[0], shares[1])
    abilities = [last_of_learner(sample, "ability") for sample in (now, then)]
    distance, effect = column_drift(
        (abilities[0], np.arange(abilities[0].len())),
        (abilities[1], np.arange(abilities[1].len())),
        settings.confidence,
    )
    yield _Measured("ability_distance", "explains", distance, 0.0, effect, effect.lower)
    means = [value if isinstance(value := series.mean(), float) else float("nan") for series in abilities]
    yield _Measured("mean_ability", "describes", means[0], means[1])


def _deciding(measure: str, measured: tuple[float, float, Effect], advantage: float) -> _Measured:
    value, reference_value, effect = measured
    return _Measured(measure, "decides", value, reference_value, effect, share_lost(effect.lower, advantage))


def _moved(
    measure: str, window: tuple[pl.Series, Sample], reference: tuple[pl.Series, Sample], confidence: float
) -> _Measured:
    distance, effect = column_drift((window[0], window[1].learner), (reference[0], reference[1].learner), confidence)
    return _Measured(measure, "explains", distance, 0.0, effect, effect.lower)


def _samples(
    window: pl.DataFrame, reference: pl.DataFrame | None, day: date, settings: DriftSettings
) -> tuple[Sample, Sample]:
    first = _first(day, settings)
    inside = window.filter(pl.col("day").is_between(pl.lit(first), pl.lit(day)))
    before = reference if reference is not None else window.clear()
    versions = {
        name: sorted(part["model_version"].unique().to_list())
        for name, part in (("window", inside), ("reference", before))
    }
    if len(set(versions["window"]) | set(versions["reference"])) > 1:
        raise ModelError(
            f"Drift as of {day} would compare answers of different models: window {versions['window']}, "
            f"reference {versions['reference']}",
            fix="Score every day of the window with the champion that the reference belongs to.",
        )
    return read_sample(inside), read_sample(before)


def _first(day: date, settings: DriftSettings) -> date:
    return date.fromordinal(day.toordinal() - settings.window_days + 1)


def _counts(events: int, learners: int, reference_events: int, reference_learners: int) -> dict[str, int]:
    return {
        "events": events,
        "learners": learners,
        "reference_events": reference_events,
        "reference_learners": reference_learners,
    }


def _identity(
    window: pl.DataFrame, reference: pl.DataFrame | None, model_id: str, day: date, settings: DriftSettings
) -> dict[str, date | str | None]:
    versions = [frame["model_version"] for frame in (reference, window) if frame is not None and frame.height]
    return {
        "day": day,
        "model_id": model_id,
        "model_version": versions[0][0] if versions else None,
        "window_first": _first(day, settings),
        "window_last": day,
    }


def _frame(rows: list[_Measured], counts: dict[str, int], identity: dict[str, date | str | None]) -> pl.DataFrame:
    # A model that could not be measured still has a row, so that the verdict can say why.
    rows = rows or [_Measured("events", "describes", float(counts["events"]), float(counts["reference_events"]))]
    return pl.DataFrame(
        [
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
            for row in rows
        ],
        schema=dict(DRIFT_SCORES.schema),
        orient="row",
    )
