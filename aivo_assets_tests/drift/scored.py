"""Scores of a window in one call, for tests of what is made of them."""

from datetime import date

import polars as pl

from aivo_assets.drift.scores.scores import (
    MAIN_BRAIN,
    STUDENT_MODELS,
    as_frame,
    main_brain_rows,
    student_rows,
    whole_look,
)
from aivo_assets.settings import DriftSettings


def score_main_brain(
    window: pl.DataFrame,
    reference: pl.DataFrame | None,
    *,
    day: date,
    settings: DriftSettings,
    explain: bool = True,
) -> pl.DataFrame:
    """Compare the champion's answers in the window with those of its reference.

    Args:
        window: Rows of `SCORED_EVENTS`; days after `day` or before the window are left out.
        reference: Rows of `DRIFT_REFERENCE`, or None where there is none.
        day: As-of day.
        settings: Window, confidence and floors.
        explain: False leaves out what only explains; a benchmark that resamples wants the rest.

    Returns:
        Rows of `DRIFT_SCORES`; a window or reference that is empty gives one row that says so.

    Raises:
        ModelError: The rows were not all scored by the champion of the reference.
    """
    return as_frame(main_brain_rows(whole_look(window, reference, MAIN_BRAIN, day, settings), explain=explain))


def score_student_models(
    window: pl.DataFrame, reference: pl.DataFrame | None, *, day: date, settings: DriftSettings
) -> pl.DataFrame:
    """Ask for how many learners their student model was wrong; arguments, result and errors as `score_main_brain`.

    The events and learners of the rows are those of complete blocks.
    """
    return as_frame(student_rows(whole_look(window, reference, STUDENT_MODELS, day, settings), settings))
