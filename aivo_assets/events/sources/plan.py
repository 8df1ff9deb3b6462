"""How a file source will be read: which columns, times and labels mean what, found before a row is landed.

Belongs here: the look at whole files that decides it, and the sentences that tell it. What decides is in
`times/survey.py` and `labels.py`; which column is which is in `columns.py`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events.sources.columns import told
from aivo_assets.events.times import zones
from aivo_assets.events.times.reading import TimeReading
from aivo_assets.events.times.survey import Asked, TimeSurvey, decide, formats_of, looks_like_times
from aivo_assets.events.values import labels
from aivo_assets.events.values.labels import LabelReading, LabelSurvey
from aivo_assets.events.values.tidying import MISSING, tidied
from aivo_assets.settings import SourceSettings


@dataclass(frozen=True)
class Plan:
    """How a source will be read.

    Attributes:
        times: How its times are.
        labels: How right and wrong are.
        sentences: All of it for a person, the columns first.
        has_times: Whether there is a column of times; otherwise only the order of the rows is known.
    """

    times: TimeReading
    labels: LabelReading
    sentences: tuple[str, ...]
    has_times: bool = True


def asked_of_times(settings: SourceSettings, first_event_at: datetime) -> Asked:
    """What the settings say of times.

    Raises:
        SettingsError: A zone or a format is none.
    """
    zones.check(settings.timezone, variable="--time-zone (AIVO_SOURCE_TIMEZONE)")
    for name in settings.zones.values():
        zones.check(name, variable="AIVO_SOURCE_ZONES")
    day_first, formats = formats_of(settings.time_format)
    return Asked(
        unit=settings.time_unit,
        formats=formats,
        day_first=day_first,
        zone=settings.timezone,
        zones=dict(settings.zones),
        first_event_at=first_event_at,
        first_event_is_set=settings.first_event_at is not None,
    )


def labels_of(settings: SourceSettings) -> LabelReading:
    """What the settings say of right and wrong.

    Raises:
        SettingsError: A value has two meanings.
    """
    return LabelReading.of(settings.correct_values, settings.correct_threshold)


def made(
    files: Mapping[str, tuple[dict[str, str], Sequence[str]]],
    chunks: Iterable[pl.DataFrame],
    asked: Asked | TimeReading,
    reading: LabelReading,
    *,
    now: datetime,
    sample: pl.DataFrame | None = None,
    others_expected: bool = False,
    missing: Collection[str] = MISSING,
) -> Plan:
    """Look at times and labels of all files, and decide.

    Args:
        files: By name its columns, ours to theirs, and all that it has.
        chunks: The columns `occurred_at` and `correct` of all files, in their order; one or both may be missing.
        asked: What the settings say of times; a reading where the kind of source leaves nothing to decide.
        reading: How labels are read.
        now: The present instant.
        sample: Some rows with all columns, under their own names, to look for another column of times.
        others_expected: Whether the kind of source has rows that are no answers.
        missing: Words that stand for no value.

    Raises:
        SourceError: Times or labels cannot be read, or in several ways.
    """
    formats = asked.formats if isinstance(asked, Asked) else ()
    times, correct = TimeSurvey(now, formats), LabelSurvey()
    for given in chunks:
        chunk = tidied(given, missing)
        if "occurred_at" in chunk.columns:
            times.add(chunk["occurred_at"])
        if "correct" in chunk.columns:
            correct.add(chunk["correct"])
    place = ", ".join(list(files)[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    theirs = next(iter(files.values()))[0]
    notes: list[str] = []
    if isinstance(asked, TimeReading):
        how = asked
    elif "occurred_at" not in theirs:
        how = TimeReading(asked.zone)
        notes = [f"no column of times: rows are a second apart, from {asked.first_event_at:%Y-%m-%d %H:%M} UTC on"]
    else:
        try:
            how, notes = decide(times, asked, column=theirs["occurred_at"], place=place)
        except SourceError as error:
            raise _with_other_columns(error, sample, theirs["occurred_at"], now) from error
    column = theirs.get("correct", "correct")
    notes += labels.check(correct, reading, column=column, place=place, others_expected=others_expected)
    return Plan(
        how, reading, (*told(files), *notes), has_times=isinstance(asked, TimeReading) or "occurred_at" in theirs
    )


def _with_other_columns(error: SourceError, sample: pl.DataFrame | None, taken: str, now: datetime) -> SourceError:
    """The error, with columns of the file that look like times."""
    if sample is None:
        return error
    others = [
        name for name in sample.columns if name != taken and looks_like_times(tidied(sample.select(name))[name], now)
    ]
    if not others:
        return error
    return SourceError(error.what, fix=f"{error.fix} Columns that look like times here: {', '.join(others)}.")
