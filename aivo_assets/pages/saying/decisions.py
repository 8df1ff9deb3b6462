"""What teachers decided, in sentences. Belongs here: each word with its effect, as the reader's language says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aivo_assets.adaptive.advice.words_given import IN_FORCE
from aivo_assets.pages.saying.names import Names
from aivo_assets.pages.texts import Texts

MOST_SHOWN: Final = 12


@dataclass(frozen=True)
class Decision:
    """A teacher's word.

    Attributes:
        id: By which it is taken back.
        learner: The pseudonym.
        name: The learner's name.
        says: Who decided what, and when.
        effect: What came of it.
        take_back: Whether it can still be taken back.
    """

    id: str
    learner: str
    name: str
    says: str
    effect: str
    take_back: bool


def decisions(rows: Sequence[Mapping[str, Any]], names: Names, texts: Texts) -> list[Decision]:
    """The newest words with their effect, of rows as `words_given` gives them."""
    return [decision(row, names, texts) for row in rows[:MOST_SHOWN]]


def decision(row: Mapping[str, Any], names: Names, texts: Texts) -> Decision:
    """One word with its effect."""
    says = texts(
        f"words.{row['action']}",
        by=names.teacher(row["teacher_id"]),
        kind=texts(f"kinds.{row['kind']}") if row["kind"] else "",
        skill=names.skill(row["skill_id"], row["subject"]),
        reason=texts(f"reasons.{row['reason'] or 'other'}"),
        level=row["level"],
        until=texts.date(row["until"]) if row["until"] else "",
        when=texts.instant(row["given_at"]),
    )
    return Decision(
        id=row["override_id"],
        learner=row["learner"],
        name=names.learner(row["learner"]),
        says=says,
        effect=effect(row, texts),
        take_back=row["state"] in IN_FORCE,
    )


def effect(row: Mapping[str, Any], texts: Texts) -> str:
    """What came of a word."""
    return texts(f"words.{row['state'].replace(' ', '_')}")
