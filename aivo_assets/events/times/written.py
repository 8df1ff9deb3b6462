"""Dates and times in text. Belongs here: which forms are read, and their parts; no zone is applied, nothing is decided.

Read by themselves are forms in which day, month and year cannot be mistaken:

* year first: `2024-04-05 9:05`, `2024/4/5`, `2024-04-05T09:05:00.123+02:00`, `20240405T090500Z`;
* a month by its English name: `5 Apr 2024, 9:05 PM`, `Apr 5, 2024`, `Fri Apr 5 09:05:00 UTC 2024`.

`05/04/2024` needs to be told whether the day or the month comes first. After the time may stand AM or PM, and an offset
or the name of a zone. Years of two digits, and anything else, need a format.
"""

import re

import polars as pl

_TIME = r"(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<part>\d{1,9}))?)?\s*(?<half>[AaPp]\.?[Mm]\.?)?"
_TAIL = (
    r"\s*(?<tail>[+-]\d{1,2}(?::?\d{2})?|[A-Za-z][A-Za-z_/]*(?:[+-]\d{1,2}(?::?\d{2})?)?)?\s*(?:\[[^\]]*\]|\([^)]*\))?$"
)
_WEEKDAY = r"^(?:(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)[a-z]*\.?,?\s+)?"
_MONTH = r"(?<word>[A-Za-z]{3,9})\.?"
_NTH = r"(?:st|nd|rd|th)?"
_CLOCK = r"(?:(?:[T,\s]+|\s+at\s+)" + _TIME + r")?"

_YEAR_FIRST = r"^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})" + _CLOCK + _TAIL
_COMPACT = (
    r"^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})T(?<hour>\d{2}):?(?<minute>\d{2})(?::?(?<second>\d{2})"
    r"(?:[.,](?<part>\d{1,9}))?)?" + _TAIL
)
_DAY_WORD_YEAR = (
    _WEEKDAY + r"(?<day>\d{1,2})" + _NTH + r"[-/\s.]*" + _MONTH + r"[-/\s,.]*(?<year>\d{4})" + _CLOCK + _TAIL
)
_WORD_DAY_YEAR = _WEEKDAY + _MONTH + r"\s+(?<day>\d{1,2})" + _NTH + r",?\s+(?<year>\d{4})" + _CLOCK + _TAIL
_YEAR_LAST = (
    _WEEKDAY + _MONTH + r"\s+(?<day>\d{1,2})\s+" + _TIME + r"\s+(?:(?<tail>[A-Za-z][A-Za-z_/]*)\s+)?(?<year>\d{4})$"
)
_UNMISTAKABLE = (_YEAR_FIRST, _COMPACT, _DAY_WORD_YEAR, _WORD_DAY_YEAR, _YEAR_LAST)
_NUMBERS_ONLY = r"^(?<first>\d{1,2})[-/.](?<other>\d{1,2})[-/.](?<year>\d{4})" + _CLOCK + _TAIL
_SHORT_YEAR = r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{2}(?:\D.*)?$"
_MONTHS = {
    word: number
    for number, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
         "november", "december"), start=1
    )
    for word in (name, name[:3])
} | {"sept": 9}  # fmt: skip
_PARTS = ("year", "month", "day", "hour", "minute", "second", "part", "half", "tail")
_SECONDS = re.compile(r"%H:%M(?!:%S)|%I:%M(?!:%S)")


def parts(text: pl.Series, *, day_first: bool | None) -> pl.DataFrame:
    """What each text says.

    Args:
        text: Trimmed text.
        day_first: Whether `05/04/2024` is the 5th of April; None where that is not known, and it is not read then.

    Returns:
        `naive` (Datetime, microseconds, as the clock on the wall shows it), `tail` (String, offset or zone as
        written, null where there is none) and `form` (Boolean, whether the text has a form that is read; its date may
        not exist).
    """
    frame = pl.DataFrame({"text": text}).with_row_index("row")
    read: list[pl.DataFrame] = []
    for pattern in (*_UNMISTAKABLE, *(() if day_first is None else (_NUMBERS_ONLY,))):
        if frame.is_empty():
            break
        groups = frame.with_columns(pl.col("text").str.extract_groups(pattern).alias("groups"))
        matched = groups.filter(pl.col("groups").struct.field("year").is_not_null())
        if matched.is_empty():
            continue
        read.append(_joined(matched.select("row", "groups").unnest("groups"), day_first=bool(day_first)))
        frame = frame.join(matched.select("row"), on="row", how="anti", maintain_order="left")
    rest = frame.select(
        "row", naive=pl.lit(None, pl.Datetime("us")), tail=pl.lit(None, pl.String), form=pl.lit(value=False)
    )
    return pl.concat([*read, rest]).sort("row").drop("row")


