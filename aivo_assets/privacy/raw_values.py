"""What the leak scan looks for, and where each value can be looked for. Belongs here: the raw values; no searching.

Not every identifier can be searched everywhere. "7" is a learner, but also a grade, a count and half of a number. So:

- An *unmistakable* value is searched in every string cell and in every text: at least 6 characters, not a number of
  fewer than 9 digits, and not the name of an item, skill or subject. A name or an e-mail of 3 characters or more is
  unmistakable as a whole cell. A single word of letters only (a class called "header") is not searched within text,
  unless it is a learner's name, and then only as written. A name that is a word of the platform's own reports
  ("Unknown", "Level": a placeholder for a name that is withheld) is not searched at all: it stands there anyway.
- An *ambiguous* value counts in columns named like identifiers (`learner`, `class_id`, `id` …, numeric ones too), as a
  whole cell, and in text behind such a name (`"learner_id": 7`).
- A birth date is searched as a whole cell in columns of dates that are not named like the time of an event, and in
  cells and text as written in the common ways; a date that is also a day of events is not searched in cells and text,
  because every report names days.

What no search finds: an ambiguous value under an unrelated name, and anything encoded or compressed inside a text.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import polars as pl

from aivo_assets.privacy.own_words import own_words
from aivo_assets.privacy.pseudonyms import KINDS

RawKind = Literal[
    "learner", "name", "email", "birth date", "teacher", "class", "school", "session", "assignment", "event"
]
PEOPLE: tuple[RawKind, ...] = ("learner", "name", "email", "birth date", "teacher", "class", "school")
"""Kinds with few enough values to be searched for inside longer words; the others are looked up token by token."""

SHORTEST_IN_TEXT = 6
_SHORTEST_NAME = 3
_NUMBER = r"^[\d.,:+/\s-]+$"
_UNMISTAKABLE_DIGITS = 9
_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")


@dataclass(frozen=True)
class RawValues:
    """The raw values of a lake, lower-cased, each with where it may be searched.

    Attributes:
        frame: `kind` String; `value` String; `written` String, as in the raw data; `anywhere` Boolean, unmistakable as
            a whole cell; `in_text` Boolean, unmistakable within text. Distinct by kind and value.
    """

    frame: pl.DataFrame

    def __repr__(self) -> str:
        return f"RawValues({self.frame.height} values)"

    @classmethod
    def collect(
        cls, events: pl.LazyFrame, learners: pl.LazyFrame, overrides: pl.LazyFrame | None = None
    ) -> "RawValues":
        """Gather the values of raw events, learners and teachers' overrides.

        Args:
            events: Columns of `events.schema.Event`.
            learners: Columns of `events.schema.Learner`.
            overrides: Columns of `events.overrides.Override`; who is named there need not occur in any event.
        """
        identifiers = [_distinct(events, f"{kind}_id", kind) for kind in KINDS]
        people = [
            _distinct(learners, "learner_id", "learner"),
            _distinct(learners, "name", "name"),
            _distinct(learners, "email", "email"),
        ]
        if overrides is not None:
            people += [_distinct(overrides, f"{kind}_id", kind) for kind in ("learner", "teacher")]
        content = [
            _distinct(events, "item_id", "content"),
            _distinct(events.select("skill_ids").explode("skill_ids", empty_as_null=True), "skill_ids", "content"),
            _distinct(events, "subject", "content"),
        ]
        days = events.select(pl.col("occurred_at").dt.date().unique())
        birth_dates = learners.select(pl.col("birth_date").drop_nulls().unique())
        *tables, day_table, date_table = pl.collect_all([*identifiers, *people, *content, days, birth_dates])
        gathered = pl.concat(tables).unique()
        content_values = gathered.filter(pl.col("kind") == "content")["value"]
        values = _judged(gathered.filter(pl.col("kind") != "content"), content_values)
        dates = _dates(date_table["birth_date"], day_table["occurred_at"])
        return cls(pl.concat([values, dates]).unique(["kind", "value"], keep="first", maintain_order=True))

    def counts(self) -> dict[str, dict[str, int]]:
        """By kind: how many values there are, and how many of them can be searched as cells and within text."""
        counted = self.frame.group_by("kind", maintain_order=True).agg(
            pl.len().alias("values"), pl.col("anywhere").sum(), pl.col("in_text").sum()
        )
        return {row.pop("kind"): row for row in counted.sort("kind").to_dicts()}


def _distinct(frame: pl.LazyFrame, column: str, kind: str) -> pl.LazyFrame:
    return (
        frame.select(kind=pl.lit(kind), value=pl.col(column).str.strip_chars().str.to_lowercase(), written=column)
        .filter(pl.col("value").str.len_chars() > 0)
        .unique(["kind", "value", "written"])
    )


def _judged(values: pl.DataFrame, content: pl.Series) -> pl.DataFrame:
    """Say of each value whether it is unmistakable."""
    value = pl.col("value")
    digits = value.str.count_matches(r"\d")
    number = value.str.contains(_NUMBER) & (digits < _UNMISTAKABLE_DIGITS)
    personal = pl.col("kind").is_in(["name", "email"])
    long_enough = value.str.len_chars() >= SHORTEST_IN_TEXT
    word = ~value.str.contains(r"[^\p{L}]")
    placeholder = personal & word & value.is_in(sorted(own_words()))
    own = ~number & ~value.is_in(content.implode()) & ~placeholder
    return values.select(
        "kind",
        "value",
        "written",
        anywhere=own & (long_enough | (personal & (value.str.len_chars() >= _SHORTEST_NAME))),
        in_text=own & long_enough & (~word | (pl.col("kind") == "name")),
    ).sort("kind", "value", "written")


def _dates(birth_dates: pl.Series, event_days: pl.Series) -> pl.DataFrame:
    """Birth dates in the ways people write them; the first format is that of cells of date columns."""
    searchable = ~pl.col("date").is_in(event_days.implode())
    written = [
        birth_dates.to_frame("date").select(
            kind=pl.lit("birth date"),
            value=pl.col("date").dt.strftime(pattern),
            written=pl.col("date").dt.strftime(pattern),
            anywhere=searchable,
            in_text=searchable,
        )
        for pattern in _DATE_FORMATS
    ]
    return pl.concat(written).sort("value")


assert set(KINDS) < set(get_args(RawKind))
