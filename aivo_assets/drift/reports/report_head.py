"""The summary at the top of a drift report. Belongs here: its sentences, table and pictures; nothing is compared."""

from typing import Any

import polars as pl

from aivo_assets.documents import data_url, render
from aivo_assets.drift.schema import ASKS_FOR_TRAINING
from aivo_assets.drift.scores.cohorts import SEPARATOR

COHORTS_IN_SENTENCES = 4
"""Up to so many cohorts that moved get a sentence each; the others are listed by name and score."""

_COLOURS = {"ok": "#3a8f5c", "watch": "#b59a2a", "retrain": "#c8702a", "alert": "#b0413e"}
_NO_VERDICT = "#8a8a8a"
_COLUMNS = {
    "model_id": "model or cohort",
    "verdict": "verdict",
    "score": "score",
    "measure": "by",
    "events": "answers",
    "learners": "learners",
    "log_loss": "log loss",
    "reference_log_loss": "promised",
    "auc": "AUC",
    "reference_auc": "promised",
    "window_first": "from",
    "window_last": "to",
}


def sentences(verdicts: pl.DataFrame) -> list[str]:
    """What moved, how much and what was decided: whole models, the cohorts that are not in order, how many are.

    Args:
        verdicts: Rows of `DRIFT_VERDICTS` of one check.
    """
    return [sentence for sentence, _ in _findings(verdicts)]


def head(verdicts: pl.DataFrame, columns: pl.DataFrame, notes: list[str], pictures: list[tuple[str, bytes]]) -> str:
    """The section as HTML that needs no other file.

    Args:
        verdicts: Rows of `DRIFT_VERDICTS` of one check.
        columns: Names and values of the columns that moved, columns name and value.
        notes: Further sentences.
        pictures: Name and PNG of each.
    """
    cohort = pl.col("model_id").str.contains(SEPARATOR, literal=True)
    asks = pl.col("verdict").cast(pl.String).is_in(ASKS_FOR_TRAINING)
    rows = verdicts.sort(cohort, ~asks, -pl.col("score").fill_null(-1.0), "model_id").select(list(_COLUMNS))
    holds = cohort & (pl.col("verdict").cast(pl.String) == "ok")
    distances = ", ".join(f"{row['name']} ({row['value']:.2f})" for row in columns.rows(named=True)) or "none"
    return render(
        "drift_summary.html",
        day=max(verdicts["day"].to_list()),
        sentences=[(sentence, _COLOURS.get(verdict, _NO_VERDICT)) for sentence, verdict in _findings(verdicts)],
        pictures=pictures,
        headings=list(_COLUMNS.values()),
        moved=rows.filter(~holds).rows(),
        holding=rows.filter(holds).rows(),
        colours=_COLOURS,
        notes=[f"Columns that Evidently counts as moved, which decide nothing: {distances}.", *notes],
        data_url=data_url,
    )


def _findings(verdicts: pl.DataFrame) -> list[tuple[str, str]]:
    """Sentences, and the verdict that each is about."""
    rows = verdicts.to_dicts()
    cohorts = [row for row in rows if SEPARATOR in row["model_id"]]
    wholes = [row for row in rows if SEPARATOR not in row["model_id"]]
    moved = sorted(
        (row for row in cohorts if row["verdict"] not in ("ok", "too_few_events", "no_reference")), key=_worst
    )
    shown = [*sorted(wholes, key=lambda row: (row["day"], row["model_id"])), *moved[:COHORTS_IN_SENTENCES]]
    findings = [(f"{row['model_id']}: {row['verdict']}. {row['reason']}", str(row["verdict"])) for row in shown]
    if moved[COHORTS_IN_SENTENCES:]:
        others = ", ".join(f"{row['model_id']} ({row['score'] or 0.0:.2f})" for row in moved[COHORTS_IN_SENTENCES:])
        findings.append((f"Also on watch, with their scores: {others}.", "watch"))
    holding = sum(row["verdict"] == "ok" for row in cohorts)
    if holding:
        findings.append(
            (f"Of {len(cohorts)} cohorts judged by themselves, {holding} {'hold' if holding > 1 else 'holds'}.", "ok")
        )
    return findings


def _worst(row: dict[str, Any]) -> tuple[bool, float, str]:
    return row["verdict"] not in ASKS_FOR_TRAINING, -(row["score"] or 0.0), row["model_id"]
