"""From values as a source gave them to the numbers and times of `Event`, column by column.

Belongs here: what a number or time means, and which values mean nothing. Text is tidied already (`tidying.py`), and
identifiers are `identifiers.py`'s. No rule on what a good value is, and no row is dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.events import repeated_hour

_TIME = (
    r"^(?<stamp>\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?)"
    r"\s*(?<offset>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_FARTHEST_SECONDS = 1e10  # about three hundred years; more would leave the range of a datetime


@dataclass(frozen=True)
class TimeReading:
    """How times without a zone, and times that are numbers, are to be read.

    Attributes:
        zone: Zone of times that carry none and whose row names none.
        first_event_at: What numbers count seconds from.
    """

    zone: str
    first_event_at: datetime


def number(raw: pl.Series) -> pl.Series:
    """Numbers as Float64; null where the value is missing or is none. Truth values are 1 and 0."""
    name = raw.name
    if raw.dtype == pl.Boolean or raw.dtype.is_numeric():
        return raw.cast(pl.Float64, strict=False).fill_nan(None)
    if raw.dtype != pl.String:
        return pl.Series(name, [None] * len(raw), dtype=pl.Float64)
    column = pl.col(name).str.strip_chars()
    lower = column.str.to_lowercase()
    return (
        raw.to_frame()
        .select(
            pl.when(column.str.contains(_NUMBER))
            .then(column.cast(pl.Float64, strict=False))
            .when(lower == "true")
            .then(1.0)
            .when(lower == "false")
            .then(0.0)
            .alias(name)
        )
        .to_series()
    )


def whole_number(dtype: type[pl.DataType]) -> Callable[[pl.Series], pl.Series]:
    """A reader of counts and flags: a number with a fraction, or one too large for `dtype`, means nothing."""

    def read(raw: pl.Series) -> pl.Series:
        if raw.dtype.is_integer() or raw.dtype == pl.Boolean:
            return raw.cast(dtype, strict=False)
        value = number(raw)
        return value.set(value != value.round(), None).cast(dtype, strict=False)

    return read


def milliseconds(raw: pl.Series) -> pl.Series:
    """Durations in whole milliseconds; a fraction is rounded, because it was measured and not counted."""
    if raw.dtype.is_integer():
        return raw.cast(pl.Int64, strict=False)
    return number(raw).round().cast(pl.Int64, strict=False)


def date_only(raw: pl.Series) -> pl.Series:
    """Calendar dates, from dates, date-times or ISO text."""
    if raw.dtype == pl.Date or isinstance(raw.dtype, pl.Datetime):
        return raw.cast(pl.Date)
    if raw.dtype != pl.String:
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.Date)
    head = raw.str.strip_chars().str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$", 1)
    return head.str.to_date("%Y-%m-%d", strict=False)


def is_missing(tidied: pl.Series) -> pl.Series:
    """Where a source gave no value at all, as opposed to one that cannot be read."""
    if tidied.dtype.is_float():
        return tidied.is_null() | tidied.is_nan().fill_null(value=False)
    return tidied.is_null()


def moments(
    raw: pl.Series, zones: pl.Series | None, reading: TimeReading, learners: pl.Series | None = None
) -> pl.Series:
    """Times as UTC date-times of microseconds.

    Numbers, also as text, count seconds from `reading.first_event_at`. ISO text with an offset says its own zone.
    Otherwise the row's zone counts, then `reading.zone`. Which pass of a repeated hour is meant, the order of the rows
    tells (repeated_hour.py); a time that the clock skips is none.

    Args:
        raw: Times as given.
        zones: The zone that each row names; null where it names none.
        reading: How the rest is read.
        learners: Whose row each is; None where that is not known.

    Raises:
        SourceError: `reading.zone` is no known time zone.
    """
    if reading.zone not in available_timezones():
        raise SourceError(
            f"{reading.zone!r} is no time zone", fix="Set AIVO_SOURCE_TIMEZONE to a name such as Europe/Paris or UTC."
        )
    if isinstance(raw.dtype, pl.Datetime) and raw.dtype.time_zone is not None:
        return raw.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if raw.dtype.is_numeric():
        return _seconds_after(raw.cast(pl.Float64, strict=False), reading.first_event_at)
    if raw.dtype == pl.Date or isinstance(raw.dtype, pl.Datetime):
        return _localised(raw.cast(pl.Datetime("us")), zones, reading.zone, learners)
    if raw.dtype != pl.String:
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.Datetime("us", "UTC"))
    return _from_text(raw, zones, reading, learners)


def _from_text(raw: pl.Series, zones: pl.Series | None, reading: TimeReading, learners: pl.Series | None) -> pl.Series:
    parts = raw.str.strip_chars().str.extract_groups(_TIME).struct.unnest()
    stamp = pl.col("stamp").str.replace("T", " ", literal=True)
    length = stamp.str.len_bytes()
    padded = stamp + pl.when(length == 10).then(pl.lit(" 00:00:00")).when(length == 16).then(pl.lit(":00")).otherwise(
        pl.lit("")
    )
    naive = padded.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    hours = pl.col("offset").str.slice(0, 3).cast(pl.Int32, strict=False)
    minutes = pl.col("offset").str.slice(3).str.strip_chars(":").cast(pl.Int32, strict=False).fill_null(0)
    behind = pl.when(pl.col("offset").str.starts_with("-")).then(hours * 60 - minutes).otherwise(hours * 60 + minutes)
    read = parts.select(
        naive.alias("naive"),
        (naive - pl.duration(minutes=behind.fill_null(0))).dt.replace_time_zone("UTC").alias("with_offset"),
        pl.col("offset").is_not_null().alias("has_offset"),
    )
    read = read.with_columns(
        _localised(read["naive"], zones, reading.zone, learners).alias("local"),
        _seconds_after(number(raw.rename("counted")), reading.first_event_at).alias("counted"),
    )
    return read.select(
        pl.when("has_offset").then("with_offset").otherwise(pl.coalesce("local", "counted")).alias(raw.name)
    ).to_series()


def _localised(naive: pl.Series, zones: pl.Series | None, default: str, learners: pl.Series | None) -> pl.Series:
    if zones is None:
        return repeated_hour.instants(naive, default, learners)
    frame = pl.DataFrame({"naive": naive, "zone": zones.str.strip_chars().replace("", None).fill_null(default)})
    known = available_timezones()
    read = pl.Series(naive.name, [None] * len(naive), dtype=pl.Datetime("us", "UTC"))
    for zone in frame["zone"].unique().to_list():
        if zone in known:
            here = frame["zone"] == zone
            local = naive.zip_with(here, naive.clear(len(naive)))
            read = read.zip_with(~here, repeated_hour.instants(local, zone, learners))
    return read.rename(naive.name)


def _seconds_after(seconds: pl.Series, start: datetime) -> pl.Series:
    name = seconds.name
    within = pl.col(name).is_finite() & (pl.col(name).abs() < _FARTHEST_SECONDS)
    microseconds = (pl.when(within).then(pl.col(name)) * 1_000_000).round().cast(pl.Int64)
    moment = pl.lit(start).dt.cast_time_unit("us") + pl.duration(microseconds=microseconds)
    return seconds.to_frame().select(moment.alias(name)).to_series()
