"""What a person reads when a run is over. Belongs here: tables and sentences; nothing is computed."""

import operator
from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from aivo_assets.adaptive.advice.wording import Wording, load_wording
from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation.runs.in_process import Outcome, StepResult
from aivo_assets.drift.reports.report_head import sentences
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.lake import Lake, open_lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.evaluation import Evaluation
from aivo_assets.tracing.judging.registry import Registry

EXAMPLES = 3
COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
NAMES = {"": "main brain", "item_difficulty": "item difficulty alone", "constant": "a constant"}


def tell(console: Console, outcome: Outcome, settings: Settings, *, as_of: date) -> None:
    """Say what a run did, how good the main brain is, what was recommended, whether anything drifted, where to look."""
    lake = open_lake(settings)
    console.print()
    console.print(_stages(outcome.steps))
    _tell_main_brain(console, Registry(settings.home, settings.models_database))
    _tell_recommendations(console, lake, as_of, load_wording(settings.policy))
    _tell_drift(console, lake, as_of)
    for check in outcome.failed_checks:
        console.print(Text.assemble(("Check failed:", "bold red"), f" {check}"))
    _tell_where_to_look(console, lake, outcome, as_of)


def _stages(steps: list[StepResult]) -> Table:
    table = Table(title="Stages", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("stage")
    for heading in ("rows in", "rows out", "set aside", "seconds"):
        table.add_column(heading, justify="right")
    for step in steps:
        figures = (step.figures.get(name) for name in ("rows_in", "rows_out", "set_aside"))
        cells = ("" if figure is None else f"{figure.value:,}" for figure in figures)
        table.add_row(step.name.replace("_", " "), *cells, f"{step.seconds:.1f}")
    table.add_row("together", "", "", "", f"{sum(step.seconds for step in steps):.1f}", style="bold")
    return table


def _tell_main_brain(console: Console, registry: Registry) -> None:
    serving = registry.champion()
    if serving is None:
        console.print(Text.assemble(("\nMain brain", "bold"), "\nThere is no champion yet."))
        return
    evaluation = registry.evaluation(serving.version.number)
    console.print()
    console.print(
        _scores(evaluation, title=f"Main brain, version {serving.version.number} as of {serving.version.as_of}")
    )
    console.print(
        f"on {evaluation.scores.events:,} answers of {evaluation.learners:,} learners from "
        f"{evaluation.since:%Y-%m-%d} on, later than any that it was fitted on",
        style="dim",
    )
    moves = registry.moves()
    if moves:
        console.print(moves[-1].reason)


def _scores(evaluation: Evaluation, *, title: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for heading in ("AUC", "log loss", "calibration error"):
        table.add_column(heading, justify="right")
    for name, shown in NAMES.items():
        scores = evaluation.baselines[name] if name else evaluation.scores
        auc = "" if scores.auc is None else f"{scores.auc:.4f}"
        style = "bold green" if not name else ""
        table.add_row(shown, auc, f"{scores.log_loss:.4f}", f"{scores.ece:.4f}", style=style)
    return table


def _tell_recommendations(console: Console, lake: Lake, as_of: date, wording: Wording) -> None:
    made = lake.scan(RECOMMENDATIONS, days=[as_of]).filter(pl.col("rank") == 1).collect()
    if made.is_empty():
        console.print(
            Text.assemble(("\nRecommendations", "bold"), "\nNone: nobody was active, or there is no champion.")
        )
        return
    table = Table(
        title=f"Recommendations for {made.height:,} learners", title_justify="left", title_style="bold",
        box=None, padding=(0, 2, 0, 0),
    )  # fmt: skip
    for heading in ("kind", "learners", "", "mean confidence"):
        table.add_column(heading, justify="right" if heading in ("learners", "mean confidence") else "left")
    counts = made.group_by("kind").agg(learners=pl.len(), confidence=pl.col("confidence").mean())
    for row in counts.sort("learners", descending=True).to_dicts():
        bar = "█" * round(30 * row["learners"] / made.height)
        confidence = "" if row["confidence"] is None else f"{row['confidence']:.0%}"
        table.add_row(wording.label(row["kind"]), f"{row['learners']:,}", Text(bar, "cyan"), confidence)
    console.print()
    console.print(table)
    for row in _examples(made).to_dicts():
        console.print(_worked(row))


def _examples(made: pl.DataFrame) -> pl.DataFrame:
    """The most confident recommendation of three kinds that differ, the rarer ones first."""
    by_kind = made.sort("confidence", "learner", descending=[True, False], nulls_last=True).group_by(
        "kind", maintain_order=True
    )
    firsts = by_kind.first().join(made.group_by("kind").len(), on="kind")
    return firsts.filter(pl.col("kind") != "maintain").sort("len").head(EXAMPLES)


def _worked(row: dict[str, object]) -> Panel:
    evidence = "\n".join(_evidence(row["evidence"]))  # type: ignore[arg-type]
    actions = "\n".join(f"  • {action}" for action in row["suggested_actions"])  # type: ignore[attr-defined]
    columns = {
        "Evidence": evidence,
        "What to do": actions,
        "Expected": f"  {row['expectation']} ({row['confidence']:.0%} sure)",
        "Otherwise": f"  {row['counterfactual']}",
    }
    parts = [part for heading, words in columns.items() for part in ((f"\n{heading}\n", "dim"), words)]
    return Panel(
        Text.assemble((f"{row['headline']}\n", "bold"), f"{row['reasoning']}\n", *parts),
        title=Text(f"Learner {str(row['learner'])[:8]}…, {row['priority']} priority"),
        title_align="left",
        border_style="dim",
    )


def _evidence(evidence: Iterable[dict[str, Any]]) -> Iterable[str]:
    for each in evidence:
        value, threshold = each["value"], each["threshold"]
        shown = "unknown" if value is None else f"{value:.3g}"
        limit = "" if threshold is None else f" ({each['direction']} {threshold:.3g}{_not_reached(each)})"
        yield f"  {str(each['signal']).replace('_', ' ')}: {shown}{limit}"


def _not_reached(each: dict[str, Any]) -> str:
    """A rule may fire for one of several reasons; the ones that do not hold are shown as such."""
    compare = COMPARISONS.get(each["direction"])
    holds = compare is None or each["value"] is None or compare(each["value"], each["threshold"])
    return "" if holds else ", not reached"


def _tell_drift(console: Console, lake: Lake, as_of: date) -> None:
    verdicts = lake.scan(DRIFT_VERDICTS, days=[as_of]).collect()
    console.print("\nDrift", style="bold")
    if verdicts.is_empty():
        console.print("No model has scored events yet.")
    for sentence in sentences(verdicts):
        console.print(sentence)


def _tell_where_to_look(console: Console, lake: Lake, outcome: Outcome, as_of: date) -> None:
    console.print("\nWhere to look next", style="bold")
    report = lake.root / f"drift/reports/day={as_of}.html"
    lines = [
        "make up            the web UI: every asset, its history, its checks; Materialize anything by hand",
        "aivo registry list every main brain that was made, and which is champion",
        *([f"drift report       {report}"] if report.exists() else []),
        f"the lake           {lake.root}",
        f"this run           {outcome.run_id}",
    ]
    for line in lines:
        console.print(f"  {line}", soft_wrap=True)
