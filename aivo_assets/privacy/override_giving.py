"""A teacher's word as somebody gives it now, and takes it back. Belongs here: whom and what it names, kept or refused.

A command and the HTTP service both come here, so that a word is judged alike. Learners may be named as the source has
them or by pseudonym; what names nobody, or no skill, is refused at once with the names that are most like it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import polars as pl

from aivo_assets.errors import LakeError, SettingsError, nearest
from aivo_assets.events.landing.override_targets import (
    OTHER_SUBJECT,
    SEVERAL_SUBJECTS,
    UNKNOWN_LEARNER,
    UNKNOWN_SKILL,
    known_learners,
    known_skills,
    with_subjects,
)
from aivo_assets.events.landing.overrides import COLUMNS, land_overrides, raw_overrides
from aivo_assets.events.values import identifiers
from aivo_assets.events.values.tidying import tidied
from aivo_assets.lake import Lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import HEX_CHARACTERS, pseudonyms

SHORTEST_BEGINNING: Final = 6  # hex characters of a pseudonym or an id; fewer are as good as a guess
_PSEUDONYM: Final = re.compile(rf"[0-9a-f]{{{SHORTEST_BEGINNING},{HEX_CHARACTERS}}}")


class UnknownNameError(SettingsError):
    """A word names a learner, a skill or a subject that nobody knows, or an override that is not kept."""


@dataclass(frozen=True)
class Word:
    """What a teacher says of one learner's skill; see `events.overrides.Override`.

    Attributes:
        learner: As the source has the learner, or the pseudonym, or its first six characters or more.
        action: `accept`, `reject` or `pin`.
        skill: The skill.
        subject: Its subject; None: what follows from the skill.
        kind: Kind that is accepted or rejected.
        level: Level to pin.
        until: Last day of the pin; None: the days that the settings name.
        reason: Coded reason of a rejection.
        note: In the teacher's own words.
        teacher: Who says so, as the source has them.
    """

    learner: str
    action: str
    skill: str
    subject: str | None = None
    kind: str | None = None
    level: int | None = None
    until: str | None = None
    reason: str | None = None
    note: str | None = field(default=None, repr=False)
    teacher: str | None = None


@dataclass(frozen=True)
class Kept:
    """A word that is kept.

    Attributes:
        override_id: Its id, by which it is taken back.
        learner_id: The learner, as the source has them.
        subject: Subject of the skill.
        skill: The skill.
        until: Last day of a pin; None for another word.
        known: Whether it was kept already.
        practised: Whether the learner has an answer in the skill; without one there is no recommendation to obey it.
    """

    override_id: str
    learner_id: str
    subject: str
    skill: str
    until: date | None
    known: bool
    practised: bool


def give(
    lake: Lake,
    word: Word,
    key: Callable[[], PseudonymKey],
    *,
    now: datetime,
    run: str,
    source: str,
    pin_days: int,
    show_alike: bool = True,
) -> Kept:
    """Keep a word, or refuse it.

    Args:
        lake: Where overrides are kept.
        word: The word.
        key: Gives the secret; asked for only where a pseudonym may be meant.
        now: The present instant, UTC.
        run: Who gives it, for receipt and quarantine.
        source: What a person calls the way it came.
        pin_days: How long a pin holds that names no last day.
        show_alike: Whether an error may name learners like an unknown one, as the source has them.

    Raises:
        SettingsError: It cannot be obeyed: the message says why, and names what is most like an unknown name.
        LakeError: A landing did not end in time.
    """
    learner = find_learner_id(lake, word.learner, key, show_alike=show_alike)
    skill, subject = _clean(word.skill), _clean(word.subject)
    names = with_subjects(_row(learner, subject, skill), lake).row(0, named=True)
    _refuse_unknown(lake, names, skill, subject)
    until = word.until
    if until is None and word.action.strip().lower() == "pin":
        until = str(now.date() + timedelta(days=pin_days))
    fields = {
        "learner_id": learner, "teacher_id": word.teacher, "subject": names["subject"], "skill_id": skill,
        "action": word.action, "kind": word.kind, "level": None if word.level is None else str(word.level),
        "until": until, "reason": word.reason, "note": word.note, "given_at": None,
    }  # fmt: skip
    row, known = _landed(lake, fields, now=now, run=run, source=source)
    return Kept(
        override_id=row["override_id"],
        learner_id=learner,
        subject=row["subject"],
        skill=row["skill_id"],
        until=row["until"],
        known=known,
        practised=names["_practised"],
    )


def find_learner_id(lake: Lake, named: str, key: Callable[[], PseudonymKey], *, show_alike: bool = True) -> str:
    """The learner that was named, as the source has them.

    Args:
        lake: Whose raw zone.
        named: That identifier, or the pseudonym, or its first six characters or more.
        key: Gives the secret; asked for only where a pseudonym may be meant.
        show_alike: Whether an error may name learners like it.

    Raises:
        UnknownNameError: Nobody is meant, or several are.
    """
    clean = _clean(named)
    if clean is None:
        raise UnknownNameError("No learner is named", fix="Give your own system's identifier, or a pseudonym.")
    if known_learners(lake, pl.Series([clean], dtype=pl.String)).len():
        return clean
    everybody = known_learners(lake)
    if _PSEUDONYM.fullmatch(clean) and everybody.len():
        hidden = pl.DataFrame({"learner_id": everybody, "learner": pseudonyms(everybody, "learner", key())})
        meant = hidden.filter(pl.col("learner").str.starts_with(clean))
        if meant.height == 1:
            return str(meant["learner_id"][0])
        if meant.height > 1:
            raise UnknownNameError(f"{meant.height} pseudonyms begin with {clean!r}", fix="Give more of the pseudonym.")
    alike = nearest(clean, everybody) if show_alike else ""
    raise UnknownNameError(
        f"There is no learner {clean!r}: {UNKNOWN_LEARNER}{alike}",
        fix="Give the learner as your own system names them, or the pseudonym."
        if everybody.len()
        else "Land answers first: aivo ingest, aivo run.",
    )


def find_override(lake: Lake, beginning: str) -> str:
    """The id of an override that is kept and not taken back, of its first six characters or more.

    Raises:
        UnknownNameError: There is none, or several begin so.
    """
    held = raw_overrides(lake)
    ids = held.filter(pl.col("override_id").str.starts_with(beginning.strip()))
    if len(beginning.strip()) < SHORTEST_BEGINNING or ids.height != 1:
        several = ids.height > 1 and len(beginning.strip()) >= SHORTEST_BEGINNING
        raise UnknownNameError(
            f"{ids.height if several else 'No'} overrides begin with {beginning!r}",
            fix=f"aivo override list shows their ids; give {SHORTEST_BEGINNING} characters of one or more.",
        )
    row = ids.row(0, named=True)
    if row["removed_at"] is not None:
        raise UnknownNameError(
            f"The override {row['override_id'][:8]} was taken back on {row['removed_at']:%Y-%m-%d} already",
            fix="Nothing has to be done.",
        )
    return str(row["override_id"])


def _clean(value: str | None) -> str | None:
    """A name as it is read from a source."""
    given = tidied(pl.DataFrame({"value": [value]}, schema={"value": pl.String}))["value"]
    read: str | None = identifiers.text(given)[0]
    return read


def _row(learner: str, subject: str | None, skill: str | None) -> pl.DataFrame:
    schema = dict.fromkeys(("learner_id", "subject", "skill_id"), pl.String)
    return pl.DataFrame([{"learner_id": learner, "subject": subject, "skill_id": skill}], schema=schema)


def _refuse_unknown(lake: Lake, names: dict[str, Any], skill: str | None, subject: str | None) -> None:
    subjects = names["_subjects"]
    if skill is None:
        raise UnknownNameError("No skill is named", fix="Name one with --skill.")
    if not isinstance(subjects, list):
        alike = nearest(skill, known_skills(lake)["skill_id"])
        raise UnknownNameError(
            f"There is no skill {skill!r}: {UNKNOWN_SKILL}{alike}",
            fix="Name the skill as answers and recommendations do. Nothing was kept.",
        )
    if names["subject"] is None:
        raise UnknownNameError(
            f"{skill!r} is a skill of {', '.join(subjects)}: {SEVERAL_SUBJECTS}", fix="Add --subject. Nothing was kept."
        )
    if names["subject"] not in subjects:
        raise UnknownNameError(
            f"{skill!r} is a skill of {' and '.join(subjects)}, not of {subject!r}: {OTHER_SUBJECT}",
            fix="Leave the subject out, or name that one. Nothing was kept.",
        )


def _landed(
    lake: Lake, fields: dict[str, str | None], *, now: datetime, run: str, source: str
) -> tuple[dict[str, Any], bool]:
    """The row as it is kept, and whether it was before; a word that was taken back is given anew."""
    for given_at in (None, now.isoformat()):
        row = pl.DataFrame([{**fields, "given_at": given_at}], schema=dict.fromkeys(COLUMNS, pl.String))
        placed = row.with_columns(_location=pl.lit(source), _row=pl.lit(1, pl.Int64))
        receipt = land_overrides(lake, placed, now=now, run=run, source=source)
        if receipt.set_aside:
            raise SettingsError(
                "; ".join(receipt.by_reason), fix="`aivo override add --help` shows what it takes. Nothing was kept."
            )
        held = _standing(raw_overrides(lake), fields)
        if not held.is_empty():
            return held.row(-1, named=True), receipt.kept == 0
    raise LakeError("The override was taken back while it was given", fix="Give it again.")


def _standing(held: pl.DataFrame, fields: dict[str, str | None]) -> pl.DataFrame:
    """Of the overrides that are kept and not taken back, those that say this."""
    coded = ("action", "kind", "reason")
    same = [
        pl.col(name).cast(pl.String).eq_missing(_text(value.lower() if value and name in coded else value))
        for name, value in fields.items()
        if name not in ("given_at", "note")
    ]
    return held.filter(pl.col("removed_at").is_null(), *same)


def _text(value: str | None) -> pl.Expr:
    return pl.lit(_clean(value), pl.String)
