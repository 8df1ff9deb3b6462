"""Raw answers of a few learners, for tests of what needs somebody to be known."""

from datetime import datetime

import polars as pl

from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake


def land_answers(lake: Lake, at: datetime, *answers: tuple[str, str, list[str]]) -> None:
    """Write a day of answers, each a learner, a subject and its skills, in the place of what the day held."""
    made = [
        {
            **dict.fromkeys(RAW_INTERACTIONS.schema),
            "event_id": str(number),
            "learner_id": learner,
            "item_id": f"item-{number}",
            "subject": subject,
            "skill_ids": skills,
            "occurred_at": at,
            "correct": 1,
        }
        for number, (learner, subject, skills) in enumerate(answers)
    ]
    lake.write(RAW_INTERACTIONS, pl.DataFrame(made, schema=dict(RAW_INTERACTIONS.schema)), day=at.date())
