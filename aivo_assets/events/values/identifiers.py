"""Identifiers, names and lists of skills, from values as a source gave them. Belongs here: which text is one identity.

One column of whole numbers is written `70677` by one export and `70677.0` by the next, because a missing value beside
it made floats of it. Both are one identity. A float beyond 2**53 (2**24 for 32 bits) and a number that a spreadsheet
rounded to `1.23457E+14` are none: several identifiers became one, and nobody can tell which.
"""

import polars as pl

from aivo_assets.errors import SourceError

ROUNDED = "is a rounded number whose last digits are lost: export it as text or as a whole number"
"""Why a value is no identifier; the column's name goes before it."""

_LARGEST_WHOLE = 2.0**53
_LARGEST_WHOLE_OF_32 = 2.0**24
"""From here on a float of 64 or 32 bits no longer tells neighbours apart."""

_ANY_FLOAT = r"^[+-]?\d+(?:\.0+|(?:\.\d+)?[eE]\+\d{2,3})$"
_WHOLE_FLOAT = r"^([+-]?\d+)\.0+$"
_SHORTEST = r"^[+-]?\d(?:\.\d+)?e\+\d{2,3}$"


def text(raw: pl.Series) -> pl.Series:
    """Identifiers and other text: a whole float reads as the integer it was; null also where digits were lost.

    Numbers as text follow the same rule. With a small `e` (`1e+05` of R, JavaScript, Python) they are written in the
    fewest digits that tell them from all others, so they are exact; with a capital one (`1.23457E+14`) a spreadsheet
    has rounded them.

    Args:
        raw: Values of any flat type; text is tidied already.

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
        largest = _LARGEST_WHOLE if raw.dtype == pl.Float64 else _LARGEST_WHOLE_OF_32
        certain = column.is_finite() & (column.abs() < largest)
        whole = column == column.round()
        shown = (
            pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
        )
        return raw.to_frame().select(pl.when(certain).then(shown).alias(raw.name)).to_series()
    as_text = raw.cast(pl.String)
    if not as_text.str.contains(_ANY_FLOAT).any():
        return as_text
    return as_text.to_frame().select(_whole(column)).to_series()


def skills(raw: pl.Series) -> pl.Series:
    """Skill identifiers as a sorted list without repetition; null where there is none, or where one lost digits.

    Sorted, so that the same event from two extracts is the same event whatever order its skills came in.
    """
    column = pl.col(raw.name)
    if not isinstance(raw.dtype, pl.List):
        single = text(raw).to_frame()
        return single.select(pl.when(column.is_not_null()).then(pl.concat_list(column)).alias(raw.name)).to_series()
    flat = pl.DataFrame({"row": pl.int_range(len(raw), eager=True), "given": raw}).explode("given", empty_as_null=True)
    members = flat.with_columns(text(flat["given"]).alias("member"))
    lost = pl.col("member").is_null() & pl.col("given").is_not_null()
    listed = (
        members.group_by("row", maintain_order=True)
        .agg(pl.col("member").drop_nulls().unique().sort(), lost.any().alias("lost"))
        .select(pl.when(~pl.col("lost") & (pl.col("member").list.len() > 0)).then("member").alias(raw.name))
    )
    return listed.to_series()


def _whole(column: pl.Expr) -> pl.Expr:
    """Text that is a float in digits as the whole number it was; null where it no longer tells which."""
    digits = column.str.extract(_WHOLE_FLOAT, 1)
    value = column.cast(pl.Float64, strict=False)
    certain = value.abs() < _LARGEST_WHOLE
    written_out = value.cast(pl.Int64, strict=False).cast(pl.String)
    return (
        pl.when(~column.str.contains(_ANY_FLOAT))
        .then(column)
        .when(certain & digits.is_not_null())
        .then(digits)
        .when(certain & column.str.contains(_SHORTEST) & (value == value.round()))
        .then(written_out)
    )
