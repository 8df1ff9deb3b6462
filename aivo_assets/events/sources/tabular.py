"""Parquet and CSV files with one row an event.

Belongs here: finding our columns in theirs, and reading no more of a Parquet file than the window asks for.

A file without a time column may be read where `AIVO_SOURCE_FIRST_EVENT_AT` is set: its rows are then one second apart,
and each file goes on where the one before it ends.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
from upath import UPath

from aivo_assets.events.schema import EARLIEST
from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.events.sources.columns import EVENT_NAMES, mapped
from aivo_assets.events.sources.delimited import read_blocks
from aivo_assets.events.sources.files import find_files, fingerprint, refuse_empty, unreadable
from aivo_assets.events.sources.layouts import layout_of, refuse_one_column
from aivo_assets.events.sources.learner_files import read_learners
from aivo_assets.events.sources.skill_lists import split_skills
from aivo_assets.events.sources.table_files import (
    decimal_mark,
    dialect_of,
    holds_parquet,
    refuse_twins,
    with_points,
)
from aivo_assets.settings import SourceSettings

DECIMAL_COMMA = "Values are parted by semicolons: 1,5 is read as one and a half (AIVO_SOURCE_DECIMAL)."

_ROWS_AT_ONCE = 250_000
_MARGIN = timedelta(days=1)  # local times are at most 14 hours from UTC


class TabularSource:
    """Parquet or CSV files, told apart by the settings' kind of source and the files' names.

    Args:
        settings: Path, column mapping, encoding, time zone, subject and skill separator.
        first_event_at: What numeric times count seconds from.
        now: The present instant; rows after it are read whatever the window, so that they are set aside.
    """

    window_applies = True

    def __init__(self, settings: SourceSettings, first_event_at: datetime, now: datetime) -> None:
        self._settings = settings
        self._first_event_at = first_event_at
        self._now = now

    @property
    def name(self) -> str:
        """`parquet` or `csv`, as the settings call it."""
        return self._settings.kind

    def fingerprint(self) -> str:
        """Hash of the files and of how they are read."""
        return fingerprint(find_files(self._settings.path), self._settings)

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        """Read in chunks; of Parquet only the window and rows whose time is not sound. See `Source.events`."""
        del cursor
        files = find_files(self._settings.path)
        any_row, rows_before = False, 0
        for file in files:
            header_lines, last_line = 1, 1
            if _is_parquet(file, self._settings):
                header_lines, last_line = 0, _height(file)
                any_row |= last_line > 0
                extracts = self._parquet(file, window)
            else:
                extracts = self._delimited(file)
            for extract in extracts:
                any_row |= extract.frame.height + extract.broken.height > 0
                last_line = max(last_line, _last_line(extract))
                yield self._in_order_of_rows(extract, rows_before)
            rows_before += last_line - header_lines
        if not any_row:
            raise refuse_empty(files)

    def learners(self) -> pl.DataFrame | None:
        """The learner table, if the settings name one."""
        return read_learners(self._settings)

    def _parquet(self, file: UPath, window: Window | None) -> Iterator[Extract]:
        try:
            table = pl.scan_parquet(str(file), glob=False, row_index_name="_row", row_index_offset=1)
            schema = table.collect_schema()
            columns = self._columns(file, [name for name in schema.names() if name != "_row"], schema)
            if window is not None and "occurred_at" in columns:
                theirs = columns["occurred_at"]
                table = table.filter(self._wanted(theirs, schema[theirs], window))
            chosen = table.select(_row=pl.col("_row").cast(pl.Int64), **_renamed(columns))
            for chunk in chosen.collect_batches(chunk_size=_ROWS_AT_ONCE, maintain_order=True, engine="streaming"):
                yield self._extract(chunk, str(file), [])
        except (OSError, pl.exceptions.PolarsError) as error:
            raise unreadable(str(file), error) from error

    def _delimited(self, file: UPath) -> Iterator[Extract]:
        dialect = dialect_of(self._settings)
        layout = layout_of(file, dialect)
        refuse_one_column(file, layout)
        columns = self._columns(file, layout.names, None)
        refuse_twins(file, columns, self._settings.columns, layout.names)
        commas = decimal_mark(self._settings, layout.delimiter) == ","
        for block in read_blocks(file, dialect, sorted(set(columns.values()))):
            frame = block.frame.select("_row", **_renamed(columns))
            extract = self._extract(with_points(frame) if commas else frame, str(file), block.broken)
            yield replace(extract, lines=block.count, notes=(DECIMAL_COMMA,) if commas else ())

    def _extract(self, frame: pl.DataFrame, place: str, broken: list[tuple[int | None, str | None, str]]) -> Extract:
        return Extract(
            frame=split_skills(frame, self._settings.skill_separator).with_columns(_location=pl.lit(place)),
            broken=broken_rows(place, broken),
            timezone=self._settings.timezone,
            subject=self._settings.subject,
            missing=self._settings.missing_values,
            first_event_at=self._first_event_at,
        )

    def _in_order_of_rows(self, extract: Extract, rows_before: int) -> Extract:
        """The extract with a time for each row, a second a row, where the file has none."""
        if "occurred_at" in extract.frame.columns:
            return extract
        second = pl.duration(seconds=pl.col("_row") + rows_before)
        return replace(extract, frame=extract.frame.with_columns(occurred_at=pl.lit(self._first_event_at) + second))

    def _columns(self, file: UPath, available: list[str], schema: pl.Schema | None) -> dict[str, str]:
        required = ["learner_id", "item_id", "correct"]
        if self._settings.first_event_at is None:
            required.append("occurred_at")
        known = dict(EVENT_NAMES)
        if schema is not None:
            # `timestamp` is a moment in one file and a number of seconds in another: a column of moments goes first.
            known["occurred_at"] = tuple(
                sorted(known["occurred_at"], key=lambda name: not schema.get(name, pl.Null()).is_temporal())
            )
        return mapped(known, self._settings.columns, available, place=str(file), required=required)

    def _wanted(self, column: str, dtype: pl.DataType, window: Window) -> pl.Expr:
        """Rows of the window, and all whose time is missing or not sound; some more where zones are in doubt."""
        at = pl.col(column)
        if dtype.is_numeric():
            return self._wanted_seconds(at, window)
        if not isinstance(dtype, pl.Datetime) and dtype != pl.Date:
            return pl.lit(value=True)
        moments = [window.start, window.end, EARLIEST, self._now]
        if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
            exact = self._settings.timezone == "UTC" and dtype != pl.Date
            margins = [timedelta()] * 4 if exact else [-_MARGIN, _MARGIN, _MARGIN, -_MARGIN]
            moments = [(moment + margin).replace(tzinfo=None) for moment, margin in zip(moments, margins, strict=True)]
        # Of the column's own type, or the scan cannot compare them with a row group's statistics.
        first, last, earliest, latest = (pl.lit(moment).cast(dtype) for moment in moments)
        return at.is_null() | ((at >= first) & (at < last)) | (at < earliest) | (at > latest)

    def _wanted_seconds(self, at: pl.Expr, window: Window) -> pl.Expr:
        first, last, earliest, latest = (
            (moment - self._first_event_at).total_seconds()
            for moment in (window.start, window.end, EARLIEST, self._now)
        )
        unsound = at.is_null() | at.is_nan() | (at < earliest) | (at > latest)
        return unsound | ((at >= first) & (at < last))


def _last_line(extract: Extract) -> int:
    lines = pl.concat([extract.frame["_row"], extract.broken["row"]]).max()
    return lines if isinstance(lines, int) else 0


def _is_parquet(file: UPath, settings: SourceSettings) -> bool:
    text = any(end in file.suffixes for end in (".csv", ".tsv", ".tab", ".txt"))
    return holds_parquet(file, promised=settings.kind == "parquet" and not text)


def _height(file: UPath) -> int:
    try:
        return int(pl.scan_parquet(str(file), glob=False).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(str(file), error) from error


def _renamed(columns: dict[str, str]) -> dict[str, pl.Expr]:
    return {ours: pl.col(theirs) for ours, theirs in columns.items()}
