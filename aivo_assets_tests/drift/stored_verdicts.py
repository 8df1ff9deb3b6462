"""Rows of DRIFT_VERDICTS for tests of what reads them."""

from datetime import date
from typing import Any

import polars as pl

from aivo_assets.drift.schema import DRIFT_VERDICTS

DAY = date(2026, 3, 10)


def verdicts(*rows: tuple[str, str, float | None], day: date = DAY, **columns: Any) -> pl.DataFrame:
    """A check's verdicts from model or cohort, verdict and score; the reason says the model's name."""
    made = [
        {
            **dict.fromkeys(DRIFT_VERDICTS.schema),
            "day": day,
            "model_id": model,
            "model_version": "3",
            "verdict": verdict,
            "score": score,
            "reason": f"Reason of {model}.",
            **columns,
        }
        for model, verdict, score in rows
    ]
    return pl.DataFrame(made, schema=dict(DRIFT_VERDICTS.schema), orient="row")
