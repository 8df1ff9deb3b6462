"""The allow-list: the only columns that leave the raw zone. A column that is not here does not exist past it.

`learner`, `teacher`, `class_`, `school`, `session`, `assignment` and `event` are keyed pseudonyms (32 hex characters);
`item_id`, `skill_ids` and `subject` name content, not people, and stay as they are.
"""

import polars as pl

from aivo_assets.lake import Dataset

ANONYMISED_INTERACTIONS = Dataset(
    "anonymised/interactions",
    {
        "event": pl.String,
        "learner": pl.String,
        "shard": pl.Int32,
        "day": pl.Date,  # UTC day on which the event happened
        "occurred_at": pl.Datetime("us", "UTC"),  # floored to the privacy resolution
        "sequence": pl.Int32,  # 0, 1, 2 … in the exact order of the learner's events of this day
        "gap_s": pl.Int32,  # whole seconds since the learner's event before, on this day; null for the first
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
        "age_band": pl.String,
        "grade": pl.String,
        "gender": pl.String,
        "region": pl.String,
        "disability": pl.String,
    },
)
