"""One learner as a page that needs nothing beside it. Belongs here: its sections and pictures; nothing is computed."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from aivo_assets.adaptive.advice.student_view import StudentView
from aivo_assets.adaptive.advice.wording import Wording
from aivo_assets.documents import Block, Bullets, Document, Paragraph, Picture, Section, Table
from aivo_assets.language import Language
from aivo_assets.tracing.card.plots import BASELINE_COLOUR, MODEL_COLOUR, REFERENCE_COLOUR, as_png, new_figure

MOST_SKILLS = 40  # shown in one picture; the table has all of them
_SUBJECT_COLOURS = (MODEL_COLOUR, BASELINE_COLOUR, "#3d8a5a", "#7a4fa3", "#8a6d1f")


def student_page(view: StudentView, interval: float, wording: Wording) -> Document:
    """A learner's page.

    Args:
        view: The learner.
        interval: Nominal cover of the bands.
        wording: The words of the recommendation, and how dates are written.
    """
    language = wording.spoken
    student = view.student
    sections = [
        Section("What to do next", (*_advice(view.recommendations, language), *_words(view, language))),
        Section("Mastery by skill", (Picture("mastery.png", mastery_png(view), _MASTERY_SAYS.format(interval)),
                                     _mastery_table(view.skills, wording))),
        Section("Ability", tuple(_ability(view, interval))),
        Section("The last answers", (_answers(view.events, language),)),
    ]  # fmt: skip
    return Document(
        title=f"Learner {view.learner[:8]}…",
        subtitle=f"{student['events']:,} answers; as of {language.date(student['day'])}, main brain version "
        f"{student['model_version']}. Pseudonym {view.learner}.",
        sections=tuple(sections),
    )


_MASTERY_SAYS = (
    "Mastery of each skill: the probability of a right answer on a typical item of it now. "
    "The line is a band that should hold the truth {:.0%} of the time. "
    "The table below also says at which level the learner is to work, how many answers are expected to be right there, "
    "and on which plan; it is empty where nothing has been recommended yet, or not for four weeks."
)


def _advice(recommendations: pl.DataFrame, language: Language) -> Iterator[Block]:
    if recommendations.is_empty():
        yield Paragraph("There is no recommendation yet.")
        return
    first = recommendations.row(0, named=True)
    yield Paragraph(f"{headline(first, language)} {first['reasoning']}")
    yield Bullets(tuple(first["suggested_actions"]))
    others = tuple(headline(row, language) for row in recommendations[1:].iter_rows(named=True))
    if others:
        yield Paragraph("After that:")
        yield Bullets(others)


def _words(view: StudentView, language: Language) -> Iterator[Block]:
    if view.words:
        yield Paragraph("What teachers said:")
        yield Bullets(tuple(word_line(row, language) for row in view.words))


def word_line(row: Mapping[str, Any], language: Language) -> str:
    """A teacher's word and what came of it in a line."""
    what = f"level {row['level']} until {row['until']}" if row["action"] == "pin" else row["kind"].replace("_", " ")
    return f"{language.date(row['given_at'].date())}, {row['skill_id']}: {row['action']} {what}. {row['outcome']}"


def headline(row: dict[str, Any], language: Language) -> str:
    """A recommendation in a line: what to do, how pressing, how sure, as of when."""
    sure = "" if row["confidence"] is None else f", {row['confidence']:.0%} sure"
    what = row["headline"] or f"{row['skill_id']}: {row['kind'].replace('_', ' ')}."  # made before there were headlines
    return f"{what} ({row['priority']} priority{sure}, as of {language.date(row['day'])})"


def level_and_plan(row: dict[str, Any], wording: Wording) -> tuple[str, str, str]:
    """Of a row of mastery the level in force, the success expected there, and the plan; empty where none is."""
    level, success = row["level"], row["success_at_level"]
    return "" if level is None else str(level), "" if success is None else f"{success:.0%}", wording.plan(row["plan"])


def _mastery_table(skills: pl.DataFrame, wording: Wording) -> Table:
    return Table(
        ("skill", "subject", "mastery", "band", "level", "success there", "plan", "answers", "right", "last practised"),
        tuple(
            (
                row["skill_id"], row["subject"], f"{row['mastery']:.0%}",
                f"{row['mastery_lower']:.0%} to {row['mastery_upper']:.0%}", *level_and_plan(row, wording),
                f"{row['opportunities']:,}",
                f"{row['wins']:,}", _date(row["last_practised_at"], wording.spoken),
            )
            for row in skills.iter_rows(named=True)
        ),
    )  # fmt: skip


