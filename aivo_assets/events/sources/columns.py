"""Which of a table's columns is which of ours: the mapping of the settings, then names that are well known.

No table is read here.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from aivo_assets.errors import SettingsError, SourceError

EVENT_NAMES: dict[str, tuple[str, ...]] = {
    "event_id": ("event_id", "interaction_id", "transaction_id"),
    "learner_id": ("learner_id", "user_id", "student_id", "learner", "user", "student"),
    "item_id": ("item_id", "problem_id", "question_id", "exercise_id", "item"),
    "skill_ids": ("skill_ids", "skill_id", "skills", "skill", "kc_ids", "kc_id", "kc"),
    "subject": ("subject",),
    "occurred_at": ("occurred_at", "ts", "answered_at", "date_time", "datetime", "timestamp", "time", "created_at"),
    "correct": ("correct", "is_correct"),
    "response_time_ms": ("response_time_ms", "ms_first_response", "duration_ms"),
    "hint_count": ("hint_count", "hints"),
    "attempt_number": ("attempt_number", "attempt"),
    "session_id": ("session_id", "session"),
    "focus": ("focus",),
    "assignment_id": ("assignment_id", "assignment"),
    "teacher_id": ("teacher_id", "teacher"),
    "class_id": ("class_id", "student_class_id"),
    "school_id": ("school_id", "school"),
}
"""Names by which a column of `Event` is known elsewhere, the surest first. Compared without regard to case."""

_DATA = re.compile(r"^[+-]?\d+(?:\.\d+)?$|^\d{4}-\d{2}-\d{2}")
_NO_NAMES = " The first line looks like values and not like names: add a line with the names of the columns."

LEARNER_NAMES: dict[str, tuple[str, ...]] = {
    "learner_id": (*EVENT_NAMES["learner_id"], "id_student"),
    "name": ("name", "full_name", "display_name"),
    "email": ("email", "e_mail", "mail"),
    "birth_date": ("birth_date", "date_of_birth", "birthdate", "dob"),
    "grade": ("grade", "grade_level"),
    "gender": ("gender", "sex"),
    "region": ("region",),
    "disability": ("disability",),
}
"""The same for the learner table."""


def mapped(
    known: Mapping[str, tuple[str, ...]],
    chosen: Mapping[str, str],
    available: Collection[str],
    *,
    place: str,
    required: Collection[str],
    variable: str = "AIVO_SOURCE_COLUMNS",
) -> dict[str, str]:
    """Ours to theirs, for every column of ours that the table has.

    Args:
        known: Our columns and the names under which each is well known.
        chosen: The mapping of the settings; it goes before what is well known.
        available: The table's columns.
        place: File or table, for errors.
        required: Columns of ours that there must be.
        variable: The setting that a reader may change.

    Raises:
        SettingsError: The mapping names a column that is not ours.
        SourceError: A chosen or required column is not in the table, or a column that would be taken is there twice.
    """
    present = ", ".join(sorted(available)) or "none"
    strange = sorted(set(chosen) - set(known))
    if strange:
        raise SettingsError(
            f"{_option(variable)} maps {', '.join(strange)}, which is no column of ours",
            fix=f"{_nearest(strange, known)}Ours are: {', '.join(known)}. Write ours=theirs.",
        )
    absent = sorted((theirs, ours) for ours, theirs in chosen.items() if theirs not in available)
    if absent:
        raise SourceError(
            f"{place} has no column {', '.join(f'{theirs} (for {ours})' for theirs, ours in absent)};"
            f" it has: {present}",
            fix=f"{_nearest([theirs for theirs, _ in absent], available)}Correct {_option(variable)}, ours=theirs.",
        )
    by_name = {name.lower(): name for name in reversed(list(available))}
    mapping = dict(chosen)
    for ours, names in known.items():
        theirs = next((by_name[name] for name in names if name in by_name), None)
        if ours not in mapping and theirs is not None:
            mapping[ours] = theirs
    missing = [column for column in required if column not in mapping]
    if missing:
        by_option = " ".join(f"--map {ours}=COLUMN" for ours in missing)
        well_known = "; ".join(f"{ours}: {', '.join(known[ours])}" for ours in missing if known[ours])
        raise SourceError(
            f"{place} has no column for {', '.join(missing)}; it has: {present}",
            fix=f'Map it, ours=theirs: {by_option}, or {variable}={{"{missing[0]}": "…"}}.'
            + (f" Known by themselves are {well_known}." if well_known else "")
            + (_NO_NAMES if any(_DATA.match(name) for name in available) else ""),
        )
    for ours, theirs in mapping.items():
        if ours not in chosen and f"{theirs} (2)" in available:
            raise SourceError(
                f"{place} has the column {theirs!r} twice, and which is {ours} is not clear",
                fix=f"Take the first, --map {ours}={theirs!r}, or the second, --map {ours}='{theirs} (2)'.",
            )
    return mapping


def told(files: Mapping[str, tuple[dict[str, str], Sequence[str]]]) -> list[str]:
    """Which column is taken for which, for a person; files with the same mapping together.

    Args:
        files: By name its columns, ours to theirs, and all that it has.
    """
    alike: dict[tuple[tuple[tuple[str, str], ...], tuple[str, ...]], list[str]] = {}
    for name, (columns, available) in files.items():
        unused = tuple(column for column in available if column not in columns.values())
        alike.setdefault((tuple(sorted(columns.items())), unused), []).append(name)
    sentences = []
    for (taken, unused), places in alike.items():
        where = "" if len(alike) == 1 else f" ({', '.join(places[:3])}{' …' if len(places) > 3 else ''})"
        pairs = ", ".join(f"{ours} = {theirs}" for ours, theirs in taken)
        sentences.append(f"columns{where}: {pairs}; not used: {', '.join(unused) or 'none'}")
        names = dict(taken)
        sentences += [
            f"{ours} is taken from {names[ours]}{where}, and could be {' or '.join(others)} (--map {ours}=…)"
            for ours, known in EVENT_NAMES.items()
            if ours in names and (others := [name for name in unused if name.lower() in known])
        ]
    return sentences


def _option(variable: str) -> str:
    return f"--map ({variable})" if variable == "AIVO_SOURCE_COLUMNS" else variable


def _nearest(names: Collection[str], known: Collection[str]) -> str:
    """`Nearest: learner_id. ` or nothing."""
    by_lower = {name.lower(): name for name in known}
    near = [match for name in names for match in get_close_matches(name.lower(), list(by_lower), n=2, cutoff=0.5)]
    return f"Nearest: {', '.join(dict.fromkeys(by_lower[match] for match in near))}. " if near else ""
