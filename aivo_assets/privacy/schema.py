"""The allow-list: the only columns that leave the raw zone. A column that is not here does not exist past it.

`learner`, `teacher`, `class_`, `school`, `session`, `assignment` and `event` are keyed pseudonyms (32 hex characters);
`item_id`, `skill_ids` and `subject` name content, not people, and stay as they are.
"""

from typing import Final

import polars as pl

from aivo_assets.lake import Dataset

ATTRIBUTES: Final = ("age_band", "grade", "gender", "region", "disability")
"""What is published of a learner; nothing else that a school knows of them leaves the raw zone."""
SUPPRESSED: Final = "*"
"""Stands for an attribute that is known and hidden, because too few learners share it; what is not known is null."""

ANONYMISED_INTERACTIONS = Dataset(
    "anonymised/interactions",
    {
        "event": pl.String,
        "learner": pl.String,
        "shard": pl.Int32,
        "day": pl.Date,  # UTC day on which the event happened
        "occurred_at": pl.Datetime("us", "UTC"),  # floored to the privacy resolution
        "sequence": pl.Int32,  # 0, 1, 2 … in the exact order of the learner's events of this day
        "gap_s": pl.Int32,  # between the learner's events of this day, each cut to its whole second; null for the first
        "item_id": pl.String,
        "skill_ids": pl.List(pl.String),
        "subject": pl.String,
        "correct": pl.Int8,
        "response_time_ms": pl.Int64,
        "hint_count": pl.Int32,
        "attempt_number": pl.Int32,
        "session": pl.String,
        "focus": pl.Float64,
        "assignment": pl.String,
        "teacher": pl.String,
        "class_": pl.String,
        "school": pl.String,
    },
    unit="day",
    sharded=True,
)

ANONYMISED_LEARNERS = Dataset(
    "anonymised/learners",
    {
        "learner": pl.String,
        "shard": pl.Int32,
        **dict.fromkeys(ATTRIBUTES, pl.String),
    },
)

COLUMN_DESCRIPTIONS = {
    "event": "Pseudonym of the event.",
    "learner": "Pseudonym of the learner: HMAC-SHA256 under the secret key.",
    "shard": "Shard of the learner, from the pseudonym.",
    "day": "UTC day on which it happened.",
    "occurred_at": "When it happened, floored to the privacy resolution.",
    "sequence": "Place in the exact order of the learner's answers of this day, from 0.",
    "gap_s": "Whole seconds since the learner's answer before, on this day; null for the first.",
    "item_id": "The exercise.",
    "skill_ids": "Skills that the exercise practises.",
    "subject": "Subject of the exercise.",
    "correct": "1 right, 0 wrong.",
    "response_time_ms": "Time taken to answer; null where unknown.",
    "hint_count": "Hints taken; null where unknown.",
    "attempt_number": "Which attempt at the exercise; null where unknown.",
    "session": "Pseudonym of the session that the source names; null where it names none.",
    "focus": "Focus, 0 to 1, where the source measures it.",
    "assignment": "Pseudonym of the assignment.",
    "teacher": "Pseudonym of the teacher.",
    "class_": "Pseudonym of the class.",
    "school": "Pseudonym of the school.",
    "age_band": "Age in years as a band; * where published by nobody this alike.",
    "grade": "Grade, or a band of grades; * where suppressed.",
    "gender": "Gender; * where suppressed.",
    "region": "Region; * where suppressed.",
    "disability": "Disability; * where suppressed.",
}
