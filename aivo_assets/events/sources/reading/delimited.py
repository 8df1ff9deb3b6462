"""Delimited text files, read so that one bad line costs one line.

Belongs here: blocks, values and widths. What the columns mean is the sources' business.

A file is read in blocks. In each, records are found (`records.py`), and those written as RFC 4180 has it go through
pyarrow with every column as text; the rest is read one by one. Line numbers are those that an editor shows. Lines are
counted before anything is parsed, and the count must be that of header, rows, joined, blank and set aside lines.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc
from numpy.typing import NDArray
from upath import UPath

from aivo_assets.errors import SourceError
from aivo_assets.events.sources.reading.files import opened
from aivo_assets.events.sources.reading.layouts import Dialect, Layout, layout_of
from aivo_assets.events.sources.reading.quotes import UNCLOSED, Shape, fields
from aivo_assets.events.sources.reading.records import Broken, LineCount, Records, split_records
from aivo_assets.events.sources.reading.text_lines import TextLines

__all__ = ["Block", "Broken", "Dialect", "read_blocks", "read_header"]

_BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Block:
    """A stretch of a file.

    Attributes:
        frame: The wanted columns as text (empty where nothing stands), and `_row`, the line on which each row begins.
        broken: Line, text and reason of each line of which no row could be made.
        count: What became of its lines; those of the header belong to the first block.
    """

    frame: pl.DataFrame
    broken: Broken
    count: LineCount = field(default_factory=LineCount)


def read_header(file: UPath, dialect: Dialect) -> list[str]:
    """Column names; the second of equal names gets ` (2)`, the third ` (3)`. Raises as `layout_of`."""
    return layout_of(file, dialect).names


def read_blocks(
    file: UPath, dialect: Dialect, wanted: Sequence[str], *, block_bytes: int | None = None
) -> Iterator[Block]:
    """Read a file, block by block, in its order.

    Args:
        file: What is read.
        dialect: How it is written.
        wanted: Columns to keep, named as `read_header` names them.
        block_bytes: About how much is read at once; None for a size that suits whole files.

    Raises:
        SourceError: The file cannot be read to its end, or its lines do not add up.
        SettingsError: The encoding is unknown.
    """
    layout = layout_of(file, dialect)
    shape = Shape(len(layout.names), layout.delimiter, layout.quoted, layout.header)
    with opened(file) as stream:
        text = TextLines(stream, dialect.encoding, str(file))
        rest = _behind(text, layout.lines)
        counted = LineCount(header=layout.lines - layout.blank, blank=layout.blank)
        line, fresh, ahead, kinds = layout.lines + 1, b"\n", counted, None
        while fresh:
            fresh = text.read(block_bytes or _BLOCK_BYTES)
            content = rest + fresh
            records = split_records(
                content, shape, first_line=line, encoding=layout.encoding, final=not fresh, kinds=kinds
            )
            line, rest, kinds = records.next_line, content[records.consumed :], records.kinds
            block = _parsed(records, layout, shape, wanted)
            counted += block.count
            if block.count.total:
                yield replace(block, count=block.count + ahead)
                ahead = LineCount()
        if counted.total != text.lines:
            raise SourceError(
                f"The lines of {file} do not add up: it has {text.lines}, and {counted} are accounted for",
                fix="This is an error of the platform, not of the data: report it with the file's layout.",
            )


def _behind(text: TextLines, lines: int) -> bytes:
    """What was read of the text behind so many lines."""
    content = b""
    while content.count(b"\n") < lines and (more := text.read(1 << 16)):
        content += more
    for _ in range(lines):
        content = content.partition(b"\n")[2]
    return content


def _parsed(records: Records, layout: Layout, shape: Shape, wanted: Sequence[str]) -> Block:
    plain, odd = _by_form(records, shape)
    table, invalid = _by_pyarrow(records, plain, layout.names, shape, wanted)
    if table.num_rows + len(invalid) != len(plain):
        plain, odd, invalid = plain[:0], np.arange(len(records.lines)), []
        table, _ = _by_pyarrow(records, plain, layout.names, shape, wanted)
    whole = np.ones(len(plain), dtype=bool)
    broken: Broken = []
    for number, width, shown in invalid:
        whole[number] = False
        broken.append((int(records.lines[plain[number]]), shown, _wrong_width(width, shape.width)))
    lines = pl.Series("_row", records.lines[plain][whole], dtype=pl.Int64)
    frame = pl.DataFrame(pl.from_arrow(table)).with_columns(lines)
    if len(odd):
        further, unread = _by_csv(records, odd, layout.names, shape, wanted)
        frame = pl.concat([frame, further]).sort("_row")
        broken.extend(unread)
    count = replace(
        records.count, rows=records.count.rows - len(broken), set_aside=records.count.set_aside + len(broken)
    )
    return Block(frame=frame, broken=[*records.broken, *broken], count=count)


def _by_form(records: Records, shape: Shape) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the records that every reader understands alike, and of those in which quotes stand oddly."""
    everything = np.arange(len(records.lines), dtype=np.int64)
    if not shape.quoted:
        return everything, everything[:0]
    quotes = np.flatnonzero(np.frombuffer(records.payload, dtype=np.uint8) == 0x22)
    quoted = np.unique(np.searchsorted(records.starts, quotes, side="right") - 1)
    if not len(quoted):
        return everything, everything[:0]
    value = rf'(?:"(?:[^"]|"")*"|[^"\n{re.escape(shape.delimiter)}]*)'
    well_formed = rf"\A{value}(?:{re.escape(shape.delimiter)}{value})*\z"
    texts = pl.Series(list(records.texts(quoted)), dtype=pl.String)
    odd = quoted[~texts.str.contains(well_formed).to_numpy()]
    return np.setdiff1d(everything, odd, assume_unique=True), odd


