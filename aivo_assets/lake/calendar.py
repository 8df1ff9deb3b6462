"""The first day of the platform's daily partitions, kept in the lake."""

import json
from datetime import date

from aivo_assets.lake.store import Lake

CALENDAR = "calendar.json"


def first_day(lake: Lake, *, otherwise: date) -> date:
    """First day with events that the lake knows of, or `otherwise` where it knows none."""
    content = lake.read_document(CALENDAR)
    return otherwise if content is None else _day(content)


def extend(lake: Lake, day: date) -> date:
    """Make sure that the calendar reaches back to `day`; it never gets shorter. Returns its first day."""

    def compose(content: bytes | None) -> bytes | None:
        if content is not None and _day(content) <= day:
            return None
        return json.dumps({"first_day": day.isoformat()}).encode()

    content = lake.change_document(CALENDAR, compose)
    return day if content is None else _day(content)


def _day(content: bytes) -> date:
    return date.fromisoformat(json.loads(content)["first_day"])
