"""Plots of a model card beyond those of an evaluation. Belongs here: PNG bytes; no computation."""

from collections.abc import Mapping, Sequence

from aivo_assets.tracing.card.measures import Curve, GroupMeasure, Roc
from aivo_assets.tracing.card.plots import BASELINE_COLOUR, MODEL_COLOUR, REFERENCE_COLOUR, as_png, new_figure


def roc_png(curves: Mapping[str, Roc]) -> bytes:
    """Share of right answers found against share of wrong ones mistaken; the diagonal is guessing."""
    figure, axes = new_figure()
    axes.plot([0, 1], [0, 1], color=REFERENCE_COLOUR, linewidth=1, linestyle="--")
    for (name, curve), colour in zip(curves.items(), (MODEL_COLOUR, BASELINE_COLOUR), strict=False):
        axes.plot(curve.wrong, curve.right, color=colour, linewidth=1.2, label=name)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="share of wrong answers above", ylabel="share of right answers above")
    axes.legend(fontsize=7, frameon=False, loc="lower right")
    return as_png(figure)


def groups_png(groups: Sequence[GroupMeasure]) -> bytes:
    """Log loss by group with its interval; the line is everybody's."""
    figure, axes = new_figure(width=5.6, height=1.0 + 0.24 * len(groups))
    places = list(range(len(groups)))[::-1]
    means = [group.log_loss.mean for group in groups]
    below = [group.log_loss.mean - group.log_loss.lower for group in groups]
    above = [group.log_loss.upper - group.log_loss.mean for group in groups]
    axes.axvline(means[0], color=REFERENCE_COLOUR, linewidth=0.8, linestyle="--")
    axes.errorbar(means, places, xerr=[below, above], fmt="o", color=MODEL_COLOUR, markersize=3.5, linewidth=1.2)
    axes.set_yticks(places, [group.name for group in groups])
    axes.set_xlabel("log loss, with 95 % interval (further left is better)")
    return as_png(figure)


def importance_png(increase: Mapping[str, float]) -> bytes:
    """How much log loss rises without each feature, the most important on top."""
    figure, axes = new_figure(width=5.6, height=0.9 + 0.22 * len(increase))
    places = list(range(len(increase)))[::-1]
    axes.barh(places, list(increase.values()), color=MODEL_COLOUR, height=0.65)
    axes.set_yticks(places, [name.replace("_", " ") for name in increase])
    axes.set_xlabel("rise of log loss without it")
    return as_png(figure)


def curve_png(curves: Sequence[Curve]) -> bytes:
    """Log loss by boosting round, on the answers that were fitted and on those that ended it."""
    figure, axes = new_figure()
    for place, curve in enumerate(curves):
        for values, colour, name in (
            (curve.fitted, BASELINE_COLOUR, "fitted on"),
            (curve.held_out, MODEL_COLOUR, "held out"),
        ):
            axes.plot(range(values.size), values, color=colour, linewidth=1.2, label=name if not place else None)
    axes.set(xlabel="boosting rounds", ylabel="log loss (lower is better)")
    axes.legend(fontsize=7, frameon=False)
    return as_png(figure)
