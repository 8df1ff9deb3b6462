"""What learners say of their own advice. Belongs here: keeping it and reading it; it decides no level.

A learner's word moves what they choose to the front of their own page and is shown to their teacher. It never changes a
level, so that it cannot lower what a teacher set.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from aivo_assets.lake import Dataset, Lake

LEARNER_WORDS: Final = Dataset(
    "pages/learner_words",
    {
        "day": pl.Date,
        "said_at": pl.Datetime("us", "UTC"),
        "learner": pl.String,
        "subject": pl.String,
        "skill_id": pl.String,
        "says": pl.String,
    },
    unit="day",
)
"""A row a word: `too_hard`, `too_easy` or `choose`; the learner is a pseudonym."""

SAYS: Final = ("too_hard", "too_easy", "choose")
DAYS_HELD: Final = 14
"""So long a choice stays in front, and a word is shown to the teacher."""


def keep_word(lake: Lake, *, learner: str, subject: str, skill: str, says: str, now: datetime) -> None:
    """Keep a word. The same word of one day is one.

    Args:
        lake: Where it is kept.
        learner: The pseudonym.
        subject: Of the skill.
        skill: What it is about.
        says: One of `SAYS`.
        now: The present instant, UTC.
    """
    day = now.date()
    row = {"day": day, "said_at": now, "learner": learner, "subject": subject, "skill_id": skill, "says": says}
    new = pl.DataFrame([row], schema=dict(LEARNER_WORDS.schema))
    same = ["learner", "subject", "skill_id", "says"]

    def add(before: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([before, new]).unique(same, keep="first", maintain_order=True)

    lake.update(LEARNER_WORDS, add, day=day, made_by={"run": "a page"})


def read_words(lake: Lake, *, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """What learners said in the last two weeks, the newest first, by learner."""
    days = [now.date() - timedelta(days=back) for back in range(DAYS_HELD)]
    by_learner: dict[str, list[dict[str, Any]]] = {}
    for row in lake.scan(LEARNER_WORDS, days=days).sort("said_at", descending=True).collect().to_dicts():
        by_learner.setdefault(row["learner"], []).append(row)
    return by_learner


def choices(words: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Subject and skill of what a learner chose, the newest first."""
    return [(word["subject"], word["skill_id"]) for word in words if word["says"] == "choose"]