def by_formats(text: pl.Series, formats: tuple[str, ...]) -> pl.DataFrame:
    """What each text says by strftime formats, the first that fits; columns as `parts`.

    Where a format has hours and minutes, seconds and their parts may follow.
    """
    naive = pl.Series("naive", [None] * len(text), dtype=pl.Datetime("us"))
    tail = pl.Series("tail", [None] * len(text), dtype=pl.String)
    for pattern in dict.fromkeys(variant for given in formats for variant in _variants(given)):
        parsed = text.str.to_datetime(pattern, time_unit="us", strict=False)
        if parsed.dtype == pl.Datetime("us", "UTC"):
            tail = tail.zip_with(~(naive.is_null() & parsed.is_not_null()), pl.repeat("Z", len(text), eager=True))
            parsed = parsed.dt.replace_time_zone(None)
        naive = naive.zip_with(naive.is_not_null(), parsed)
    return pl.DataFrame({"naive": naive, "tail": tail, "form": naive.is_not_null()})


def is_numbers_only(text: pl.Series) -> pl.Series:
    """Where a date has a day and a month in an order that it does not tell."""
    return text.str.contains(_NUMBERS_ONLY).fill_null(value=False)


def first_two(text: pl.Series) -> pl.DataFrame:
    """`first` and `other` (Int32) of `05/04/2024`."""
    return (
        text.str.extract_groups(_NUMBERS_ONLY)
        .struct.unnest()
        .select(pl.col("first", "other").cast(pl.Int32, strict=False))
    )


def has_short_year(text: pl.Series) -> pl.Series:
    """Where a date has a year of two digits."""
    return text.str.contains(_SHORT_YEAR).fill_null(value=False)


def has_time_of_day(text: pl.Series) -> pl.Series:
    """Where a text has a time of day."""
    return text.str.contains(r"\d:\d\d|T\d{4}").fill_null(value=False)


def _joined(groups: pl.DataFrame, *, day_first: bool) -> pl.DataFrame:
    """Parts as text to a date-time; null where there is no such day or time."""
    if "first" in groups.columns:
        day, month = ("first", "other") if day_first else ("other", "first")
        groups = groups.rename({day: "day", month: "month"})
    if "word" in groups.columns:
        number = pl.col("word").str.to_lowercase().replace_strict(_MONTHS, default=None, return_dtype=pl.Int32)
        groups = groups.with_columns(month=number.cast(pl.String))
    absent = [pl.lit(None, pl.String).alias(name) for name in _PARTS if name not in groups.columns]
    groups = groups.with_columns(absent)
    stamp = pl.format(
        "{}-{}-{} {}:{}:{}.{}",
        "year",
        *(pl.col(name).str.zfill(2) for name in ("month", "day")),
        _hour().cast(pl.String).str.zfill(2),
        pl.col("minute").fill_null("00"),
        pl.col("second").fill_null("00"),
        pl.col("part").fill_null("0"),
    )
    naive = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    return groups.select("row", naive=naive, tail="tail", form=pl.lit(value=True))


def _hour() -> pl.Expr:
    """The hour of a day of 24; beside AM or PM it must be 1 to 12."""
    hour = pl.col("hour").cast(pl.Int32, strict=False).fill_null(0)
    half = pl.col("half").str.to_lowercase().str.slice(0, 1)
    of_twelve = pl.when(hour.is_between(1, 12)).then(hour % 12 + pl.when(half == "p").then(12).otherwise(0))
    return pl.when(half.is_null()).then(hour).otherwise(of_twelve)


def _variants(pattern: str) -> list[str]:
    """A format, and the same with seconds, where it has none, and with their parts."""
    full = _SECONDS.sub(lambda match: f"{match[0]}:%S", pattern)
    return [pattern, full, full.replace("%S", "%S%.f") if "%.f" not in full else full]
