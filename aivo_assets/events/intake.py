"""From an extract to events: types first, then the rules of `Event`.

Belongs here: which row is kept, which is set aside and with what reason. Reading is the sources', identity and
duplicates are `identity.py`'s.

A row with one bad value is set aside as a whole, also where the column is optional: a source that writes nonsense into
one column is not to be believed in the next, and the quarantine says what to mend. Reasons hold no values, so that they
may be counted and shown outside the raw zone; the value stands beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import dataframely as dy
import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events.schema import EARLIEST, Event
from aivo_assets.events.sources.base import BROKEN_COLUMNS, Extract, Window
from aivo_assets.events.times import reading as times
from aivo_assets.events.values import conversion, identifiers, labels
from aivo_assets.events.values.tidying import tidied

REQUIRED = ("learner_id", "item_id", "occurred_at", "correct")

_TEXT = (
    "event_id",
    "learner_id",
    "item_id",
    "subject",
    "session_id",
    "assignment_id",
    "teacher_id",
    "class_id",
    "school_id",
)
_NUMBERS: dict[str, tuple[Callable[[pl.Series], pl.Series], str]] = {
    "response_time_ms": (conversion.milliseconds, "response_time_ms is not a duration in milliseconds"),
    "hint_count": (conversion.whole_number(pl.Int32), "hint_count is not a whole number"),
    "attempt_number": (conversion.whole_number(pl.Int32), "attempt_number is not a whole number"),
    "focus": (conversion.number, "focus is not a number"),
}
FUTURE = "occurred_at is in the future"
_RULES = {
    "occurred_at|min": "occurred_at is before 1990",
    "response_time_ms|min": "response_time_ms is negative",
    "hint_count|min": "hint_count is negative",
    "attempt_number|min": "attempt_number is below 1",
    "focus|min": "focus is outside 0 to 1",
    "focus|max": "focus is outside 0 to 1",
}
_LONGEST_VALUE = 500


class _Candidate(Event):
    """An event whose identity is not settled yet."""

    event_id = dy.String(nullable=True)
    index = dy.UInt32(alias="_index")


@dataclass(frozen=True)
class Validated:
    """What became of an extract.

    Attributes:
        events: Columns of `Event` plus `_location`, `_row` and `_identity`; `event_id` is null where none was given.
        quarantined: Columns of `Quarantined` without `batch_id`; one row a problem.
        rows_read: Rows and broken lines of the extract.
        set_aside: Rows and broken lines with at least one problem.
        outside_window: Rows whose time is sound and outside the window; they are neither judged nor kept.
        future: Of the rows set aside, those with nothing wrong but that their time has not come; columns as `events`.
        before_window: Of the rows outside the window, those of earlier days.
        earliest: The earliest day of these.
    """

    events: pl.DataFrame
    quarantined: pl.DataFrame
    rows_read: int
    set_aside: int
    outside_window: int
    future: pl.DataFrame
    before_window: int = 0
    earliest: date | None = None


def validate(extract: Extract, *, now: datetime, subject: str, window: Window | None = None) -> Validated:
    """Convert an extract to the types of `Event` and part the good rows from the bad.

    A row whose time cannot be read, is in the future or is before 1990 belongs to no day, so every window judges it.

    Args:
        extract: What the source gave.
        now: The present instant; a later event is set aside.
        subject: Subject of events that name none.
        window: Days wanted; None for all.

    Raises:
        SourceError: A required column is missing, or a column can be nothing that is wanted.
    """
    raw = extract.frame.with_row_index("_index")
    _refuse_missing_columns(extract.frame)
    typed, problems = _converted(raw, tidied(raw, extract.missing), extract)
    sound = pl.col("occurred_at").is_between(EARLIEST, now)
    outside = typed.filter(sound & ~_inside(window)) if window else typed.clear()
    outside = outside.select("_index", day=pl.col("occurred_at").dt.date())
    before = outside.filter(pl.col("day") < window.first)["day"] if window else outside["day"].clear()
    outside = outside.drop("day")
    if not outside.is_empty():
        typed = typed.join(outside, on="_index", how="anti", maintain_order="left")
        problems = problems.join(outside, on="_index", how="anti", maintain_order="left")

    identified = typed.with_columns(_identity().alias("_identity"))
    complete = identified.with_columns(
        pl.col("skill_ids").fill_null(pl.concat_list("item_id")), pl.col("subject").fill_null(subject)
    )
    ruled_out = _rule_problems(complete, raw, now, already=problems)
    problems = pl.concat([problems, ruled_out]).sort("_index", maintain_order=True)
    bad = problems.select(pl.col("_index").unique())
    good = complete.join(bad, on="_index", how="anti", maintain_order="left")
    located = problems.join(raw.select("_index", "_location", "_row"), on="_index", how="left", maintain_order="left")
    quarantined = located.select(
        pl.col("_location").alias("location"), pl.col("_row").alias("row"), "column", _shortened("value"), "reason"
    )
    broken = extract.broken.select(*BROKEN_COLUMNS).with_columns(_shortened("value"))
    columns = (*Event.column_names(), "_location", "_row", "_identity")
    only_early = problems.group_by("_index").agg((pl.col("reason") == FUTURE).all()).filter("reason")
    return Validated(
        events=good.select(columns),
        quarantined=pl.concat([broken, quarantined]),
        rows_read=raw.height + broken.height,
        set_aside=bad.height + broken.height,
        outside_window=outside.height,
        future=complete.join(only_early, on="_index", how="semi", maintain_order="left").select(columns),
        before_window=len(before),
        earliest=before.dt.min() if len(before) else None,  # type: ignore[arg-type]
    )


def _refuse_missing_columns(frame: pl.DataFrame) -> None:
    missing = [column for column in REQUIRED if column not in frame.columns]
    if missing:
        raise SourceError(
            f"The source gives no {', '.join(missing)}; it has {', '.join(c for c in frame.columns if c[0] != '_')}",
            fix='Map the columns, ours to theirs: AIVO_SOURCE_COLUMNS={"learner_id": "pupil"}.',
        )


def _inside(window: Window | None) -> pl.Expr:
    if window is None:
        return pl.lit(value=True)
    return (pl.col("occurred_at") >= window.start) & (pl.col("occurred_at") < window.end)


def _converted(raw: pl.DataFrame, tidy: pl.DataFrame, extract: Extract) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Columns of `Event` with its types, and a row for each value that could not be read, as it was given."""
    schema = Event.create_empty().schema
    columns: dict[str, pl.Series] = {"_index": raw["_index"], "_location": raw["_location"], "_row": raw["_row"]}
    refused = _source_problems(raw)
    problems = []
    for name, dtype in schema.items():
        if name not in raw.columns:
            columns[name] = pl.Series(name, [None], dtype=dtype).new_from_index(0, raw.height)
            continue
        read = _read(tidy, name, extract)
        columns[name] = read
        unread = read.is_null() & ~conversion.is_missing(tidy[name])
        if unread.any():
            why = _reasons(tidy.filter(unread), name, extract)
            problems.append(_problems(raw.filter(unread), name, why))
    # A row that the source calls no event says so once; what else is wrong with it is a consequence.
    further = pl.concat(problems, how="vertical") if problems else refused.clear()
    return pl.DataFrame(columns), pl.concat([refused, further.join(refused, on="_index", how="anti")])


