"""One check of all models. Belongs here: which windows and which cohorts are scored; measures and verdicts are not.

A loss that began today is a seventh of a window of seven days, so shorter windows that end on the same day are scored
beside it. They and the cohorts are many looks a year: a loss in one of them counts only where it is beyond chance, and
all looks together have one budget of false alarms (`chance_of_one`).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from aivo_assets.drift.cohorts import SEPARATOR, Cohort, cohorts_of, is_enough, labels_of
from aivo_assets.drift.sample import Sample
from aivo_assets.drift.schema import DRIFT_SCORES
from aivo_assets.drift.scores import (
    MAIN_BRAIN,
    STUDENT_MODELS,
    Look,
    chance_of_one,
    main_brain_rows,
    student_rows,
    whole_look,
)
from aivo_assets.settings import DriftSettings

EPOCH = date(1970, 1, 1)


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
    looks = list(_further_looks(whole, attributes, settings))
    sure = chance_of_one(1 + len(looks), settings)
    whole = replace(whole, sure=sure)
    scored = [
        main_brain_rows(whole, explain=explain),
        student_rows(replace(whole, model_id=STUDENT_MODELS), settings, explain=explain),
    ]
    for look in looks:
        strict = replace(look, confidence=1.0 - sure, sure=sure)
        scored.append(main_brain_rows(strict, explain=False))
        students = replace(strict, model_id=look.model_id.replace(MAIN_BRAIN, STUDENT_MODELS, 1))
        found = student_rows(students, settings, explain=False)
        # Too few complete blocks to compare is worth a row of the whole models only.
        scored.append(found.filter(found["role"].cast(pl.String) == "decides"))
    return pl.concat([DRIFT_SCORES.empty(), *scored])


def _further_looks(whole: Look, attributes: pl.DataFrame | None, settings: DriftSettings) -> Iterator[Look]:
    if not whole.then.events or not whole.now.events:
        return
    now, then = (labels_of(sample, attributes, settings) for sample in (whole.now, whole.then))
    days = whole.now.frame["day"].to_physical().to_numpy()
    known: dict[str, Sample] = {}
    for length in (settings.window_days, *sorted(set(settings.quick_days), reverse=True)):
        first = whole.day - timedelta(days=length - 1)
        recent = days >= (first - EPOCH).days
        if length > settings.window_days or not is_enough(whole.now, recent, settings):
            continue
        look = replace(whole, first=first, now=whole.now.take(recent))
        if length < settings.window_days:
            yield look
        labels = {kind: of_all[recent] for kind, of_all in now.items()}
        for cohort in cohorts_of(look.now, labels, then, settings):
            if cohort.name not in known:
                known[cohort.name] = _promised(whole.then, cohort, settings)
            model_id = f"{MAIN_BRAIN}{SEPARATOR}{cohort.name}"
            yield replace(look, model_id=model_id, now=look.now.take(cohort.now), then=known[cohort.name])


def _promised(reference: Sample, cohort: Cohort, settings: DriftSettings) -> Sample:
    """What was promised of a cohort; one that the reference hardly knows, a new subject say, is held to the whole."""
    return reference.take(cohort.then) if is_enough(reference, cohort.then, settings) else reference
