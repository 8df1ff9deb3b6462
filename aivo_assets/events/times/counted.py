"""Times that are numbers: units, what they count from, Excel's day numbers. Belongs here: arithmetic; no deciding."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import polars as pl

Unit = Literal["s", "ms", "us", "ns", "excel", "excel1904"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PER_SECOND: dict[Unit, int] = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
UNIT_NAMES: dict[Unit, str] = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "excel": "Excel day numbers",
    "excel1904": "Excel day numbers (1904 date system)",
}
# Excel holds 1900 for a leap year, so its day 1 is two days off; from 1900-03-01 on, days count from here.
_EXCEL_STARTS: dict[Unit, datetime] = {"excel": datetime(1899, 12, 30), "excel1904": datetime(1904, 1, 1)}  # noqa: DTZ001 - local
_SECONDS_A_DAY = 86_400
_FARTHEST_SECONDS = 1e10  # about three hundred years; more would leave the range of a datetime
_DECIMAL = r"^[+-]?(?:\d+\.?\d*|\.\d+)$"
_SCIENTIFIC = r"^([+-]?\d(?:\.(\d+))?)[eE]\+?(\d{1,2})$"


@dataclass(frozen=True)
class Counted:
    """What the numbers of a column count.

    Attributes:
        unit: Of the numbers.
        start: What they count from; None for Excel's day numbers, whose start is fixed.
    """

    unit: Unit
    start: datetime | None = None

    @property
    def is_local(self) -> bool:
        """Whether the result is a time of the clock on the wall: Excel knows no zones."""
        return self.unit in _EXCEL_STARTS


def numbers(raw: pl.Series) -> pl.Series:
    """Numbers of a column as Float64, or Int64 where they are whole by type; null for what is no number.

    `1.67573E+12` is what a spreadsheet makes of 1675728000000: digits are lost, and it is no number here unless all of
    them are written out. With a small `e` (R, Python, JavaScript) a number is written exactly.
    """
    if raw.dtype.is_integer():
        return raw.cast(pl.Int64, strict=False)
    if raw.dtype.is_float():
        finite = raw.cast(pl.Float64)
        return finite.set(~finite.is_finite().fill_null(value=False), None)
    if raw.dtype != pl.String:
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.Float64)
    text = raw.str.strip_chars()
    whole = text.str.contains(r"^[+-]?\d{1,19}$").fill_null(value=False)
    if whole.sum() == len(text) - text.null_count():
        exactly = text.cast(pl.Int64, strict=False)
        if exactly.null_count() == text.null_count():
            return exactly
    plain = text.set(~text.str.contains(_DECIMAL).fill_null(value=False), None).cast(pl.Float64, strict=False)
    if plain.null_count() == text.null_count():
        return plain
    parts = text.str.extract_groups(_SCIENTIFIC).struct.unnest()
    decimals, exponent = (
        parts["2"].fill_null("").str.len_bytes().cast(pl.Int32),
        parts["3"].cast(pl.Int32, strict=False),
    )
    exact = (decimals >= exponent).fill_null(value=False) | text.str.contains("e", literal=True).fill_null(value=False)
    return plain.zip_with(~(exact & exponent.is_not_null()), text.cast(pl.Float64, strict=False))


def is_rounded(raw: pl.Series) -> pl.Series:
    """Where text is a number in scientific form from which digits are missing."""
    if raw.dtype != pl.String:
        return pl.repeat(value=False, n=len(raw), eager=True)
    scientific = raw.str.strip_chars().str.contains(_SCIENTIFIC).fill_null(value=False)
    return scientific & numbers(raw).is_null()


def instants(counts: pl.Series, counted: Counted) -> pl.Series:
    """Numbers as date-times of microseconds: UTC, or without a zone where `counted.is_local`.

    What lies before the start of a relative count, or farther from it than three hundred years, is null.

    Args:
        counts: As `numbers` gives them.
        counted: What they count.
    """
    name = counts.name
    if counted.start is None:
        days = pl.col(name).cast(pl.Float64)
        # Files hold five to ten digits of a day; what is finer than a second is an error of rounding.
        seconds = (pl.when(days.abs() < _FARTHEST_SECONDS / _SECONDS_A_DAY).then(days) * _SECONDS_A_DAY).round()
        moment = pl.lit(_EXCEL_STARTS[counted.unit]) + pl.duration(seconds=seconds.cast(pl.Int64))
        return counts.to_frame().select(moment.dt.cast_time_unit("us").alias(name)).to_series()
    microseconds = _microseconds(counts, counted.unit)
    if counted.start != EPOCH:
        microseconds = microseconds.set((microseconds < 0).fill_null(value=False), None)
    moment = pl.lit(counted.start).dt.cast_time_unit("us") + pl.duration(microseconds=pl.col(name))
    return microseconds.to_frame().select(moment.alias(name)).to_series()


def _microseconds(counts: pl.Series, unit: Unit) -> pl.Series:
    farthest = _FARTHEST_SECONDS * PER_SECOND[unit]
    within = counts.set((counts.cast(pl.Float64).abs() >= farthest).fill_null(value=False), None)
    if within.dtype.is_integer():
        return within * (1_000_000 // PER_SECOND[unit]) if unit != "ns" else within // 1000
    return (within * (1_000_000 / PER_SECOND[unit])).round().cast(pl.Int64)
