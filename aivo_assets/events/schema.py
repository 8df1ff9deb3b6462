"""The one event schema and the learner table beside it. Belongs here: columns, dtypes and rules of the raw zone.

Rows have raw identifiers and may be personal data; nothing past `privacy/` reads them.
"""

from datetime import UTC, date, datetime

import dataframely as dy

from aivo_assets.lake import Dataset

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


class Event(dy.Schema):
    """One answer of one learner to one item. Times are UTC."""

    event_id = dy.String(primary_key=True)
    learner_id = dy.String(min_length=1)
    item_id = dy.String(min_length=1)
    skill_ids = dy.List(dy.String(min_length=1), min_length=1)
    subject = dy.String(min_length=1)
    occurred_at = dy.Datetime(time_unit="us", time_zone="UTC", min=EARLIEST)
    correct = dy.Int8(is_in=[0, 1])
    response_time_ms = dy.Int64(nullable=True, min=0)
    hint_count = dy.Int32(nullable=True, min=0)
    attempt_number = dy.Int32(nullable=True, min=1)
    session_id = dy.String(nullable=True)
    focus = dy.Float64(nullable=True, min=0.0, max=1.0)
    assignment_id = dy.String(nullable=True)
    teacher_id = dy.String(nullable=True)
    class_id = dy.String(nullable=True)
    school_id = dy.String(nullable=True)


class Learner(dy.Schema):
    """What a school knows of a learner. All but the identifier is optional."""

    learner_id = dy.String(primary_key=True, min_length=1)
    name = dy.String(nullable=True)
    email = dy.String(nullable=True)
    birth_date = dy.Date(nullable=True, min=date(1900, 1, 1))
    grade = dy.String(nullable=True)
    gender = dy.String(nullable=True)
    region = dy.String(nullable=True)
    disability = dy.String(nullable=True)


class Quarantined(dy.Schema):
    """A row, or a value of a row, that was set aside, and why. One row a problem.

    `location` names the file or table; `row` is the line of a file (1 = first line) or the cursor of a table.
    """

    batch_id = dy.String()
    location = dy.String()
    row = dy.Int64(nullable=True)
    column = dy.String(nullable=True)
    value = dy.String(nullable=True)
    reason = dy.String()


RAW_INTERACTIONS = Dataset("raw/interactions", Event.create_empty().schema, unit="day")
RAW_LEARNERS = Dataset("raw/learners", Learner.create_empty().schema)
