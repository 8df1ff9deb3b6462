"""How a column of times is read, the reading itself, and why a value could not be read.

Belongs here: bringing forms, numbers and zones together. What a column should be read as is decided in `survey.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from aivo_assets.events.times import counted as counts
from aivo_assets.events.times import written
from aivo_assets.events.times.counted import Counted
from aivo_assets.events.times.repeated_hour import instants as in_zone
from aivo_assets.events.times.zones import Zone, zone_of

NO_TIME = "occurred_at is not a date and time"
_ROUNDED = "occurred_at was rounded by a spreadsheet, digits of the number are lost"
_NO_UNIT = "occurred_at is a number, and what it counts is not known (--time-unit)"
BEFORE_START = "occurred_at is a number that lies before the first event or too far from it"
_NO_ORDER = "occurred_at does not tell whether day or month comes first (--time-format)"
_SHORT_YEAR = "occurred_at has a year of two digits (--time-format)"
_NO_SUCH_DAY = "occurred_at is a day or a time of day that does not exist"
_ANOTHER_FORMAT = "occurred_at does not have the format of --time-format"
_OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$", re.IGNORECASE)
_ZONE_NAME = re.compile(r"^[A-Za-z]{1,5}$|^[A-Z][A-Za-z]+/[A-Z][A-Za-z_/]{1,30}$")
_NAIVE = pl.Datetime("us")
_UTC = pl.Datetime("us", "UTC")


@dataclass(frozen=True)
class TimeReading:
    """How the times of a source are read.

    Attributes:
        zone: Zone of times that carry none and whose row names none; a name of the IANA database.
        counted: What numbers count; None where a number is no time.
        day_first: Whether `05/04/2024` is the 5th of April; None where that is not known.
        formats: Formats of text (strftime), if some were given; nothing else is read then.
        zones: Further names of zones and what they mean.
    """

    zone: str = "UTC"
    counted: Counted | None = None
    day_first: bool | None = None
    formats: tuple[str, ...] = ()
    zones: Mapping[str, str] = field(default_factory=dict)


def moments(
    raw: pl.Series, zones: pl.Series | None, reading: TimeReading, learners: pl.Series | None = None
) -> pl.Series:
    """Times as UTC date-times of microseconds; null where a value is none.

    A time with an offset or a zone says its own. Otherwise the row's zone counts, then `reading.zone`. Which pass of an
    hour that the clock passes twice is meant, the order of the rows tells (repeated_hour.py); one that it skips is no
    time.

    Args:
        raw: Times as given.
        zones: The zone that each row names; null where it names none.
        reading: How they are read.
        learners: Whose row each is; None where that is not known.
    """
    if isinstance(raw.dtype, pl.Datetime) and raw.dtype.time_zone is not None:
        return raw.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if raw.dtype == pl.Date or isinstance(raw.dtype, pl.Datetime):
        return _placed(raw.cast(_NAIVE), _none(raw), zones, reading, learners)
    if raw.dtype.is_numeric() and not reading.formats:
        return _of_numbers(raw, zones, reading, learners)
    if raw.dtype != pl.String and not raw.dtype.is_integer():
        return pl.Series(raw.name, [None] * len(raw), dtype=_UTC)
    text = raw.cast(pl.String).str.strip_chars()
    parts = _parts(text, reading)
    read = _placed(parts["naive"], parts["tail"], zones, reading, learners)
    left = read.is_null() & text.is_not_null() & ~parts["form"]
    if reading.formats or not left.any():
        return read.alias(raw.name)
    return read.zip_with(~left, _of_numbers(text, zones, reading, learners)).alias(raw.name)


def reasons(raw: pl.Series, zones: pl.Series | None, reading: TimeReading) -> pl.Series:
    """Why each of these values, none of which could be read, is no time. No reason holds a value but a zone's name.

    Args:
        raw: Values that `moments` gave up, in their type.
        zones: The zone that each row names.
        reading: How they were read.
    """
    if raw.dtype == pl.Date or isinstance(raw.dtype, pl.Datetime):
        return _unplaced(pl.repeat(True, len(raw), eager=True), _none(raw), zones, reading).alias("reason")
    text = raw.cast(pl.String, strict=False).str.strip_chars()
    parts = _parts(text, reading)
    number = counts.numbers(text).is_not_null()
    unplaced = _unplaced(parts["naive"].is_not_null(), parts["tail"], zones, reading)
    table = pl.DataFrame(
        {
            "unplaced": unplaced,
            "no_day": parts["form"] & parts["naive"].is_null(),
            "number": number,
            "rounded": counts.is_rounded(text),
            "no_order": written.is_numbers_only(text) & (reading.day_first is None),
            "short": written.has_short_year(text),
        }
    )
    of_number = BEFORE_START if reading.counted is not None else _NO_UNIT
    return table.select(
        pl.when(pl.col("unplaced").is_not_null())
        .then("unplaced")
        .when("no_day")
        .then(pl.lit(_NO_SUCH_DAY))
        .when(bool(reading.formats))
        .then(pl.lit(_ANOTHER_FORMAT))
        .when("rounded")
        .then(pl.lit(_ROUNDED))
        .when("number")
        .then(pl.lit(of_number))
        .when("no_order")
        .then(pl.lit(_NO_ORDER))
        .when("short")
        .then(pl.lit(_SHORT_YEAR))
        .otherwise(pl.lit(NO_TIME))
        .alias("reason")
    ).to_series()


def _parts(text: pl.Series, reading: TimeReading) -> pl.DataFrame:
    if reading.formats:
        return written.by_formats(text, reading.formats)
    return written.parts(text, day_first=reading.day_first)


def _of_numbers(raw: pl.Series, zones: pl.Series | None, reading: TimeReading, learners: pl.Series | None) -> pl.Series:
    if reading.counted is None:
        return pl.Series(raw.name, [None] * len(raw), dtype=_UTC)
    read = counts.instants(counts.numbers(raw), reading.counted)
    return _placed(read, _none(raw), zones, reading, learners) if reading.counted.is_local else read


def _placed(
    naive: pl.Series, tails: pl.Series, zones: pl.Series | None, reading: TimeReading, learners: pl.Series | None
) -> pl.Series:
    """Wall-clock times as instants: by the offset or zone behind them, else the row's zone, else the setting's."""
    if zones is None and tails.null_count() == len(tails):
        return in_zone(naive, reading.zone, learners).alias(naive.name)
    names = _zone_names(tails, zones, reading)
    read = pl.Series(naive.name, [None] * len(naive), dtype=_UTC)
    for name in names.unique().to_list():
        meant = _meant(name, reading)
        if meant is None:
            continue
        here = names == name
        local = naive.set(~here, None)
        if meant.offset is None:
            placed = in_zone(local, str(meant.name), learners)
        else:
            placed = local.dt.offset_by(f"{-meant.offset}m").dt.replace_time_zone("UTC")
        read = read.zip_with(~here, placed)
    return read


def _unplaced(sound: pl.Series, tails: pl.Series, zones: pl.Series | None, reading: TimeReading) -> pl.Series:
    """Why a sound wall-clock time could not be placed: its zone is not known, or its clock skips it. Null elsewhere."""
    names = _zone_names(tails, zones, reading)
    why = {name: _why(name, reading) for name in names.unique().to_list()}
    text = names.replace_strict(list(why), list(why.values()), return_dtype=pl.String)
    return text.set(~sound, None)


def _why(name: str, reading: TimeReading) -> str:
    meant = _meant(name, reading)
    if meant is not None:
        return f"occurred_at is an hour that the clock of {meant.name or name} skips"
    shown = name if _ZONE_NAME.match(name) else "of an unusual form"
    return f"occurred_at has the time zone {shown}, which is not known (AIVO_SOURCE_ZONES)"


def _zone_names(tails: pl.Series, zones: pl.Series | None, reading: TimeReading) -> pl.Series:
    own = tails.fill_null("").str.strip_chars()
    row = pl.repeat("", len(tails), eager=True) if zones is None else zones.fill_null("").str.strip_chars()
    named = own.zip_with(own != "", row)
    return named.zip_with(named != "", pl.repeat(reading.zone, len(tails), eager=True)).alias("zone")


def _meant(name: str, reading: TimeReading) -> Zone | None:
    known = zone_of(name, reading.zones)
    if known is not None:
        return known
    match = _OFFSET.match(name)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return Zone(offset=-minutes if match[1] == "-" else minutes) if minutes < 24 * 60 else None


def _none(raw: pl.Series) -> pl.Series:
    return pl.Series("tail", [None], dtype=pl.String).new_from_index(0, len(raw))
