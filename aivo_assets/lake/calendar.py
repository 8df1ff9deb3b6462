"""The first day of the platform's daily partitions, kept in the lake. Nothing else about time belongs here."""

import json
from datetime import date

from aivo_assets.lake.store import Lake

CALENDAR = "calendar.json"


def first_day(lake: Lake, *, otherwise: date) -> date:
    """First day with events that the lake knows of, or `otherwise` where it knows none."""
    try:
        return date.fromisoformat(json.loads((lake.root / CALENDAR).read_text())["first_day"])
    except FileNotFoundError:
        return otherwise


def extend(lake: Lake, day: date) -> date:
    """Make sure that the calendar reaches back to `day`; it never gets shorter. Returns its first day."""
    present = first_day(lake, otherwise=date.max)
    if day < present:
        lake.write_bytes(CALENDAR, json.dumps({"first_day": day.isoformat()}).encode())
        return day
    return present
