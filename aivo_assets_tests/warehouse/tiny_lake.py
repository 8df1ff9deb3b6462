"""A lake so small that every figure of the marts can be worked out by hand. Belongs here: its rows; no expectation.

Ann, Bob and Cy are one class, Dee is in none. In maths Ann answers `x` twice; `z` is seen by Ann and Bob alone. `y`
names its first skill twice. Art is apart from maths, and is practised in two weeks that do not touch.
"""

from datetime import UTC, date, datetime

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS

ANN, BOB, CY, DEE = (letter * 32 for letter in "abcd")
CLASS = "1" * 32
_SKILLS = {"x": ["adding"], "y": ["adding", "adding", "carrying"], "z": ["carrying"], "w": ["colours"]}

# learner, day of March, item, correct, response_time_ms, hint_count
_ANSWERS = [
    (ANN, 4, "x", 1, 1000, 0),
    (ANN, 5, "x", 1, 2000, None),
    (ANN, 5, "y", 1, None, None),
    (ANN, 5, "z", 1, None, None),
    (BOB, 4, "x", 1, 3000, 2),
    (BOB, 4, "y", 0, None, None),
    (BOB, 11, "z", 0, None, None),
    (CY, 4, "x", 0, 4000, 0),
    (CY, 11, "y", 0, None, None),
    (DEE, 4, "x", 0, None, 1),
    (DEE, 4, "y", 0, None, None),
    (ANN, 4, "w", 1, None, None),
    (BOB, 4, "w", 0, None, None),
    (CY, 4, "w", 0, None, None),
    (ANN, 18, "w", 1, None, None),
    (BOB, 18, "w", 1, None, None),
    (CY, 18, "w", 0, None, None),
]


def interactions() -> pl.DataFrame:
    """The rows, columns of ANONYMISED_INTERACTIONS."""
    rows = [
        {
            "event": f"{number:032x}",
            "learner": learner,
            "shard": number % 2,
            "day": date(2024, 3, day),
            "occurred_at": datetime(2024, 3, day, 9, tzinfo=UTC),
            "sequence": number,
            "item_id": item,
            "skill_ids": _SKILLS[item],
            "subject": "art" if item == "w" else "maths",
            "correct": correct,
            "response_time_ms": response_time_ms,
            "hint_count": hint_count,
            "class_": None if learner == DEE else CLASS,
        }
        for number, (learner, day, item, correct, response_time_ms, hint_count) in enumerate(_ANSWERS)
    ]
    return pl.DataFrame(rows, schema=dict(ANONYMISED_INTERACTIONS.schema))


def learners() -> pl.DataFrame:
    """The learners, columns of ANONYMISED_LEARNERS."""
    rows = [{"learner": learner, "shard": 0, "age_band": "9-11"} for learner in (ANN, BOB, CY, DEE)]
    return pl.DataFrame(rows, schema=dict(ANONYMISED_LEARNERS.schema))


def write(lake: Lake, frame: pl.DataFrame) -> None:
    """Write answers day by day, and the learners."""
    for (day,), rows in frame.group_by("day"):
        lake.write(ANONYMISED_INTERACTIONS, rows, day=day)
    lake.write(ANONYMISED_LEARNERS, learners())
