"""The report of a replay: one HTML file with its pictures inside. Belongs here: what stands where, in which words."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aivo_assets.documents import Block, Bullets, Document, Paragraph, Picture, Section, Table
from aivo_assets.replay import plots
from aivo_assets.replay.choices import as_text
from aivo_assets.replay.figures import causes, cost_by_job, cost_by_step, differing, failures, key_figures
from aivo_assets.replay.record import Costs, Record
from aivo_assets.settings import Settings

REPORT: Final = "report.html"
MOST_ROWS: Final = 80
WIDTH: Final = 8.6
STOPPED: Final = (
    " It was stopped before its end: the last day is the one that it had reached; learners and answers are those of "
    "all days that were asked for."
)
PSEUDONYM: Final = re.compile(r"\b([0-9a-f]{6})[0-9a-f]{26}\b")
"""The report may be handed on, so it shows no more of a pseudonym than `aivo student` needs to find the learner."""
STYLE: Final = """
main { max-width: 72rem; }
td, thead th { text-align: left; vertical-align: top; }
tbody th { white-space: nowrap; vertical-align: top; }
td:not(:last-child) { white-space: nowrap; }
"""
"""Reasons are sentences: tables of a report read from the left."""


def report(record: Record, costs: Costs) -> Document:
    """The document about one replay."""
    return Document(
        title=f"{record.source} replayed, {record.first} to {record.last}",
        subtitle=f"{record.learners:,} of {record.learners_found:,} learners, {record.events:,} answers, "
        f"through the platform's own schedules, sensors and jobs."
        f"{STOPPED if record.ended == 'stopped' else ''}",
        sections=(
            Section("In short", (_short(record, costs),)),
            Section("How good the champion was on answers to come", tuple(_scores(record))),
            Section("Challengers: promoted and refused", tuple(_trainings(record))),
            Section("Drift", tuple(_drift(record))),
            Section("What asked for training", tuple(_causes(record))),
            Section("Recommendations", tuple(_recommendations(record))),
            Section("Ticks and runs", tuple(_runs(record))),
            Section("Alerts", tuple(_alerts(record))),
            Section("Cost", tuple(_cost(record, costs))),
            Section("Settings other than the defaults", (_settings(record),)),
        ),
    )


def write_report(folder: Path, record: Record, costs: Costs) -> Path:
    """Write the report beside the record, and return where it is."""
    path = folder / REPORT
    path.write_text(page(report(record, costs)))
    return path


def page(document: Document, style: str = "") -> str:
    """A document as one HTML file, in the style of the reports of replays and what is added to it."""
    return document.to_html().replace("</style>", f"{STYLE}{style}</style>", 1)


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, nothing: str) -> list[Block]:
    """A table of at most so many rows, which says what it leaves out; a sentence where there is no row."""
    if not rows:
        return [Paragraph(nothing)]
    blocks: list[Block] = [Table(headings, tuple(rows[:MOST_ROWS]))]
    if len(rows) > MOST_ROWS:
        blocks.append(Paragraph(f"{len(rows) - MOST_ROWS:,} more are in replay.json."))
    return blocks


def _short(record: Record, costs: Costs) -> Block:
    return Table(("", "this replay"), tuple(key_figures(record, costs).items()))


def _scores(record: Record) -> list[Block]:
    if not record.scores:
        return [Paragraph("No champion answered for a day that it had not seen.")]
    return [
        Paragraph(
            "Each answer was predicted before it was seen, by the last champion that was trained on earlier days only "
            "(after a rollback, by the one that came back). The dashed line is what the day's own share of right "
            "answers would have got."
        ),
        _picture("scores.png", plots.scores_png(record, width=WIDTH), "Log loss by day, and each change of champion."),
        _picture("auc.png", plots.auc_png(record, width=WIDTH), "AUC by day; larger points are days of more answers."),
    ]


def _trainings(record: Record) -> list[Block]:
    rows = [
        (
            f"{training.at:%Y-%m-%d %H:%M}", str(training.version), "promoted" if training.promoted else "refused",
            _number(training.log_loss), _number(training.reference_log_loss), training.reason,
        )
        for training in record.trainings
    ]  # fmt: skip
    headings = ("when", "version", "verdict", "log loss", "held against", "reason")
    moves = [
        (f"{move.at:%Y-%m-%d %H:%M}", move.kind, _version(move.before), _version(move.after), move.reason)
        for move in record.moves
        if move.kind != "promotion"
    ]
    blocks: list[Block] = []
    if any(training.log_loss is not None for training in record.trainings):
        png = plots.decisions_png(record, width=WIDTH)
        blocks.append(_picture("decisions.png", png, "Each challenger beside what it was held against."))
    blocks += table(headings, rows, nothing="No challenger was trained.")
    return blocks + table(
        ("when", "move", "from", "to", "reason"), moves, nothing="No champion was rolled back or forced."
    )


def _drift(record: Record) -> list[Block]:
    if not record.drift:
        return [Paragraph("No model was checked: none had scored an answer.")]
    counts = Counter((check.model, check.verdict) for check in record.drift)
    models = sorted({model for model, _ in counts})
    verdicts = sorted({verdict for _, verdict in counts})
    by_model = [(model, *(f"{counts[model, verdict]:,}" for verdict in verdicts)) for model in models]
    rows = [
        (f"{check.at:%Y-%m-%d %H:%M}", check.model, check.verdict, _number(check.score), check.reason)
        for check in record.drift
        if check.verdict in ("retrain", "alert")
    ]
    return [
        _picture("drift.png", plots.drift_png(record, width=WIDTH), "Drift score by check; dashed: both thresholds."),
        *table(("verdicts", *verdicts), by_model, nothing=""),
        *table(("when", "model", "verdict", "score", "reason"), rows, nothing="No model was found to have drifted."),
    ]


def _causes(record: Record) -> list[Block]:
    rows = [
        (by.replace("_", " "), job.replace("_", " "), f"{runs:,}", f"{wins:,}")
        for (by, job), (runs, wins) in sorted(causes(record).items())
    ]
    asked = [
        (f"{run.at:%Y-%m-%d %H:%M}", run.job.replace("_", " "), run.cause)
        for run in record.runs
        if run.asked_by in ("drift_retraining", "adaptive_training")
    ]
    return [
        *table(("asked by", "job", "challengers", "promoted"), rows, nothing="Nothing asked for training."),
        *table(("when", "job", "why"), asked, nothing="No training was asked for beside the schedules."),
    ]


def _recommendations(record: Record) -> list[Block]:
    made = [each for each in record.recommendations if each.kinds]
    if not made:
        return [Paragraph("None were made: there was no champion.")]
    total: Counter[str] = Counter()
    for last in {each.day: each for each in made}.values():
        total.update(last.kinds)
    rows = [
        (kind.replace("_", " "), f"{count:,}", f"{count / total.total():.1%}") for kind, count in total.most_common()
    ]
    png = plots.recommendations_png(record, width=WIDTH)
    return [
        _picture(
            "recommendations.png", png, "Learners by the kind of their first recommendation, each day's last check."
        ),
        *table(("kind", "learner-days", "share"), rows, nothing=""),
    ]


def _runs(record: Record) -> list[Block]:
    rows = [
        (name.replace("_", " "), f"{tick.asked:,}", f"{tick.same:,}", f"{tick.skipped:,}")
        for name, tick in record.ticks.items()
    ]
    failed = [
        (f"{alike[0].at:%Y-%m-%d %H:%M}", job.replace("_", " "), f"{len(alike):,}", f"{alike[-1].at:%Y-%m-%d %H:%M}",
         alike[0].failure)
        for (job, _), alike in failures(record).items()
    ]  # fmt: skip
    headings = ("schedule or sensor", "runs asked for", "left out: nothing had changed", "looks that asked for none")
    return [
        *table(headings, rows, nothing="Nothing ticked."),
        *table(("first", "job", "times", "last", "failed first in"), failed, nothing="No run failed."),
    ]


def _alerts(record: Record) -> list[Block]:
    counts = Counter((alert.title, alert.severity) for alert in record.alerts)
    first = {(alert.title, alert.severity): alert for alert in reversed(record.alerts)}
    rows = [
        (
            title,
            severity,
            f"{count:,}",
            f"{first[title, severity].at:%Y-%m-%d %H:%M}",
            PSEUDONYM.sub(r"\1…", first[title, severity].body)[:300],
        )
        for (title, severity), count in counts.most_common()
    ]
    return table(
        ("alert", "severity", "times", "first", "first said"), rows, nothing="Nobody would have been told of anything."
    )


def _cost(record: Record, costs: Costs) -> list[Block]:
    jobs = [
        (
            job.replace("_", " "),
            f"{cost.runs:,}",
            f"{cost.wall:,.0f}",
            f"{cost.wall / cost.runs:.2f}",
            f"{cost.cpu / cost.runs:.2f}",
        )
        for job, cost in cost_by_job(costs).items()
    ]
    steps = [
        (step.replace("_", " "), f"{times:,}", f"{seconds:,.0f}", f"{seconds / times:.3f}")
        for step, (times, seconds) in list(cost_by_step(costs).items())[:15]
    ]
    machine = "; ".join(f"{name}: {value}" for name, value in costs.machine.items())
    headings = ("runs", "seconds in all", "seconds a run", "processor seconds a run")
    return [
        _picture(
            "cost.png", plots.cost_png(record, costs, width=WIDTH), "Processor seconds of the runs of each day, by job."
        ),
        *table(("job", *headings), jobs, nothing="Nothing ran."),
        *table(("step", "times", "seconds in all", "seconds a time"), steps, nothing=""),
        Paragraph(f"{machine}."),
    ]


def _settings(record: Record) -> Block:
    rows = differing(record.settings, as_text(Settings.model_construct()))
    if not rows:
        return Bullets(("None.",))
    return Table(("setting", "here", "default"), tuple(rows))


def _picture(name: str, png: bytes, says: str) -> Picture:
    return Picture(name, png, says)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _version(number: int | None) -> str:
    return "none" if number is None else str(number)
