"""The class page in words. Belongs here: what its template is given."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from aivo_assets.pages.reading.class_view import Cell, ClassView, Group
from aivo_assets.pages.reading.rewording import in_language
from aivo_assets.pages.saying.advice import told
from aivo_assets.pages.saying.decisions import decisions
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.texts import Texts
from aivo_assets.settings import PolicySettings

SHOWN: Final = 6  # needs that stand open; the others are one click away
SIGNS: Final = {"secure": "●", "growing": "◐", "weak": "○", "unsure": "?", "none": "–"}
STALE_DAYS: Final = 3


def class_values(
    view: ClassView,
    names: Names,
    texts: Texts,
    words: Sequence[Mapping[str, Any]],
    *,
    today: date,
    settings: PolicySettings,
) -> dict[str, Any]:
    """What `class.html` speaks of.

    Args:
        view: The class, already of one subject where one was chosen.
        names: For the viewer.
        texts: In their language.
        words: What teachers said of the class, the newest first.
        today: The reader's present day.
        settings: Of the policy.
    """
    said = in_language([*view.needs, *view.ready], texts.code, settings, pins_of(words))
    day = view.day or today
    by_learner: dict[str, list[Mapping[str, Any]]] = {}
    for word in words:
        by_learner.setdefault(word["learner"], []).append(word)
    rows = [told(row, names, texts, day=day, words=by_learner.get(row["learner"], ())) for row in said]
    return {
        "view": view,
        "needs": rows[: len(view.needs)],
        "ready": rows[len(view.needs) :],
        "shown": SHOWN,
        "stuck": len(view.stuck()),
        "groups": [_group(group, names, texts) for group in view.groups],
        "maps": [_map(subject, skills, view, names, texts) for subject, skills in view.skills.items()],
        "missed": [
            {"item": names.item(each.item), "wrong": each.wrong, "answers": each.answers, "learners": each.learners}
            for each in view.missed
        ],
        "words": decisions(words, names, texts),
        "standings": tuple(SIGNS),
        "signs": SIGNS,
        "subject_name": names.subject,
        "stale": stale(view.newest_answer, today, texts),
    }


def pins_of(words: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], date]:
    """Last day of the pins in force, by learner, subject and skill."""
    return {
        (word["learner"], word["subject"], word["skill_id"]): word["until"]
        for word in words
        if word["action"] == "pin" and word["state"] not in ("over", "replaced", "taken back")
    }


def stale(newest: date | None, today: date, texts: Texts) -> str:
    """That nothing new has come for days, where that is so."""
    days = 0 if newest is None else (today - newest).days
    return texts("class.stale", count=days) if days >= STALE_DAYS else ""


def _group(group: Group, names: Names, texts: Texts) -> dict[str, Any]:
    skill = names.skill(group.skill, group.subject)
    return {
        "skill": skill,
        "label": texts(f"kinds.{group.kind}"),
        "learners": [names.learner(each) for each in group.learners],
        "exercises": [names.item(each) for each in group.items],
        "plan": texts.steps(f"class.plan_{group.kind}", skill=skill, level=group.level),
    }


def _map(subject: str, skills: Sequence[str], view: ClassView, names: Names, texts: Texts) -> dict[str, Any]:
    rows = [
        {
            "name": names.learner(learner),
            "href": f"/pupils/{learner}",
            "cells": [_cell(view.cells.get(learner, {}).get((subject, skill)), texts) for skill in skills],
        }
        for learner in view.learners
    ]
    return {
        "subject": names.subject(subject),
        "skills": [names.skill(skill, subject) for skill in skills],
        "rows": sorted(rows, key=lambda row: str(row["name"]).casefold()),
    }


def _cell(cell: Cell | None, texts: Texts) -> dict[str, str]:
    if cell is None or cell.standing == "none":
        return {"standing": "none", "says": "", "band": ""}
    band = f"{round(cell.lower * 100)}–{round(cell.upper * 100)}"
    return {"standing": cell.standing, "says": texts.percent(cell.mastery), "band": band}
