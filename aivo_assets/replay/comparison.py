"""Two replays side by side: what was set differently, and what came of it. Belongs here: the comparing document."""

from pathlib import Path
from typing import Final

from aivo_assets.documents import Block, Document, Paragraph, Picture, Section
from aivo_assets.replay import plots
from aivo_assets.replay.figures import causes, differing, key_figures
from aivo_assets.replay.record import Costs, Record
from aivo_assets.replay.report import page, table

COMPARISON: Final = "comparison.html"
WIDTH: Final = 4.9
STYLE: Final = "figure { width: 48%; margin-right: 1%; }\nfigure img { width: 100%; }\n"
"""Two pictures stand in one row, however wide the window is."""
PLOTS: Final = (
    ("The champion on answers to come", plots.scores_png, "Log loss by day"),
    ("AUC", plots.auc_png, "AUC by day"),
    ("Challengers", plots.decisions_png, "Challengers beside what they were held against"),
    ("Drift", plots.drift_png, "Drift score by check"),
    ("Recommendations", plots.recommendations_png, "Learners by kind"),
)

Replayed = tuple[str, Record, Costs]


def comparison(one: Replayed, other: Replayed) -> Document:
    """The document about two replays.

    Args:
        one: Name, record and costs of the first.
        other: The same of the second.
    """
    (left, first, here_costs), (right, second, there_costs) = one, other
    return Document(
        title=f"Two replays: {left} and {right}",
        subtitle=f"{left} to the left, {right} to the right.",
        sections=(
            Section("What differs", tuple(_different(one, other))),
            Section("In numbers", tuple(_numbers(one, other))),
            Section("What asked for training", tuple(_asked(one, other))),
            *(
                Section(
                    title,
                    (
                        Picture("left.png", plot(first, width=WIDTH), f"{left}: {says}."),
                        Picture("right.png", plot(second, width=WIDTH), f"{right}: {says}."),
                    ),
                )
                for title, plot, says in PLOTS
            ),
            Section(
                "Cost",
                (
                    Picture(
                        "left.png",
                        plots.cost_png(first, here_costs, width=WIDTH),
                        f"{left}: processor seconds, by job.",
                    ),
                    Picture("right.png", plots.cost_png(second, there_costs, width=WIDTH), f"{right}: the same."),
                ),
            ),
        ),
    )


def write_comparison(folder: Path, one: Replayed, other: Replayed) -> Path:
    """Write the comparison into a folder, and return where it is."""
    path = folder / COMPARISON
    path.write_text(page(comparison(one, other), STYLE))
    return path


def _different(one: Replayed, other: Replayed) -> list[Block]:
    (left, first, _), (right, second, _) = one, other
    about = ("source", "first", "last", "learners", "events", "seed", "every_tick")
    data = [
        (name.replace("_", " "), str(getattr(first, name)), str(getattr(second, name)))
        for name in about
        if getattr(first, name) != getattr(second, name)
    ]
    settings = differing(first.settings, second.settings)
    blocks = table(("setting", left, right), settings, nothing="All settings are equal.")
    if data:
        blocks.append(Paragraph("The two did not replay the same events, so their scores cannot be compared:"))
        blocks += table(("", left, right), data, nothing="")
    return blocks


def _numbers(one: Replayed, other: Replayed) -> list[Block]:
    first, second = key_figures(one[1], one[2]), key_figures(other[1], other[2])
    rows = [(name, value, second[name]) for name, value in first.items()]
    return table(("", one[0], other[0]), rows, nothing="")


def _asked(one: Replayed, other: Replayed) -> list[Block]:
    first, second = causes(one[1]), causes(other[1])
    rows = [
        (f"{by}: {job}".replace("_", " "), _won(first.get((by, job))), _won(second.get((by, job))))
        for by, job in sorted(first.keys() | second.keys())
    ]
    return table(("asked by: job", one[0], other[0]), rows, nothing="Nothing asked for training in either.")


def _won(counted: tuple[int, int] | None) -> str:
    return "none" if counted is None else f"{counted[0]:,}, {counted[1]:,} promoted"
