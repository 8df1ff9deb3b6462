"""From values as a source gave them to the numbers of `Event`, column by column.

Belongs here: what a number means, and which values mean nothing. Text is tidied already (`tidying.py`), and
identifiers are `identifiers.py`'s, times in `times/`, labels in `labels.py`. No rule on what a good value is, and no
row is dropped.
"""

from collections.abc import Callable

import polars as pl

_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"


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
