"""The report people open: Evidently's comparison of window and reference under a summary of what was decided.

Belongs here: the only door to Evidently and pandas, and the page around them. Evidently's numbers are for reading;
the verdict comes from scores.py and verdict.py. Evidently is imported on first use, as that takes seconds.
"""

import importlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

import polars as pl

from aivo_assets.drift.reports.plots import plot_calibration, plot_scores
from aivo_assets.drift.reports.report_head import head, sentences
from aivo_assets.drift.schema import FEATURE_COLUMNS
from aivo_assets.drift.verdicts.verdict import readable
from aivo_assets.errors import ModelError
from aivo_assets.settings import DriftSettings

NUMERIC = ("probability", *FEATURE_COLUMNS)
CATEGORICAL = ("correct", "subject", "seen_item")
"""The columns a report shows. No pseudonym, item, session or exact time is among them."""

METHOD = "jensenshannon"
THRESHOLD = 0.1

_EVIDENTLY_WARNINGS = (
    "numpy.core is deprecated",
    "Call to deprecated function 'Dependency'",
    "Use of deprecated class 'DependencyKwarg'",
)
"""Raised while evidently 0.7 and the litestar below it are imported; nothing of ours."""

COLUMNS_SCHEMA = {
    "column": pl.String,
    "method": pl.String,
    "threshold": pl.Float64,
    "value": pl.Float64,
    "drifted": pl.Boolean,
}


@dataclass(frozen=True)
class DriftReport:
    """A rendered report.

    Attributes:
        html: One self-contained page.
        summary: The sentences on its top.
        columns: Evidently's finding a column: column, method, threshold, value, drifted.
        left_out: Columns without any value in the window or the reference, which cannot be compared.
    """

    html: bytes
    summary: str
    columns: pl.DataFrame
    left_out: tuple[str, ...]


def render_report(
    window: pl.DataFrame,
    reference: pl.DataFrame,
    verdicts: pl.DataFrame,
    settings: DriftSettings,
    *,
    history: pl.DataFrame | None = None,
) -> DriftReport:
    """Render the report of one check.

    Args:
        window: Scored events of the window, not empty.
        reference: Scored events of the champion's reference, not empty.
        verdicts: This check's verdicts.
        settings: Rows sampled, seed and thresholds.
        history: Earlier verdicts, for the picture of the score over time.

    Raises:
        ModelError: Window or reference is empty, so that there is nothing to compare.
    """
    if not window.height or not reference.height:
        raise ModelError(
            f"A drift report needs events on both sides: window {window.height}, reference {reference.height}",
            fix="Render a report only for a verdict other than too_few_events and no_reference.",
        )
    sampled = [_sample(frame, settings) for frame in (window, reference)]
    left_out = tuple(name for name in (*NUMERIC, *CATEGORICAL) if any(_is_empty(frame[name]) for frame in sampled))
    numeric = [name for name in NUMERIC if name not in left_out]
    categorical = [name for name in CATEGORICAL if name not in left_out]
    page, columns = _run_evidently(sampled[0], sampled[1], numeric, categorical)
    shown = (
        verdicts if history is None else pl.concat([history.filter(pl.col("day") < verdicts["day"].min()), verdicts])
    )
    pictures = [plot_scores(shown, settings), plot_calibration(window, reference)]
    top = _top(verdicts, columns, left_out, pictures)
    return DriftReport(page.replace("<body>", f"<body>{top}", 1).encode(), summarise(verdicts), columns, left_out)


def summarise(verdicts: pl.DataFrame) -> str:
    """The sentences on top as one text."""
    return " ".join(sentences(verdicts))


def _sample(frame: pl.DataFrame, settings: DriftSettings) -> pl.DataFrame:
    # Sorted first, so that the seed and not the order of rows decides who is in the sample.
    ordered = frame.sort("day", "learner", "sequence")
    if ordered.height > settings.report_rows:
        ordered = ordered.sample(settings.report_rows, seed=settings.report_seed)
    return ordered.select(
        *(pl.col(name).cast(pl.Float64).fill_nan(None) for name in NUMERIC),
        *(pl.col(name).cast(pl.String) for name in CATEGORICAL),
    )


def _is_empty(column: pl.Series) -> bool:
    return column.null_count() == column.len()


@contextmanager
def quiet_evidently() -> Iterator[ModuleType]:
    """Evidently, imported with its telemetry off and without the warnings its own code raises."""
    os.environ.setdefault("DO_NOT_TRACK", "1")  # read by evidently.telemetry whenever it would send
    with warnings.catch_warnings():
        for message in _EVIDENTLY_WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=DeprecationWarning)
        yield importlib.import_module("evidently")


def _run_evidently(
    window: pl.DataFrame, reference: pl.DataFrame, numeric: list[str], categorical: list[str]
) -> tuple[str, pl.DataFrame]:
    with quiet_evidently() as evidently:
        presets = importlib.import_module("evidently.presets")
        definition = evidently.DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
        preset = presets.DataDriftPreset(num_method=METHOD, cat_method=METHOD, threshold=THRESHOLD)
        columns = [*numeric, *categorical]
        datasets = [
            evidently.Dataset.from_pandas(frame.select(columns).to_pandas(), data_definition=definition)
            for frame in (window, reference)
        ]
        snapshot = evidently.Report([preset]).run(datasets[0], datasets[1])
        page: str = snapshot.get_html_str(as_iframe=False)
        metrics = [metric for metric in snapshot.dict()["metrics"] if metric["config"]["type"].endswith(":ValueDrift")]
    rows = [
        {
            "column": metric["config"]["column"],
            "method": metric["config"]["method"],
            "threshold": float(metric["config"]["threshold"]),
            "value": float(metric["value"]),
            "drifted": float(metric["value"]) >= float(metric["config"]["threshold"]),
        }
        for metric in metrics
    ]
    return page, pl.DataFrame(rows, schema=COLUMNS_SCHEMA, orient="row").sort(
        "value", "column", descending=[True, False]
    )


def _top(verdicts: pl.DataFrame, columns: pl.DataFrame, left_out: tuple[str, ...], pictures: list[bytes]) -> str:
    moved = columns.filter("drifted")
    moved = moved.select("value", name=pl.Series([readable(name) for name in moved["column"]], dtype=pl.String))
    notes = [f"It calls a column moved whose Jensen-Shannon distance is at least {THRESHOLD}."]
    if left_out:
        notes.append(f"Left out, as the window or the reference has no value of them: {', '.join(left_out)}.")
    return head(verdicts, moved, notes, list(zip(("Drift score over time", "Calibration"), pictures, strict=True)))
