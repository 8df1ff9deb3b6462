"""Taking answers in. Belongs here: judging them as a file's rows are judged, and keeping the good ones; no endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from aivo_assets.events.inbox import Inbox
from aivo_assets.events.intake import validate
from aivo_assets.events.schema import Event
from aivo_assets.events.sources.base import Extract, broken_rows
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms

CONFLICT = "another answer is kept under this event_id; the first one stays"
TWICE = "event_id is there twice in this call, with other content"
_NUL = "\x00"


@dataclass(frozen=True)
class Fate:
    """What became of an answer.

    Attributes:
        event_id: As it was sent.
        status: accepted, known or refused.
        reason: Why it was refused.
    """

    event_id: str
    status: str
    reason: str | None = None


def receive(
    sent: Sequence[dict[str, Any]], inbox: Inbox, key: PseudonymKey, *, now: datetime, subject: str
) -> list[Fate]:
    """Judge answers and keep the good ones; what is kept is in the database when this returns.

    Args:
        sent: Columns of `Event` by name; `occurred_at` an aware datetime.
        inbox: Where they are kept.
        key: Of the pseudonyms.
        now: The present instant, UTC.
        subject: Of answers that name none.

    Returns:
        For each what became of it, in the order sent.

    Raises:
        ServiceError: The database cannot be used; nothing was kept.
    """
    columns = [name for name in Event.column_names() if any(row.get(name) is not None for row in sent)]
    frame = pl.DataFrame(
        {name: [_written(row.get(name)) for row in sent] for name in columns},
        schema={name: pl.List(pl.String) if name == "skill_ids" else pl.String for name in columns},
    ).with_columns(_location=pl.lit("inbox"), _row=pl.int_range(pl.len(), dtype=pl.Int64))
    judged = validate(Extract(frame, broken_rows("inbox", [])), now=now, subject=subject)
    reasons: dict[int, str] = {}
    for row, reason in judged.quarantined.select("row", "reason").iter_rows():
        reasons[row] = f"{reasons[row]}; {reason}" if row in reasons else reason
    good = judged.events.filter(~pl.col("_row").is_in(_with_nul(sent))).sort("_row")
    reasons |= dict.fromkeys(_with_nul(sent), "a text holds the character NUL, which no database keeps")
    once = good.unique("event_id", keep="first", maintain_order=True)
    kept = once.with_columns(pseudonyms(once["learner_id"], "learner", key).alias("learner"))
    fates = dict(zip(once["event_id"], inbox.keep(kept), strict=True))
    first = {row["event_id"]: row for row in once.select(Event.column_names()).iter_rows(named=True)}
    given = {row["_row"]: row for row in good.select(*Event.column_names(), "_row").iter_rows(named=True)}
    return [_fate(number, row, reasons, given, first, fates) for number, row in enumerate(sent)]


def _fate(
    number: int,
    sent: dict[str, Any],
    reasons: dict[int, str],
    given: dict[int, dict[str, Any]],
    first: dict[str, dict[str, Any]],
    fates: dict[str, str],
) -> Fate:
    event_id = str(sent.get("event_id"))
    if number in reasons:
        return Fate(event_id, "refused", reasons[number])
    row = {name: value for name, value in given[number].items() if name != "_row"}
    if first[row["event_id"]] != row:
        return Fate(event_id, "refused", TWICE)
    if fates[row["event_id"]] == "conflict":
        return Fate(event_id, "refused", CONFLICT)
    return Fate(event_id, fates[row["event_id"]])


def _with_nul(sent: Sequence[dict[str, Any]]) -> list[int]:
    def holds(value: Any) -> bool:
        return any(_NUL in text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))

    return [number for number, row in enumerate(sent) if any(holds(value) for value in row.values())]


def _written(value: Any) -> Any:
    """A value as a file would have it, for the rules that judge files."""
    if value is None or isinstance(value, (str, list)):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
