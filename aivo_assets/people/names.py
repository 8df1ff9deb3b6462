"""From pseudonyms to names, and from a person to what is theirs. Belongs here: the roster under the key, in memory.

The key and the roster meet here alone, at the moment of showing. What is read is kept in memory until another roster is
imported; it is written nowhere.

`Names(book, log).for_viewer(viewer, pseudonyms, page)` gives the names that a viewer may see, and keeps the look.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Final

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.people.access import Role, Viewer, may
from aivo_assets.people.audit import AuditLog
from aivo_assets.people.roster import RAW_ROSTER, SIMULATED
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms

ROLES: Final[tuple[Role, ...]] = ("head", "teacher", "parent", "learner", "operator")
"""Whoever has several roles signs in with the first of these, unless they choose."""


@dataclass(frozen=True)
class Person:
    """Somebody of the roster, in one role."""

    id: str = field(repr=False)
    role: Role
    name: str = field(repr=False)


class NameBook:
    """One roster under one key.

    Args:
        rows: Of `RAW_ROSTER`.
        key: The secret of the pseudonyms.
        today: Who is in a class on this day.
    """

    def __init__(self, rows: pl.DataFrame, key: PseudonymKey, today: date) -> None:
        hidden = [
            pseudonyms(rows["person_id"], "teacher", key).alias("account_"),
            pseudonyms(rows["learner_id"], "learner", key).alias("learner"),
            pseudonyms(rows["class_id"], "class", key).alias("class_"),
            pseudonyms(rows["school_id"], "school", key).alias("school"),
        ]
        self._rows = rows.with_columns(*hidden)
        holds = pl.col("starts").fill_null(today) <= today, pl.col("ends").fill_null(today) >= today
        self._members = self._rows.filter(pl.col("record") == "member", *holds)

    @property
    def simulated(self) -> bool:
        """Whether these are the people of the simulated school."""
        return not self._rows.is_empty() and bool((self._rows["source"] == SIMULATED).all())

    @property
    def empty(self) -> bool:
        """Whether there is no roster."""
        return self._rows.is_empty()

    @cached_property
    def learners(self) -> dict[str, str]:
        """Names of learners by pseudonym."""
        return self._named("learner", "learner")

    @cached_property
    def places(self) -> dict[str, str]:
        """Names of classes and schools by pseudonym."""
        return self._named("class", "class_") | self._named("school", "school")

    def people(self, role: Role | None = None, most: int | None = None) -> list[Person]:
        """People in a role, by id."""
        roles = [role] if role else list(ROLES)
        rows = self._rows.filter(pl.col("record").is_in(roles)).sort("record", "person_id")
        cut = rows if most is None else rows.head(most)
        return [Person(*row) for row in cut.select("person_id", "record", "name").iter_rows()]

    def find(self, value: str, by: str = "id") -> list[Person]:
        """Who has this id, e-mail (whatever its case) or account; by role, in the order of `ROLES`."""
        column = {"id": "person_id", "email": "email", "account": "account"}[by]
        wanted = (
            pl.col(column).str.to_lowercase() == value.strip().lower() if by == "email" else pl.col(column) == value
        )
        rows = self._rows.filter(pl.col("record").is_in(ROLES), wanted).select("person_id", "record", "name")
        return sorted((Person(*row) for row in rows.iter_rows()), key=lambda each: ROLES.index(each.role))

    def called(self, name: str) -> list[tuple[str, str]]:
        """Learners whose name holds a text, whatever its case: pseudonym, name."""
        wanted = name.strip().casefold()
        return sorted((who, says) for who, says in self.learners.items() if wanted and wanted in says.casefold())

    def viewer(self, person: Person) -> Viewer:
        """What is theirs today."""
        rows = self._rows.filter(pl.col("person_id") == person.id)
        own = rows.filter(pl.col("record") == person.role)
        classes, learners, schools = pl.Series(dtype=pl.String), pl.Series(dtype=pl.String), own["school"]
        if person.role == "teacher":
            classes = self._members.filter(pl.col("person_id") == person.id)["class_"]
            learners = self._members.filter(pl.col("class_").is_in(classes.implode()))["learner"]
        elif person.role == "head":
            of_school = pl.col("school").is_in(schools.drop_nulls().implode())
            classes = self._rows.filter(pl.col("record") == "class", of_school)["class_"]
            in_class = self._members.filter(pl.col("class_").is_in(classes.drop_nulls().implode()))["learner"]
            learners = pl.concat([in_class, self._rows.filter(pl.col("record") == "learner", of_school)["learner"]])
        elif person.role == "parent":
            learners = rows.filter(pl.col("record") == "child")["learner"]
        elif person.role == "learner":
            learners = own["learner"]
        return Viewer(
            role=person.role,
            account=str(own["account_"][0]),
            shown=person.name,
            person=person.id,
            classes=_set(classes),
            learners=_set(learners),
            schools=_set(schools) if person.role == "head" else frozenset(),
        )

    def _named(self, record: str, column: str) -> dict[str, str]:
        rows = self._rows.filter(pl.col("record") == record, pl.col("name").str.len_chars() > 0)
        return dict(rows.select(column, "name").iter_rows())


@dataclass(frozen=True)
class Names:
    """Names for viewers, each look kept.

    Attributes:
        book: The roster under the key.
        log: Where looks are kept.
    """

    book: NameBook
    log: AuditLog

    def for_viewer(self, viewer: Viewer, wanted: Iterable[str], page: str) -> dict[str, str]:
        """Names by pseudonym of those that the viewer may see; who is missing stays a pseudonym.

        Raises:
            ServiceError: The look could not be kept.
        """
        asked = set(wanted)
        people = {
            each: self.book.learners[each] for each in asked if each in self.book.learners and may(viewer, "name", each)
        }
        places = {
            each: self.book.places[each] for each in asked if each in self.book.places and self._theirs(viewer, each)
        }
        self.log.keep(who=viewer.account, role=viewer.role, page=page, whose=list(people))
        return people | places

    def _theirs(self, viewer: Viewer, place: str) -> bool:
        return place in viewer.classes or place in viewer.schools


class Roster:
    """The newest roster of a lake under its key, read again after an import or at a new day.

    Args:
        lake: Whose raw zone.
        key: Gives the secret; asked for only where there is a roster.
        today: Tells the present day.
    """

    def __init__(self, lake: Lake, key: Callable[[], PseudonymKey], today: Callable[[], date]) -> None:
        self._lake, self._key, self._today = lake, key, today
        self._lock = threading.Lock()
        self._held: tuple[tuple[str, date], NameBook | None] | None = None

    def book(self) -> NameBook | None:
        """The roster; None where none was imported."""
        with self._lock:
            state = (self._lake.version(RAW_ROSTER), self._today())
            if self._held is None or self._held[0] != state:
                rows = self._lake.scan(RAW_ROSTER).collect()
                self._held = (state, None if rows.is_empty() else NameBook(rows, self._key(), state[1]))
            return self._held[1]


def _set(values: pl.Series) -> frozenset[str]:
    return frozenset(values.drop_nulls().to_list())
