"""Other rules on the same windows. Belongs here: Evidently's default preset, a plain rule on accuracy; not ours."""

import importlib

import polars as pl

from aivo_assets.drift.reports.report import CATEGORICAL, NUMERIC, quiet_evidently
from aivo_assets.settings import DriftSettings

ACCURACY_FALL = 0.15  # of the accuracy on the reference
EVIDENTLY = "Evidently preset"
PLAIN = "accuracy -15 %"


def plain_rule_alarms(window: pl.DataFrame, reference: pl.DataFrame, settings: DriftSettings) -> bool:
    """Whether accuracy at one half fell by 15 % of what it was on the reference."""
    if window.height < settings.minimum_events:
        return False
    right = (pl.col("probability") > 0.5) == (pl.col("correct") == 1)
    now, then = (frame.select(right.mean()).item() for frame in (window, reference))
    return bool(now < (1.0 - ACCURACY_FALL) * then)


def evidently_alarms(window: pl.DataFrame, reference: pl.DataFrame, settings: DriftSettings) -> bool:
    """Whether Evidently's `DataDriftPreset` with its defaults calls the window drifted.

    Its verdict on the whole is the metric `DriftedColumnsCount`: at least half of the columns moved. Only that is
    computed, as the preset's widgets take seconds. The columns are those of our report, the answers among them.
    """
    if window.height < settings.minimum_events:
        return False
    numeric = [name for name in NUMERIC if all(frame[name].count() for frame in (window, reference))]
    chosen = [*(pl.col(name).cast(pl.Float64).fill_nan(None) for name in numeric), *map(_as_text, CATEGORICAL)]
    with quiet_evidently() as evidently:
        metrics = importlib.import_module("evidently.metrics")
        definition = evidently.DataDefinition(numerical_columns=numeric, categorical_columns=list(CATEGORICAL))
        now, then = (
            evidently.Dataset.from_pandas(frame.select(chosen).to_pandas(), data_definition=definition)
            for frame in (window, reference)
        )
        snapshot = evidently.Report([metrics.DriftedColumnsCount()]).run(now, then).dict()
    drifted = snapshot["metrics"][0]
    return bool(drifted["value"]["share"] >= drifted["config"]["drift_share"])


def _as_text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String)