def _read(tidy: pl.DataFrame, name: str, extract: Extract) -> pl.Series:
    """A column with the type of `Event`; null where it cannot be read."""
    if name in _TEXT:
        return identifiers.text(tidy[name])
    if name == "skill_ids":
        return identifiers.skills(tidy[name])
    if name == "occurred_at":
        return times.moments(tidy[name], _zones(tidy), extract.times, identifiers.text(tidy["learner_id"]))
    if name == "correct":
        return labels.read(tidy[name], extract.labels)
    return _NUMBERS[name][0](tidy[name])


def _reasons(tidy: pl.DataFrame, name: str, extract: Extract) -> pl.Series:
    """Why each of these rows has no value in a column that could be read."""
    if name == "occurred_at":
        return times.reasons(tidy[name], _zones(tidy), extract.times)
    if name == "correct":
        return labels.reasons(tidy[name], extract.labels)
    why = f"{name} {identifiers.ROUNDED}" if name in _TEXT or name == "skill_ids" else _NUMBERS[name][1]
    return pl.repeat(why, tidy.height, eager=True)


def _zones(rows: pl.DataFrame) -> pl.Series | None:
    return rows["_zone"] if "_zone" in rows.columns else None


def _problems(rows: pl.DataFrame, column: str, reasons: pl.Series) -> pl.DataFrame:
    return rows.select("_index", column=pl.lit(column), value=_as_text(rows[column]), reason=reasons)


