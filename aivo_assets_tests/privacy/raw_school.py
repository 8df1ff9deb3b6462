"""Raw events and learners for the privacy tests. Belongs here: building them; no expectation."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.privacy import PseudonymKey

KEY = PseudonymKey("a key for tests that is long enough")
MORNING = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)


def events(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Events with the given values; what a row does not say is filled in."""
    filled = [
        {
            "event_id": f"event-{number:04d}",
            "learner_id": "learner-anna",
            "item_id": "fractions-1",
            "skill_ids": ["fractions"],
            "subject": "maths",
            "occurred_at": MORNING + timedelta(minutes=number),
            "correct": 1,
            **row,
        }
        for number, row in enumerate(rows)
    ]
    return pl.DataFrame(filled, schema=dict(RAW_INTERACTIONS.schema))


def learners(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Learners with the given values; what a row does not say is null."""
    return pl.DataFrame(list(rows), schema=dict(RAW_LEARNERS.schema))


SCHOOL_EVENTS = events(
    [
        {
            "learner_id": f"learner-{name}",
            "session_id": f"session-{name}-{number}",
            "assignment_id": "homework-17",
            "teacher_id": "teacher-hopper",
            "class_id": "7",
            "school_id": "North High School",
        }
        for number, name in enumerate(["anna", "boris", "anna", "chloe"])
    ]
)
SCHOOL_LEARNERS = learners(
    [
        {
            "learner_id": "learner-anna",
            "name": "Anna O'Hara",
            "email": "anna.ohara@example.org",
            "birth_date": date(2012, 5, 17),
            "grade": "6",
        },
        {"learner_id": "learner-boris", "name": "Zoë", "birth_date": date(2011, 1, 2), "grade": "7"},
        {"learner_id": "learner-chloe", "name": "Robinson", "email": "CHLOE@example.org"},
    ]
)
