"""Which of a table's columns is which of ours: the mapping of the settings, then names that are well known.

No table is read here.
"""

from collections.abc import Collection, Mapping

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
        SourceError: A chosen or required column is not in the table.
    """
    there = ", ".join(sorted(available)) or "none"
    strange = sorted(set(chosen) - set(known))
    if strange:
        raise SettingsError(
            f"{variable} maps {', '.join(strange)}, which is no column of ours", fix=f"Ours are: {', '.join(known)}."
        )
    absent = sorted(f"{theirs} (for {ours})" for ours, theirs in chosen.items() if theirs not in available)
    if absent:
        raise SourceError(
            f"{place} has no column {', '.join(absent)}; it has: {there}", fix=f"Correct {variable}, ours to theirs."
        )
    by_name = {name.lower(): name for name in reversed(list(available))}
    found = dict(chosen)
    for ours, names in known.items():
        theirs = next((by_name[name] for name in names if name in by_name), None)
        if ours not in found and theirs is not None:
            found[ours] = theirs
    missing = [column for column in required if column not in found]
    if missing:
        raise SourceError(
            f"{place} has no column for {', '.join(missing)}; it has: {there}",
            fix=f'Map it, ours to theirs: {variable}={{"{missing[0]}": "…"}}.',
        )
    return found