def _source_problems(raw: pl.DataFrame) -> pl.DataFrame:
    """Rows that the source itself says can be no event."""
    if "_problem" not in raw.columns:
        return pl.DataFrame(schema={"_index": pl.UInt32, "column": pl.String, "value": pl.String, "reason": pl.String})
    refused = raw.filter(pl.col("_problem").is_not_null())
    return refused.select(
        "_index",
        column=pl.lit("correct"),
        value=_as_text(refused["correct"]),
        reason=pl.col("_problem").cast(pl.String),
    )


def _rule_problems(complete: pl.DataFrame, raw: pl.DataFrame, now: datetime, *, already: pl.DataFrame) -> pl.DataFrame:
    """A row for each rule of `Event`, and each time in the future, that breaks; but one problem a value."""
    _, failure = _Candidate.filter(complete.select(*_Candidate.column_names()))
    details = failure.details()
    problems = [complete.filter(pl.col("occurred_at") > now).select("_index", rule=pl.lit("occurred_at|future"))]
    problems.extend(
        details.filter(pl.col(rule) == "invalid").select("_index", rule=pl.lit(rule)) for rule in failure.counts()
    )
    broken = pl.concat(problems).with_columns(column=pl.col("rule").str.split("|").list.first())
    refused = (
        raw.filter(pl.col("_problem").is_not_null()).select("_index") if "_problem" in raw.columns else raw.clear()
    )
    broken = broken.join(already, on=["_index", "column"], how="anti").join(refused, on="_index", how="anti")
    # An item stands in for missing skills, so a missing item is missing once.
    broken = broken.filter(pl.col("column") != "skill_ids")
    parts = [already.clear()]
    for (column, rule), rows in broken.group_by("column", "rule", maintain_order=True):
        given = raw.join(rows.select("_index"), on="_index", how="semi", maintain_order="left")
        parts.append(_problems_of_rule(given, str(column), str(rule)))
    return pl.concat(parts)


def _problems_of_rule(given: pl.DataFrame, column: str, rule: str) -> pl.DataFrame:
    reason = FUTURE if rule == "occurred_at|future" else _RULES.get(rule, f"{column} is missing")
    value = _as_text(given[column]) if column in given.columns else pl.lit(None, dtype=pl.String)
    return given.select("_index", column=pl.lit(column), value=value, reason=pl.lit(reason))


def _identity() -> pl.Expr:
    """What tells an event without an id from others: all that the source said of it, in one text; null beside an id.

    Taken before defaults are filled in, so that another default does not make another event.
    """
    fields = [name for name in Event.column_names() if name != "event_id"]
    parts = [
        pl.col(name).list.join("\x1e")
        if name == "skill_ids"
        else pl.col(name).dt.timestamp("us").cast(pl.String)
        if name == "occurred_at"
        else pl.col(name).cast(pl.String)
        for name in fields
    ]
    return pl.when(pl.col("event_id").is_null()).then(
        pl.concat_str([part.fill_null("") for part in parts], separator="\x1f")
    )


def _as_text(values: pl.Series) -> pl.Series:
    """Values as a person would read them."""
    if isinstance(values.dtype, pl.List):
        return values.cast(pl.List(pl.String)).list.join(", ").alias("value")
    return values.cast(pl.String, strict=False).alias("value")


def _shortened(column: str) -> pl.Expr:
    return pl.col(column).str.head(_LONGEST_VALUE)
