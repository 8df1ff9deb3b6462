"""Plots of an evaluation, for asset metadata and model cards. Belongs here: PNG bytes; no computation.

Figures are made without pyplot, whose figures are global and never freed by themselves.
"""

import io
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aivo_assets.tracing.judging.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODEL_COLOUR = "#1f5fa8"
REFERENCE_COLOUR = "#9a9a9a"
BASELINE_COLOUR = "#c8702a"


def reliability_png(evaluation: Evaluation) -> bytes:
    """What was said against what happened: one point per bin of equal mass, the diagonal being perfect."""
    figure, axes = new_figure()
    predicted = [part.mean_probability for part in evaluation.reliability]
    happened = [part.share_correct for part in evaluation.reliability]
    axes.plot([0, 1], [0, 1], color=REFERENCE_COLOUR, linewidth=1, linestyle="--")
    axes.plot(predicted, happened, color=MODEL_COLOUR, marker="o", markersize=3.5, linewidth=1.2)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted probability", ylabel="share of right answers")
    axes.set_title(f"Calibration: mean gap {evaluation.scores.ece:.3f}", fontsize=9)
    return as_png(figure)


def days_png(evaluation: Evaluation) -> bytes:
    """Log loss by day of the hold-out, beside the mean of the model and of item difficulty alone."""
    figure, axes = new_figure()
    axes.plot(
        _dates(day.day for day in evaluation.days),
        [day.log_loss for day in evaluation.days],
        color=MODEL_COLOUR,
        marker="o",
        markersize=3,
        linewidth=1.2,
    )
    axes.axhline(evaluation.scores.log_loss, color=MODEL_COLOUR, linewidth=0.8, linestyle="--", label="main brain")
    difficulty = evaluation.baselines["item_difficulty"].log_loss
    axes.axhline(difficulty, color=BASELINE_COLOUR, linewidth=0.8, linestyle="--", label="item difficulty alone")
    axes.set(ylabel="log loss (lower is better)")
    axes.legend(fontsize=7, frameon=False)
    figure.autofmt_xdate(rotation=30)
    return as_png(figure)


def _dates(days: Iterable[date]) -> NDArray[np.datetime64]:
    return np.array(list(days), dtype="datetime64[D]")


def new_figure(*, width: float = 3.6, height: float = 2.8) -> "tuple[Figure, Axes]":
    """A small empty figure, in inches, and its axes."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second of import, for pictures only

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.tick_params(labelsize=7)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    axes.grid(visible=True, linewidth=0.3)
    return figure, axes


def as_png(figure: "Figure") -> bytes:
    """A figure as a PNG file, the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
