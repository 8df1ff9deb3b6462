"""The pages of a learner and of their parents, in words. Belongs here: what their templates are given.

Both speak of the learner alone: nothing on them compares a child with another one.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from aivo_assets.kinds import BREAK, CHANGE_APPROACH, LEVEL_DOWN, LEVEL_UP, REMEDIATION
from aivo_assets.pages.reading.class_view import standing_of
from aivo_assets.pages.reading.learner_view import LearnerView, Week
from aivo_assets.pages.reading.rewording import in_language
from aivo_assets.pages.saying.class_page import SIGNS
from aivo_assets.pages.saying.names import Content, Names
from aivo_assets.pages.texts import Texts
from aivo_assets.settings import PolicySettings

EXERCISES: Final = 5
ADVICE: Final = 3
HELP: Final = {REMEDIATION: "basics", CHANGE_APPROACH: "way", LEVEL_DOWN: "easier", LEVEL_UP: "praise", BREAK: "break"}
"""How a parent can help, by kind; every other kind is helped by interest."""


def learner_values(
    view: LearnerView, names: Names, texts: Texts, *, chosen: Sequence[tuple[str, str]], settings: PolicySettings
) -> dict[str, Any]:
    """What `learner.html` speaks of.

    Args:
        view: The learner.
        names: For the viewer.
        texts: In their language.
        chosen: Subject and skill that the learner asked to work on, the newest first.
        settings: Of the policy.
    """
    order = {pair: place for place, pair in enumerate(chosen)}
    mine = sorted(view.advice, key=lambda row: order.get((row["subject"], row["skill_id"]), len(order)))
    rows = in_language(mine[:ADVICE], texts.code, settings)
    skills = [
        {"subject": row["subject"], "id": row["skill_id"], "says": names.skill(row["skill_id"], row["subject"])}
        for row in view.advice
    ]
    return {
        "view": view,
        "rows": [_for_learner(row, names, texts) for row in rows],
        "exercises": exercises(rows, names),
        "weeks": weeks_said(view.weeks, texts),
        "week_says": week_against(view.weeks, texts, "learner"),
        "secure": [
            names.skill(row["skill_id"], row["subject"])
            for row in view.skills.iter_rows(named=True)
            if standing_of(row["mastery_lower"], row["mastery_upper"], row["opportunities"], settings) == "secure"
        ],
        "skills": sorted(skills, key=lambda each: str(each["says"]).casefold()),
        "chosen": [names.skill(skill, subject) for subject, skill in chosen[:1]],
        "signs": SIGNS,
    }


def parent_values(view: LearnerView, names: Names, texts: Texts, *, settings: PolicySettings) -> dict[str, Any]:
    """What `parent.html` speaks of; the arguments are those of `learner_values`."""
    rows = in_language(view.advice[:ADVICE], texts.code, settings)
    helps = dict.fromkeys(HELP.get(row["kind"], "interest") for row in rows)
    return {
        "view": view,
        "name": names.learner(view.learner),
        "rows": [
            {"text": row["reasoning_parent"] or "", "said_in": row["said_in"], "label": texts(f"kinds.{row['kind']}"),
             "skill": names.skill(row["skill_id"], row["subject"])}
            for row in rows
        ],
        "helps": [texts(f"parent.help_{each}") for each in helps],
        "weeks": weeks_said(view.weeks, texts),
        "week_says": week_against(view.weeks, texts, "parent"),
    }  # fmt: skip


def exercises(rows: Sequence[dict[str, Any]], names: Names) -> list[Content]:
    """The next exercises, those of the first advice first, each once."""
    items = dict.fromkeys(item for row in rows for item in row["content"] or ())
    return [names.item(item) for item in list(items)[:EXERCISES]]


def weeks_said(weeks: Sequence[Week], texts: Texts) -> list[dict[str, str]]:
    """Weeks as rows of a table, the newest first."""
    return [
        {
            "until": texts.date(week.last),
            "answers": texts.number(week.answers),
            "right": texts.percent(week.right / week.answers) if week.answers else "–",
            "days": texts.number(week.days),
        }
        for week in weeks
    ]


def week_against(weeks: Sequence[Week], texts: Texts, reader: str) -> str:
    """This week against the learner's own weeks before, in a sentence."""
    if not weeks:
        return texts(f"{reader}.no_weeks")
    this, before = weeks[0], [week.answers for week in weeks[1:]]
    if not before:
        return texts(f"{reader}.first_week", count=this.answers)
    usual = round(sum(before) / len(before))
    trend = "more" if this.answers > usual * 1.2 else "less" if this.answers < usual * 0.8 else "same"
    return texts(f"{reader}.week_{trend}", count=this.answers, usual=texts.number(usual))


def _for_learner(row: dict[str, Any], names: Names, texts: Texts) -> dict[str, Any]:
    goal = ""
    if row["expected_attempts"]:
        skill = names.skill(row["skill_id"], row["subject"])
        needed, total, level = row["expected_successes"], row["expected_attempts"], row["recommended_level"]
        goal = texts("learner.goal", skill=skill, needed=needed, total=total, level=level)
    return {
        "text": row["reasoning_learner"] or "",
        "said_in": row["said_in"],
        "goal": goal,
        "subject": row["subject"],
        "skill_id": row["skill_id"],
        "skill": names.skill(row["skill_id"], row["subject"]),
    }


def day_of(view: LearnerView, texts: Texts) -> str:
    """Up to which day a page includes answers; nothing where none is known."""
    day: date | None = view.day
    return "" if day is None else texts.date(day)
