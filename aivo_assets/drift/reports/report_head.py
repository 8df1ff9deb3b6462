"""What stands on top of a drift report. Belongs here: sentences, table and pictures as HTML; nothing is compared."""

import base64
from html import escape
from typing import Any

import polars as pl

from aivo_assets.drift.schema import ASKS_FOR_TRAINING
from aivo_assets.drift.scores.cohorts import SEPARATOR

COHORTS_TOLD = 4
"""Cohorts that moved are told in a sentence each up to so many, beyond by name and score."""

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
_STYLE = """<style>
#aivo-summary { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 84rem; margin: 1.5rem auto; padding: 0 1rem; }
#aivo-summary h1 { font-size: 1.6rem; margin: 0 0 .8rem; }
#aivo-summary p.told { margin: .4rem 0; padding: .35rem .8rem; border-left: 5px solid; background: #f6f6f6; }
#aivo-summary p.note { color: #555; }
#aivo-summary .wide { overflow-x: auto; }
#aivo-summary table { border-collapse: collapse; font-size: 13px; margin: 1rem 0; }
#aivo-summary th, #aivo-summary td { padding: .2rem .45rem; border-bottom: 1px solid #ddd; white-space: nowrap; text-align: left; }
#aivo-summary td.number { text-align: right; font-variant-numeric: tabular-nums; }
#aivo-summary img { max-width: 68%; vertical-align: top; }
#aivo-summary img + img { max-width: 30%; }
</style>"""  # noqa: E501 - a rule a line


def sentences(verdicts: pl.DataFrame) -> list[str]:
    """What moved, how much and what was decided: whole models, the cohorts that are not in order, how many are.

    Args:
        verdicts: Rows of `DRIFT_VERDICTS` of one check.
    """
    return [sentence for sentence, _ in _told(verdicts)]


def head(verdicts: pl.DataFrame, columns: pl.DataFrame, notes: list[str], pictures: list[tuple[str, bytes]]) -> str:
    """The section as HTML that needs no other file.

    Args:
        verdicts: Rows of `DRIFT_VERDICTS` of one check.
        columns: Names and values of the columns that moved, columns name and value.
        notes: Further sentences.
        pictures: Name and PNG of each.
    """
    told = "".join(
        f'<p class="told" style="border-color:{_COLOURS.get(verdict, _NO_VERDICT)}">{escape(sentence)}</p>'
        for sentence, verdict in _told(verdicts)
    )
    moved = ", ".join(f"{row['name']} ({row['value']:.2f})" for row in columns.rows(named=True)) or "none"
    below = [f"Columns that moved in Evidently's eyes, which decides nothing: {moved}.", *notes]
    return (
        f'{_STYLE}<section id="aivo-summary"><h1>Drift as of {max(verdicts["day"].to_list())}</h1>{told}'
        f'{"".join(_image(name, png) for name, png in pictures)}<div class="wide">{_table(verdicts)}</div>'
        f"{''.join(f'<p class=note>{escape(note)}</p>' for note in below)}</section>"
    )


def _told(verdicts: pl.DataFrame) -> list[tuple[str, str]]:
    """Sentences, and the verdict that each is about."""
    rows = verdicts.to_dicts()
    cohorts = [row for row in rows if SEPARATOR in row["model_id"]]
    wholes = [row for row in rows if SEPARATOR not in row["model_id"]]
    moved = sorted(
        (row for row in cohorts if row["verdict"] not in ("ok", "too_few_events", "no_reference")), key=_worst
    )
    shown = [*sorted(wholes, key=lambda row: (row["day"], row["model_id"])), *moved[:COHORTS_TOLD]]
    told = [(f"{row['model_id']}: {row['verdict']}. {row['reason']}", str(row["verdict"])) for row in shown]
    if moved[COHORTS_TOLD:]:
        others = ", ".join(f"{row['model_id']} ({row['score'] or 0.0:.2f})" for row in moved[COHORTS_TOLD:])
        told.append((f"Also on watch, with their scores: {others}.", "watch"))
    holding = sum(row["verdict"] == "ok" for row in cohorts)
    if holding:
        told.append(
            (f"Of {len(cohorts)} cohorts looked at apart, {holding} {'hold' if holding > 1 else 'holds'}.", "ok")
        )
    return told


def _worst(row: dict[str, Any]) -> tuple[bool, float, str]:
    return row["verdict"] not in ASKS_FOR_TRAINING, -(row["score"] or 0.0), row["model_id"]


def _image(name: str, png: bytes) -> str:
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{name}" src="data:image/png;base64,{data}">'


def _table(verdicts: pl.DataFrame) -> str:
    """Models and what moved in sight, the cohorts that hold folded away."""
    cohort = pl.col("model_id").str.contains(SEPARATOR, literal=True)
    asks = pl.col("verdict").cast(pl.String).is_in(ASKS_FOR_TRAINING)
    shown = verdicts.sort(cohort, ~asks, -pl.col("score").fill_null(-1.0), "model_id").select(list(_COLUMNS))
    holds = cohort & (pl.col("verdict").cast(pl.String) == "ok")
    calm = shown.filter(holds)
    folded = f"<details><summary>Cohorts that hold ({calm.height})</summary>{_rows(calm)}</details>"
    return _rows(shown.filter(~holds)) + (folded if calm.height else "")


def _rows(shown: pl.DataFrame) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in _COLUMNS.values())
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in shown.rows())
    return f"<table><tr>{heads}</tr>{body}</table>"


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return (
            f'<td class="number">{value:.4f}</td>' if isinstance(value, float) else f'<td class="number">{value:,}</td>'
        )
    if isinstance(value, str) and value in _COLOURS:
        return f'<td style="color:{_COLOURS[value]};font-weight:600">{value}</td>'
    return f"<td>{'–' if value is None else escape(str(value))}</td>"
