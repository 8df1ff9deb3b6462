"""One check of all models. Belongs here: which windows and which cohorts are scored; measures and verdicts are not.

A loss that began today is a seventh of a window of seven days, so shorter windows that end on the same day are scored
beside it. They and the cohorts are many looks a year: a loss in one of them counts only where it is beyond chance, and
all looks together have one budget of false alarms (`chance_of_one`).
"""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from aivo_assets.drift.scores.cohorts import SEPARATOR, Cohort, cohorts_of, is_enough, labels_of
from aivo_assets.drift.scores.measures import carry_conditions
from aivo_assets.drift.scores.sample import Sample
from aivo_assets.drift.scores.scores import (
    MAIN_BRAIN,
    STUDENT_MODELS,
    Comparison,
    Row,
    as_frame,
    chance_of_one,
    main_brain_rows,
    student_rows,
    whole_look,
)
from aivo_assets.settings import DriftSettings

EPOCH = date(1970, 1, 1)
WHOLE_SHARE = 0.5
"""Of the budget of false alarms, for the whole models in all windows; the rest is for the cohorts."""


def check_models(
    window: pl.DataFrame,
    reference: pl.DataFrame | Sample | None,
    attributes: pl.DataFrame | None,
    *,
    day: date,
    settings: DriftSettings,
    explain: bool = True,
) -> pl.DataFrame:
    """Score the main brain, the student models, and every cohort large enough, in every window.

    Args:
        window: Rows of `SCORED_EVENTS`; days after `day` or before the longest window are left out.
        reference: Rows of `DRIFT_REFERENCE`, or None where there is none; who checks often reads them once.
        attributes: ANONYMISED_LEARNERS, or None where nothing is published.
        day: As-of day.
        settings: Windows, confidence, minimum samples and floors.
        explain: False leaves out what only explains; a benchmark that resamples wants the rest.

    Returns:
        Rows of `DRIFT_SCORES`; the whole models have rows also where they could not be measured.

    Raises:
        ModelError: The rows were not all scored by the champion of the reference.
    """
    whole = whole_look(window, reference, MAIN_BRAIN, day, settings)
    shorter, cohorts = _further_looks(whole, attributes, settings)
    # Many cohorts must not deafen the check of the whole: each side has half of the budget, or all where it is alone.
    share = WHOLE_SHARE if cohorts else 1.0
    for_whole = chance_of_one(1 + len(shorter), settings, share=share)
    for_cohort = chance_of_one(len(cohorts), settings, share=1.0 - WHOLE_SHARE)
    rows = _rows(whole, for_whole, settings, explain=explain)
    for comparison in shorter:
        rows += _rows(comparison, for_whole, settings)
    for comparison in cohorts:
        rows += _rows(comparison, for_cohort, settings)
    return as_frame(rows)


def _rows(comparison: Comparison, sure: float, settings: DriftSettings, *, explain: bool | None = None) -> list[Row]:
    """Rows of both models; `explain` is of the whole look, which has rows of both also where there is too little."""
    strict = replace(comparison, confidence=1.0 - sure, sure=sure)
    students = replace(strict, model_id=comparison.model_id.replace(MAIN_BRAIN, STUDENT_MODELS, 1))
    measured = student_rows(students, settings, explain=bool(explain))
    if explain is None:
        # Too few complete blocks to compare is worth a row of the whole models only.
        measured = [row for row in measured if row["role"] == "decides"]
    return main_brain_rows(strict, explain=bool(explain)) + measured


def _further_looks(
    whole: Comparison, attributes: pl.DataFrame | None, settings: DriftSettings
) -> tuple[list[Comparison], list[Comparison]]:
    """The shorter windows, and the cohorts in every window."""
    shorter: list[Comparison] = []
    cohorts: list[Comparison] = []
    if not whole.then.events or not whole.now.events:
        return shorter, cohorts
    carry_conditions(whole.now, whole.then)
    now, then = (labels_of(sample, attributes, settings) for sample in (whole.now, whole.then))
    days = whole.now.frame["day"].to_physical().to_numpy()
    for length in (settings.window_days, *sorted(set(settings.quick_days), reverse=True)):
        first = whole.day - timedelta(days=length - 1)
        recent = days >= (first - EPOCH).days
        if length > settings.window_days or not is_enough(whole.now, recent, settings):
            continue
        comparison = replace(whole, first=first, now=whole.now.take(recent))
        if length < settings.window_days:
            shorter.append(comparison)
        labels = {kind: of_all[recent] for kind, of_all in now.items()}
        for cohort in cohorts_of(comparison.now, labels, then, settings):
            model_id = f"{MAIN_BRAIN}{SEPARATOR}{cohort.name}"
            promised = _promised(whole.then, cohort, settings)
            cohorts.append(replace(comparison, model_id=model_id, now=comparison.now.take(cohort.now), then=promised))
    return shorter, cohorts


def _promised(reference: Sample, cohort: Cohort, settings: DriftSettings) -> Sample:
    """What was promised of a cohort; one that the reference hardly knows, a new subject say, is held to the whole."""
    if not is_enough(reference, cohort.then, settings):
        return reference
    # Met in every window of a check, and in every check of who keeps the reference: taken once.
    name = f"cohort {cohort.name}"
    rows, promised = reference.memory.get(name, (None, None))
    if rows is None or not np.array_equal(rows, cohort.then):
        promised = reference.take(cohort.then)
        reference.memory[name] = cohort.then, promised
    part: Sample = promised
    part.carried.update({column: values[cohort.then] for column, values in reference.carried.items()})
    return part
