"""Plots of drift. Belongs here: from verdicts and scored events to PNG bytes."""

import io
from datetime import timedelta

import polars as pl
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from aivo_assets.drift.scores.cohorts import SEPARATOR
from aivo_assets.settings import DriftSettings

MOST_COHORTS = 3
LONGEST_NAME = 36
_MARKS = {"retrain": ("^", "retrain"), "alert": ("X", "alert")}


def plot_scores(verdicts: pl.DataFrame, settings: DriftSettings) -> bytes:
    """Score over time, a line a model, with both thresholds and a mark where a retraining was asked for.

    Args:
        verdicts: Rows of `DRIFT_VERDICTS`; days without a score are gaps in the line.
        settings: For the thresholds.

    Returns:
        A PNG.
    """
    # The places are fixed: a layout that makes room for long names of cohorts may leave none for the lines.
    figure = Figure(figsize=(9.0, 2.9), dpi=110)
    axes = figure.add_axes((0.07, 0.17, 0.6, 0.77))
    named = set()
    drawn = verdicts.filter(pl.col("model_id").is_in(_worth_a_line(verdicts)))
    for of_model in drawn.sort("day", "model_id").partition_by("model_id", maintain_order=True):
        (line,) = axes.plot(
            of_model["day"].to_list(), of_model["score"].to_list(), marker=".", label=_short(of_model["model_id"][0])
        )
        for verdict, (marker, label) in _MARKS.items():
            hits = of_model.filter(pl.col("verdict").cast(pl.String) == verdict)
            if hits.height:
                shown = label if label not in named else None
                named.add(label)
                axes.scatter(
                    hits["day"].to_list(),
                    hits["score"].to_list(),
                    marker=marker,
                    s=60,
                    label=shown,
                    color=line.get_color(),
                )
    for threshold, what, colour in (
        (settings.retrain_score, "retrain above", "tab:orange"),
        (settings.alert_score, "alert above", "tab:red"),
    ):
        axes.axhline(threshold, color=colour, linestyle="--", linewidth=1, label=f"{what} {threshold:.2f}")
    top = max([settings.alert_score, *drawn["score"].drop_nulls().to_list()])
    axes.set_ylim(0.0, min(1.0, top * 1.2) or 1.0)
    axes.set_ylabel("share of knowledge lost", fontsize="small")
    axes.tick_params(labelsize="small")
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.spines[["top", "right"]].set_visible(False)
    if verdicts.height:
        # At least a week is shown: one check alone would stand on an axis of years.
        days = verdicts["day"].to_list()
        axes.set_xlim(min([*days, max(days) - timedelta(days=6)]), max(days) + timedelta(days=1))
    axes.legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    return _png(figure)


def _short(model_id: str) -> str:
    name = model_id.replace("_", " ")
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _worth_a_line(verdicts: pl.DataFrame) -> list[str]:
    """All whole models, and the cohorts that lost most."""
    worst = verdicts.group_by("model_id").agg(pl.col("score").max()).sort("score", "model_id", descending=[True, False])
    cohort = pl.col("model_id").str.contains(SEPARATOR, literal=True)
    lost = worst.filter(cohort, pl.col("score") > 0.0).head(MOST_COHORTS)
    return [*worst.filter(~cohort)["model_id"], *lost["model_id"]]


def plot_calibration(window: pl.DataFrame, reference: pl.DataFrame, *, bins: int = 10) -> bytes:
    """Share of correct answers against the probability given, window beside reference, in bins of equal mass.

    Args:
        window: Scored events of the window, not empty.
        reference: Scored events of the reference, not empty.
        bins: Points a line.

    Returns:
        A PNG.
    """
    figure = Figure(figsize=(3.4, 3.2), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for label, events in (("reference", reference), ("window", window)):
        points = (
            events.select("probability", "correct")
            .sort("probability", "correct")
            .with_columns(bin=pl.int_range(pl.len()) * bins // pl.len())
            .group_by("bin", maintain_order=True)
            .agg(pl.col("probability").mean(), pl.col("correct").mean())
        )
        axes.plot(points["probability"].to_list(), points["correct"].to_list(), marker=".", label=label)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability given", ylabel="share correct")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize="small", frameon=False)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
