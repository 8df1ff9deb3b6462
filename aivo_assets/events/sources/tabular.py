"""Parquet and CSV files with one row an event.

Belongs here: finding our columns in theirs, and reading no more of a Parquet file than the window asks for.

A file without a time column may be read where `AIVO_SOURCE_FIRST_EVENT_AT` is set: its rows are then one second apart,
and each file goes on where the one before it ends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import polars as pl
from upath import UPath

from aivo_assets.events.schema import EARLIEST
from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.events.sources.columns import EVENT_NAMES, mapped
from aivo_assets.events.sources.learner_files import read_learners
from aivo_assets.events.sources.plan import Plan, asked_of_times, labels_of, made
from aivo_assets.events.sources.reading.delimited import Block, read_blocks
from aivo_assets.events.sources.reading.files import find_files, fingerprint, refuse_empty, unreadable
from aivo_assets.events.sources.reading.layouts import layout_of, refuse_one_column
from aivo_assets.events.sources.reading.table_files import (
    decimal_mark,
    dialect_of,
    holds_parquet,
    refuse_twins,
    with_points,
)
from aivo_assets.events.times.counted import PER_SECOND
from aivo_assets.events.values.skill_lists import split_skills
from aivo_assets.settings import SourceSettings

DECIMAL_COMMA = "Values are parted by semicolons: 1,5 is read as one and a half (AIVO_SOURCE_DECIMAL)."

_ROWS_AT_ONCE = 250_000
_ROWS_OF_A_SAMPLE = 1000
_BYTES_OF_A_SAMPLE = 1 << 20
_MARGIN = timedelta(days=1)  # local times are at most 14 hours from UTC


@dataclass(frozen=True)
class _TextShape:
    """How a delimited file is laid out.

    Attributes:
        columns: Ours to theirs.
        names: All of theirs.
        commas: Whether numbers have a decimal comma.
    """

    columns: dict[str, str]
    names: list[str]
    commas: bool


class TabularSource:
    """Parquet or CSV files, told apart by the settings' kind of source and the files' names.

    Args:
        settings: Path, column mapping, encoding, time zone, subject and skill separator.
        first_event_at: What numbers that do not count from 1970 count from.
        now: The present instant; rows after it are read whatever the window, so that they are set aside.
    """

    window_applies = True

    def __init__(self, settings: SourceSettings, first_event_at: datetime, now: datetime) -> None:
        self._settings = settings
        self._first_event_at = first_event_at
        self._now = now
        self._shapes: dict[str, _TextShape] = {}

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

    def how_read(self) -> tuple[str, ...]:
        """Columns, times and labels; see `Source.how_read`."""
        return self._plan.sentences

    @property
    def has_times(self) -> bool:
        """Whether the files say when their rows happened; otherwise the order of rows is all there is."""
        return self._plan.has_times

    def learners(self) -> pl.DataFrame | None:
        """The learner table, if the settings name one."""
        return read_learners(self._settings)

    @cached_property
    def _plan(self) -> Plan:
        """How the files are read, after a look at all of their times and labels."""
        asked, labels = asked_of_times(self._settings, self._first_event_at), labels_of(self._settings)
        files = find_files(self._settings.path)
        shapes = {file: self._shape(file) for file in files}
        plan = made(
            {file.name: (columns, available) for file, (columns, available) in shapes.items()},
            (chunk for file in files for chunk in self._surveyed(file, shapes[file][0])),
            asked,
            labels,
            now=self._now,
            missing=self._settings.missing_values,
            sample=self._head(files[0], shapes[files[0]][1]),
        )
        commas = any(shape.commas for shape in self._shapes.values())
        return replace(plan, sentences=(*plan.sentences, DECIMAL_COMMA)) if commas else plan

    def _shape(self, file: UPath) -> tuple[dict[str, str], Sequence[str]]:
        """Columns of a file, ours to theirs, and all that it has."""
        if _is_parquet(file, self._settings):
            schema = _schema(file)
            return self._columns(file, schema.names(), schema), schema.names()
        shape = self._text_shape(file)
        return shape.columns, shape.names

    def _surveyed(self, file: UPath, columns: dict[str, str]) -> Iterator[pl.DataFrame]:
        """The columns of times and labels, chunk by chunk."""
        wanted = {ours: columns[ours] for ours in ("occurred_at", "correct") if ours in columns}
        if not _is_parquet(file, self._settings):
            for block in read_blocks(file, dialect_of(self._settings), sorted(set(wanted.values()))):
                yield self._ours(file, block, *wanted).drop("_row")
            return
        try:
            table = pl.scan_parquet(str(file), glob=False).select(**_renamed(wanted))
            yield from table.collect_batches(chunk_size=_ROWS_AT_ONCE, maintain_order=True, engine="streaming")
        except (OSError, pl.exceptions.PolarsError) as error:
            raise unreadable(str(file), error) from error

    def _head(self, file: UPath, available: Sequence[str]) -> pl.DataFrame | None:
        """The first rows with all columns."""
        if _is_parquet(file, self._settings):
            return pl.scan_parquet(str(file), glob=False).head(_ROWS_OF_A_SAMPLE).collect()
        blocks = read_blocks(file, dialect_of(self._settings), list(available), block_bytes=_BYTES_OF_A_SAMPLE)
        block = next(blocks, None)
        return None if block is None else block.frame.drop("_row").head(_ROWS_OF_A_SAMPLE)

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
        dialect, columns = dialect_of(self._settings), self._text_shape(file).columns
        for block in read_blocks(file, dialect, sorted(set(columns.values()))):
            yield replace(self._extract(self._ours(file, block), str(file), block.broken), lines=block.count)

    def _ours(self, file: UPath, block: Block, *only: str) -> pl.DataFrame:
        """A block of text with `_row` and columns named as ours: all, or those that are named."""
        shape = self._text_shape(file)
        columns = {ours: theirs for ours, theirs in shape.columns.items() if not only or ours in only}
        frame = block.frame.select("_row", **_renamed(columns))
        return with_points(frame) if shape.commas else frame

    def _text_shape(self, file: UPath) -> _TextShape:
        """How a delimited file is laid out; found once."""
        if str(file) not in self._shapes:
            layout = layout_of(file, dialect_of(self._settings))
            refuse_one_column(file, layout)
            columns = self._columns(file, layout.names, None)
            refuse_twins(file, columns, self._settings.columns, layout.names)
            commas = decimal_mark(self._settings, layout.delimiter) == ","
            self._shapes[str(file)] = _TextShape(columns, layout.names, commas)
        return self._shapes[str(file)]

    def _extract(self, frame: pl.DataFrame, place: str, broken: list[tuple[int | None, str | None, str]]) -> Extract:
        return Extract(
            frame=split_skills(frame, self._settings.skill_separator).with_columns(_location=pl.lit(place)),
            broken=broken_rows(place, broken),
            times=self._plan.times,
            labels=self._plan.labels,
            subject=self._settings.subject,
            missing=self._settings.missing_values,
            fold_repeats=self._settings.repeats == "fold",
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
                sorted(known["occurred_at"], key=lambda name: not _holds_moments(schema.get(name, pl.Null())))
            )
        return mapped(known, self._settings.columns, available, place=str(file), required=required)

    def _wanted(self, column: str, dtype: pl.DataType, window: Window) -> pl.Expr:
        """Rows of the window, and all whose time is missing or not sound; some more where zones are in doubt."""
        at = pl.col(column)
        if dtype.is_numeric():
            return self._wanted_numbers(at, window)
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

    def _wanted_numbers(self, at: pl.Expr, window: Window) -> pl.Expr:
        counted = self._plan.times.counted
        if counted is None or counted.start is None:
            return pl.lit(value=True)
        scale, start = PER_SECOND[counted.unit], counted.start
        first, last, earliest, latest = (
            (moment - start).total_seconds() * scale
            for moment in (window.start, window.end, max(EARLIEST, start), self._now)
        )
        unsound = at.is_null() | at.is_nan() | (at < earliest) | (at > latest)
        return unsound | ((at >= first) & (at < last))


def _holds_moments(dtype: pl.DataType) -> bool:
    return dtype == pl.Date or isinstance(dtype, pl.Datetime)


def _last_line(extract: Extract) -> int:
    lines = pl.concat([extract.frame["_row"], extract.broken["row"]]).max()
    return lines if isinstance(lines, int) else 0


def _is_parquet(file: UPath, settings: SourceSettings) -> bool:
    text = any(end in file.suffixes for end in (".csv", ".tsv", ".tab", ".txt"))
    return holds_parquet(file, promised=settings.kind == "parquet" and not text)


def _schema(file: UPath) -> pl.Schema:
    try:
        return pl.scan_parquet(str(file), glob=False).collect_schema()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(str(file), error) from error


def _height(file: UPath) -> int:
    try:
        return int(pl.scan_parquet(str(file), glob=False).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(str(file), error) from error


def _renamed(columns: dict[str, str]) -> dict[str, pl.Expr]:
    return {ours: pl.col(theirs) for ours, theirs in columns.items()}
