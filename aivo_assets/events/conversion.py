"""From values as a source gave them to the types of `Event`, column by column.

Belongs here: what text or number means what, and which values mean nothing. No rule on what a good value is, and no row
is dropped.
"""

from collections.abc import Callable

import polars as pl

from aivo_assets.errors import SourceError

MISSING = ("", "na", "n/a", "nan", "null", "none", "\\n")
"""What stands for no value in numbers and times, in lower case. In text only the empty string does: NA is a name."""

_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_LARGEST_WHOLE = 2.0**53  # beyond it a Float64 no longer tells neighbours apart


def text(raw: pl.Series) -> pl.Series:
    """Identifiers and other text: trimmed, empty is missing, a whole float reads as the integer it was.

    Raises:
        SourceError: The column holds lists, structures or bytes.
    """
    if raw.dtype.is_nested() or raw.dtype in (pl.Binary, pl.Object):
        raise SourceError(
            f"The column {raw.name!r} is of type {raw.dtype}, where text or a number is wanted",
            fix="Map another column, or bring this one to text where the file is made.",
        )
    column = pl.col(raw.name)
    if raw.dtype.is_float():
        whole = column.is_finite() & (column == column.round()) & (column.abs() < _LARGEST_WHOLE)
        column = (
            pl.when(column.is_nan())
            .then(None)
            .when(whole)
            .then(column.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(column.cast(pl.String))
        )
    column = column.cast(pl.String).str.strip_chars()
    return raw.to_frame().select(pl.when(column != "").then(column).alias(raw.name)).to_series()


def skills(raw: pl.Series) -> pl.Series:
    """Skill identifiers as a sorted list without repetition; null where there is none.

    Sorted, so that the same event from two extracts is the same event whatever order its skills came in.
    """
    if not isinstance(raw.dtype, pl.List):
        column = pl.col(raw.name)
        single = text(raw).to_frame()
        return single.select(pl.when(column.is_not_null()).then(pl.concat_list(column)).alias(raw.name)).to_series()
    element = pl.element().cast(pl.String).str.strip_chars()
    lists = pl.col(raw.name).list.eval(element).list.eval(pl.element().filter(pl.element() != "")).list.unique()
    return raw.to_frame().select(pl.when(lists.list.len() > 0).then(lists.list.sort()).alias(raw.name)).to_series()


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


def is_missing(raw: pl.Series, *, as_text: bool) -> pl.Series:
    """Where a source gave no value at all, as opposed to one that cannot be read."""
    if raw.dtype == pl.String:
        trimmed = raw.str.strip_chars()
        said = trimmed == "" if as_text else trimmed.str.to_lowercase().is_in(MISSING)
        return raw.is_null() | said.fill_null(value=False)
    if raw.dtype.is_float():
        return raw.is_null() | raw.is_nan().fill_null(value=False)
    return raw.is_null()