def _date(instant: datetime | None, language: Language) -> str:
    return "never" if instant is None else language.date(instant.date())


def _ability(view: StudentView, interval: float) -> Iterator[Block]:
    student = view.student
    below = float((view.peers < student["ability"]).mean() or 0.0) if len(view.peers) else 0.0
    yield Paragraph(
        f"{student['ability']:+.2f} logits, {interval:.0%} band {student['ability_lower']:+.2f} to "
        f"{student['ability_upper']:+.2f}. 0 is an average learner; {below:.0%} of the learners with answers are below."
    )
    yield Picture(
        "ability.png", ability_png(view), "Ability of this learner with its band, before the spread of all learners."
    )
    if view.history.height > 1:
        yield Picture("history.png", history_png(view), "Ability as of each day on which the model was made.")


def _answers(events: pl.DataFrame, language: Language) -> Block:
    if events.is_empty():
        return Paragraph("There is no answer yet: all of the above is what is said of somebody unknown.")
    return Table(
        ("item", "when (UTC)", "skills", "answer", "seconds", "hints"),
        tuple(
            (
                row["item_id"], language.instant(row["occurred_at"]), ", ".join(row["skill_ids"] or ()),
                "right" if row["correct"] else "wrong",
                "" if row["response_time_ms"] is None else f"{row['response_time_ms'] / 1000:.0f}",
                "" if row["hint_count"] is None else str(row["hint_count"]),
            )
            for row in events.iter_rows(named=True)
        ),
    )  # fmt: skip


def mastery_png(view: StudentView) -> bytes:
    """Mastery with its band, a line a skill; the most practised ones where there are many."""
    most = view.skills.sort("opportunities", "skill_id", descending=[True, False]).head(MOST_SKILLS)
    skills = most.sort("subject", "mastery", "skill_id", descending=[True, False, False])
    figure, axes = new_figure(width=7.0, height=1.0 + 0.24 * skills.height)
    subjects = skills["subject"].unique().sort().to_list()
    for number, subject in enumerate(subjects):
        rows = np.flatnonzero((skills["subject"] == subject).to_numpy())
        part = skills[rows]
        error = [part["mastery"] - part["mastery_lower"], part["mastery_upper"] - part["mastery"]]
        colour = _SUBJECT_COLOURS[number % len(_SUBJECT_COLOURS)]
        axes.errorbar(
            part["mastery"], rows, xerr=[np.maximum(each.to_numpy(), 0.0) for each in error], fmt="o", color=colour,
            markersize=4, linewidth=1.3, label=subject,
        )  # fmt: skip
    axes.set_yticks(range(skills.height), skills["skill_id"].to_list())
    axes.set(xlim=(0, 1), xlabel="probability of a right answer on a typical item")
    axes.legend(fontsize=7, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(subjects))
    return as_png(figure)


def ability_png(view: StudentView) -> bytes:
    """The learner's ability with its band, and all learners' as a histogram."""
    figure, axes = new_figure(width=7.0, height=2.2)
    axes.hist(view.peers.to_numpy(), bins=40, color=REFERENCE_COLOUR, alpha=0.5)
    student = view.student
    height = 0.5 * axes.get_ylim()[1]
    reach = [[student["ability"] - student["ability_lower"]], [student["ability_upper"] - student["ability"]]]
    axes.errorbar([student["ability"]], [height], xerr=reach, fmt="o", color=MODEL_COLOUR, markersize=6, linewidth=2)
    axes.set(xlabel="ability, logits", ylabel="learners")
    return as_png(figure)


def history_png(view: StudentView) -> bytes:
    """Ability over the days on which the model was made."""
    figure, axes = new_figure(width=7.0, height=2.4)
    days = np.array(view.history["day"].to_list(), dtype="datetime64[D]")
    lower, upper = view.history["ability_lower"].to_numpy(), view.history["ability_upper"].to_numpy()
    axes.fill_between(days, lower, upper, color=MODEL_COLOUR, alpha=0.2, linewidth=0)
    axes.plot(days, view.history["ability"].to_numpy(), color=MODEL_COLOUR, marker="o", markersize=3, linewidth=1.2)
    axes.set_ylabel("ability, logits")
    figure.autofmt_xdate(rotation=30)
    return as_png(figure)