def _by_pyarrow(
    records: Records, chosen: NDArray[np.int64], names: list[str], shape: Shape, wanted: Sequence[str]
) -> tuple[pa.Table, list[tuple[int, int, str]]]:
    invalid: list[tuple[int, int, str]] = []

    def set_aside(row: pc.InvalidRow) -> str:
        invalid.append((row.number - 1, row.actual_columns, row.text))
        return "skip"

    if not len(chosen):
        return pa.table({name: pa.array([], pa.string()) for name in wanted}), invalid
    payload = records.payload
    if len(chosen) < len(records.lines):
        payload = "".join(f"{text}\n" for text in records.texts(chosen)).encode()
    table = pc.read_csv(
        pa.BufferReader(payload),
        read_options=pc.ReadOptions(column_names=names, use_threads=False, block_size=len(payload) + 1),
        parse_options=pc.ParseOptions(
            delimiter=shape.delimiter,
            quote_char='"' if shape.quoted else False,
            newlines_in_values=shape.quoted,
            ignore_empty_lines=True,
            invalid_row_handler=set_aside,
        ),
        convert_options=pc.ConvertOptions(
            column_types={name: pa.string() for name in wanted},
            include_columns=list(wanted),
            strings_can_be_null=False,
        ),
    )
    return table, invalid


def _by_csv(
    records: Records, chosen: NDArray[np.int64], names: list[str], shape: Shape, wanted: Sequence[str]
) -> tuple[pl.DataFrame, Broken]:
    positions = [names.index(name) for name in wanted]
    rows: list[list[str]] = []
    lines: list[int] = []
    broken: Broken = []
    for line, record in zip(records.lines[chosen].tolist(), records.texts(chosen), strict=True):
        values = fields(record, shape)
        if values is not None and len(values) == shape.width:
            rows.append([values[position] for position in positions])
            lines.append(line)
        else:
            reason = UNCLOSED if values is None else _wrong_width(len(values), shape.width)
            broken.append((line, record, reason))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(wanted, pl.String), orient="row")
    return frame.with_columns(pl.Series("_row", lines, dtype=pl.Int64)), broken


def _wrong_width(width: int, expected: int) -> str:
    return f"the line has {'fewer' if width < expected else 'more'} values than there are columns"
