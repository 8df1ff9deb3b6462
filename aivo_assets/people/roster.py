"""The roster in the raw zone: people, classes, who is in which, whose parent is who. Belongs here: its rows; no file.

One table, a record a row, so that a new roster takes the place of the old one in one step. Identifiers are those of the
source; those of learners and classes are the ones that answers carry, so that their pseudonyms are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

import polars as pl

from aivo_assets.events.landing.override_targets import known_learners
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake

SIMULATED: Final = "the simulated school"
Kind = Literal["learner", "teacher", "parent", "head", "operator", "class", "school", "term"]

RAW_ROSTER: Final = Dataset(
    "raw/roster",
    {
        "record": pl.String,  # a `Kind`, or `member` (of a class) or `child` (of a parent)
        "person_id": pl.String,
        "learner_id": pl.String,
        "class_id": pl.String,
        "school_id": pl.String,
        "name": pl.String,
        "email": pl.String,
        "account": pl.String,
        "starts": pl.Date,
        "ends": pl.Date,
        "source": pl.String,
    },
)
"""Of a person: id, name, e-mail, account, school; a learner also `learner_id`. Of a member: the person, the class."""


@dataclass(frozen=True)
class Entry:
    """A person, class, school or term of a file; other ways to name it stand in `also`, for finding it in answers."""

    kind: Kind
    id: str
    name: str = field(default="", repr=False)
    email: str | None = field(default=None, repr=False)
    account: str | None = field(default=None, repr=False)
    school: str | None = None
    starts: date | None = None
    ends: date | None = None
    also: dict[str, str | None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Member:
    """Somebody in a class, between two days (both included) where they are given."""

    person: str
    class_: str
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True)
class Roster:
    """What a file holds.

    Attributes:
        entries: People, classes, schools, terms.
        members: Who is in which class, learners and teachers.
        children: Parent's id, child's id.
        left_out: Rows that are not kept, by reason.
    """

    entries: tuple[Entry, ...]
    members: tuple[Member, ...] = ()
    children: tuple[tuple[str, str], ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """What came of an import.

    Attributes:
        kept: Rows by record.
        left_out: Rows that are not kept, by reason.
        learners_by, classes_by: Which column of the file names learners and classes as answers do.
        learners_with_answers, classes_with_answers: How many of them the lake knows.
    """

    kept: dict[str, int]
    left_out: dict[str, int]
    learners_by: str
    learners_with_answers: int
    classes_by: str
    classes_with_answers: int


def to_rows(lake: Lake, roster: Roster, source: str) -> tuple[pl.DataFrame, Account]:
    """The rows of a roster, with learners and classes named as answers name them.

    Args:
        lake: Whose answers and learner table say what learners and classes are called.
        roster: What the file holds.
        source: What a person calls the file.

    Returns:
        Rows of `RAW_ROSTER`, and the account of them.
    """
    learners = [entry for entry in roster.entries if entry.kind == "learner"]
    classes = [entry for entry in roster.entries if entry.kind == "class"]
    learners_by, learner_ids, found = _named_as(learners, set(known_learners(lake)))
    classes_by, class_ids, found_classes = _named_as(classes, _of_answers(lake, "class_id"))
    schools = [entry for entry in roster.entries if entry.kind == "school"]
    _, school_ids, _ = _named_as(schools, _of_answers(lake, "school_id"))
    rows = [
        {
            "record": entry.kind,
            "person_id": entry.id if entry.kind not in ("class", "school", "term") else None,
            "learner_id": learner_ids.get(entry.id) if entry.kind == "learner" else None,
            "class_id": class_ids.get(entry.id) if entry.kind == "class" else None,
            "school_id": school_ids.get(of, of) if (of := _school_of(entry)) else None,
            "name": entry.name, "email": entry.email, "account": entry.account,
            "starts": entry.starts, "ends": entry.ends, "source": source,
        }
        for entry in roster.entries
    ]  # fmt: skip
    rows += [
        {
            "record": "member", "person_id": each.person, "learner_id": learner_ids.get(each.person),
            "class_id": class_ids[each.class_], "starts": each.starts, "ends": each.ends, "source": source,
        }
        for each in roster.members
    ]  # fmt: skip
    rows += [
        {"record": "child", "person_id": parent, "learner_id": learner_ids[child], "source": source}
        for parent, child in roster.children
    ]
    frame = pl.DataFrame(rows, schema=dict(RAW_ROSTER.schema)).sort("record", "person_id", "class_id", "learner_id")
    kept = dict(frame.group_by("record").len().sort("record").iter_rows())
    return frame, Account(kept, dict(roster.left_out), learners_by, found, classes_by, found_classes)


def replace_roster(lake: Lake, rows: pl.DataFrame, *, run: str) -> None:
    """Put a roster in the place of the one before, in one step."""
    lake.write(RAW_ROSTER, rows, made_by={"run": run})


def people_as_learners(lake: Lake) -> pl.LazyFrame:
    """Everybody of the roster whose name nothing derived may hold: learner_id (of learners), name, email."""
    people = lake.scan(RAW_ROSTER).filter(pl.col("record").is_in(["learner", "teacher", "parent", "head", "operator"]))
    return people.select("learner_id", pl.when(pl.col("name") != "").then("name").alias("name"), "email")


def _school_of(entry: Entry) -> str | None:
    return entry.id if entry.kind == "school" else entry.school


def _of_answers(lake: Lake, column: str) -> set[str]:
    rows = lake.scan(RAW_INTERACTIONS).select(pl.col(column).drop_nulls().unique())
    return set(rows.collect(engine="streaming")[column])


def _named_as(entries: Sequence[Entry], known: set[str]) -> tuple[str, dict[str, str], int]:
    """By which of their names the lake knows most entries; that name (else the id) by id; and how many it knows."""
    ways = ["id", *dict.fromkeys(way for entry in entries for way in entry.also)]
    found = {way: sum(_by(entry, way) in known for entry in entries) for way in ways}
    best = max(ways, key=lambda way: (found[way], way == "id"))
    return best, {entry.id: _by(entry, best) or entry.id for entry in entries}, found[best]


def _by(entry: Entry, way: str) -> str | None:
    return entry.id if way == "id" else entry.also.get(way)
