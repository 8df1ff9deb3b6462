"""Plots of a replay's report. Belongs here: from a record to PNG bytes."""

import itertools
import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from aivo_assets.drift.scores.cohorts import SEPARATOR
from aivo_assets.replay.figures import cost_by_day, cost_by_job
from aivo_assets.replay.record import Costs, Record
from aivo_assets.tracing.card.plots import BASELINE_COLOUR, MODEL_COLOUR, REFERENCE_COLOUR, as_png, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = ("#1f5fa8", "#c8702a", "#3a8f5c", "#b0413e", "#7a5aa6", "#b59a2a", "#4fa3b5", "#8a8a8a")
VERDICT_MARKS: Final = {"watch": (".", "#b59a2a"), "retrain": ("^", "#c8702a"), "alert": ("X", "#b0413e")}


def scores_png(record: Record, *, width: float) -> bytes:
    """Log loss of the champion of each day on that day's answers; an edge of the band is a change of champion."""
    figure, axes = new_figure(width=width, height=2.9)
    scores = record.scores
    days = _days(score.day for score in scores)
    axes.plot(days, [each.constant_log_loss for each in scores], color=REFERENCE_COLOUR, linewidth=1, linestyle="--",
              label="the day's share of right answers")  # fmt: skip
    axes.plot(days, [each.log_loss for each in scores], color=MODEL_COLOUR, marker="o", markersize=2.5, linewidth=1.2,
              label="champion")  # fmt: skip
    for kind, colour in (("promotion", "#3a8f5c"), ("rollback", "#b0413e")):
        moved = _days(move.at.date() for move in record.moves if move.kind == kind)
        for place, day in enumerate(moved):
            axes.axvline(day, color=colour, linewidth=0.8, alpha=0.6, label=kind if not place else None)
    axes.set_ylabel("log loss (lower is better)")
    return _finished(figure, axes, record)


def auc_png(record: Record, *, width: float) -> bytes:
    """AUC of the champion of each day on that day's answers, the area of a point in proportion to the answers."""
    figure, axes = new_figure(width=width, height=2.4)
    known = [(score, score.auc) for score in record.scores if score.auc is not None]
    most = max((score.events for score, _ in known), default=1)
    for place, (version, group) in enumerate(itertools.groupby(known, key=lambda pair: pair[0].version)):
        of_version = list(group)
        axes.scatter(_days(score.day for score, _ in of_version), [auc for _, auc in of_version],
                     s=[4 + 40 * score.events / most for score, _ in of_version], color=COLOURS[place % len(COLOURS)],
                     label=f"version {version}" if len(record.moves) <= 8 else None)  # fmt: skip
    axes.set_ylabel("AUC")
    return _finished(figure, axes, record)


def drift_png(record: Record, *, width: float) -> bytes:
    """Drift score of each model at each check, with both thresholds and a mark where it was more than in order."""
    figure, axes = new_figure(width=width, height=2.9)
    # Whole models first: cohorts, of which only those that asked for a training are kept, follow while colours last.
    models = sorted({check.model for check in record.drift}, key=lambda model: (SEPARATOR in model, model))
    for place, model in enumerate(models[: len(COLOURS)]):
        checks = [check for check in record.drift if check.model == model]
        times = np.array([check.at.replace(tzinfo=None) for check in checks], dtype="datetime64[s]")
        values = np.array([np.nan if check.score is None else check.score for check in checks])
        # Between two marks of a cohort nothing is known here, so no line joins them.
        line, mark = ("none", ".") if SEPARATOR in model else ("solid", "none")
        axes.plot(times, values, color=COLOURS[place], linewidth=1, linestyle=line, marker=mark,
                  label=model.replace("_", " "))  # fmt: skip
        for verdict, (shape, colour) in VERDICT_MARKS.items():
            hit = [number for number, check in enumerate(checks) if check.verdict == verdict]
            axes.scatter(times[hit], values[hit], marker=shape, color=colour, s=22, zorder=3)
    for name, colour in (("retrain_score", "#c8702a"), ("alert_score", "#b0413e")):
        axes.axhline(json.loads(record.settings[f"drift.{name}"]), color=colour, linewidth=0.9, linestyle="--")
    axes.set_ylabel("drift score")
    return _finished(figure, axes, record)


def recommendations_png(record: Record, *, width: float) -> bytes:
    """Learners by the kind of their first recommendation, at the last check of each day."""
    figure, axes = new_figure(width=width, height=2.9)
    last = {made.day: made.kinds for made in record.recommendations if made.kinds}
    kinds = sorted({kind for of_day in last.values() for kind in of_day})
    heights = [[last[day].get(kind, 0) for day in sorted(last)] for kind in kinds]
    _stacked(axes, sorted(last), heights, [kind.replace("_", " ") for kind in kinds])
    axes.set_ylabel("learners")
    return _finished(figure, axes, record)


def cost_png(record: Record, costs: Costs, *, width: float) -> bytes:
    """Seconds of processor time of each day's runs, by job."""
    figure, axes = new_figure(width=width, height=2.9)
    days = cost_by_day(costs)
    jobs = list(cost_by_job(costs))
    heights = [[of_jobs.get(job, 0.0) for of_jobs in days.values()] for job in jobs]
    _stacked(axes, list(days), heights, [job.replace("_", " ") for job in jobs])
    axes.set_ylabel("processor seconds")
    return _finished(figure, axes, record)


def decisions_png(record: Record, *, width: float) -> bytes:
    """Log loss of each challenger and of what it was held against, on the same later answers."""
    figure, axes = new_figure(width=width, height=2.6)
    judged = [training for training in record.trainings if training.log_loss is not None]
    times = np.array([training.at.replace(tzinfo=None) for training in judged], dtype="datetime64[s]")
    reached = np.array([training.log_loss for training in judged], dtype=np.float64)
    other = np.array([training.reference_log_loss for training in judged], dtype=np.float64)
    axes.scatter(times, other, color=BASELINE_COLOUR, s=30, marker="_", label="champion, or item difficulty at first")
    won = np.array([training.promoted for training in judged], dtype=bool)
    for rows, colour, label in ((won, "#3a8f5c", "promoted"), (~won, REFERENCE_COLOUR, "refused")):
        axes.scatter(times[rows], reached[rows], color=colour, s=14, label=label)
    axes.set_ylabel("log loss of challengers")
    return _finished(figure, axes, record)


def _stacked(axes: "Axes", days: Sequence[date], heights: Sequence[Sequence[float]], names: Sequence[str]) -> None:
    below = np.zeros(len(days))
    for place, (of_name, name) in enumerate(zip(heights, names, strict=True)):
        values = np.array(of_name, dtype=np.float64)
        axes.bar(_days(days), values, bottom=below, width=0.9, color=COLOURS[place % len(COLOURS)], label=name)
        below = below + values


def _finished(figure: "Figure", axes: "Axes", record: Record) -> bytes:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num  # noqa: PLC0415 - slow import

    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    first, last = (float(date2num(day)) for day in (record.first, record.last))  # type: ignore[no-untyped-call]
    axes.set_xlim(first - 0.5, last + 1.5)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, frameon=False, ncols=2, loc="best")
    return as_png(figure)


def _days(days: Iterable[date]) -> NDArray[np.datetime64]:
    return np.array(list(days), dtype="datetime64[D]")
