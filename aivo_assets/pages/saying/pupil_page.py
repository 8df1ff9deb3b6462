"""The page of a pupil for teachers, in words. Belongs here: what its template is given."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from aivo_assets.pages.reading.class_view import standing_of
from aivo_assets.pages.reading.learner_view import LearnerView
from aivo_assets.pages.reading.rewording import in_language
from aivo_assets.pages.saying.advice import told
from aivo_assets.pages.saying.charts import Point, chart
from aivo_assets.pages.saying.class_page import SIGNS, pins_of
from aivo_assets.pages.saying.decisions import decisions
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.texts import Texts
from aivo_assets.settings import PolicySettings

MOST_DAYS: Final = 14  # of a series in a table
MOST_SERIES: Final = 6


def pupil_values(
    view: LearnerView,
    names: Names,
    texts: Texts,
    words: Sequence[Mapping[str, Any]],
    *,
    today: date,
    settings: PolicySettings,
) -> dict[str, Any]:
    """What `pupil.html` speaks of; the arguments are those of `class_values`."""
    said = in_language(view.advice, texts.code, settings, pins_of(words))
    day = view.day or today
    held = sum(bool(each["held"]) for each in view.outcomes)
    return {
        "view": view,
        "name": names.learner(view.learner),
        "advice": [told(row, names, texts, day=day, words=words) for row in said],
        "ability": series(view.ability, texts("pupil.ability_caption"), texts),
        "skills": list(_skills(view.skills, names, texts, settings)),
        "growth": list(_growth(view, names, texts)),
        "outcomes": [_outcome(each, names, texts) for each in view.outcomes],
        "outcomes_say": texts("pupil.outcomes_say", count=len(view.outcomes), held=held) if view.outcomes else "",
        "words": decisions(words, names, texts),
        "signs": SIGNS,
    }


def series(rows: pl.DataFrame, caption: str, texts: Texts) -> dict[str, Any]:
    """Shares over time as a chart and as a table, of day, value, lower, upper."""
    points = [Point(*row) for row in rows.select("day", "value", "lower", "upper").iter_rows()]
    table = [
        {"day": texts.date(each.day), "value": texts.percent(each.value), "band": band(each.lower, each.upper, texts)}
        for each in reversed(points[-MOST_DAYS:])
    ]
    return {"caption": caption, "chart": chart(points, texts), "rows": table}


def band(lower: float, upper: float, texts: Texts) -> str:
    """A range of shares in words."""
    return texts("pupil.range", low=texts.percent(lower), high=texts.percent(upper))


def _skills(skills: pl.DataFrame, names: Names, texts: Texts, settings: PolicySettings) -> Iterator[dict[str, Any]]:
    for (subject,), part in skills.partition_by("subject", as_dict=True, maintain_order=True).items():
        rows = [
            {
                "skill": names.skill(row["skill_id"], row["subject"]),
                "standing": standing_of(row["mastery_lower"], row["mastery_upper"], row["opportunities"], settings),
                "mastery": texts.percent(row["mastery"]),
                "band": band(row["mastery_lower"], row["mastery_upper"], texts),
                "level": "–" if row["level"] is None else str(row["level"]),
                "answers": texts.number(row["opportunities"]),
                "last": texts.date(row["last_practised_at"].astimezone(texts.zone).date())
                if row["last_practised_at"]
                else "–",
            }
            for row in part.iter_rows(named=True)
        ]
        yield {"name": names.subject(str(subject)), "rows": rows}


def _growth(view: LearnerView, names: Names, texts: Texts) -> Iterator[dict[str, Any]]:
    """Mastery over time of the skills that the advice is about, where there is more than one day."""
    wanted = [(row["subject"], row["skill_id"]) for row in view.advice[:MOST_SERIES]]
    for subject, skill in wanted:
        rows = view.mastery.filter(pl.col("subject") == subject, pl.col("skill_id") == skill)
        if rows.height > 1:
            name = names.skill(skill, subject)
            yield {"skill": name, **series(rows, texts("pupil.skill_caption", skill=name), texts)}


def _outcome(row: Mapping[str, Any], names: Names, texts: Texts) -> str:
    return texts(
        "pupil.outcome_held" if row["held"] else "pupil.outcome_missed",
        day=texts.date(row["recommended_on"]),
        skill=names.skill(row["skill_id"], row["subject"]),
        right=row["successes"],
        total=row["expected_attempts"],
        expected=row["expected_successes"],
    )
