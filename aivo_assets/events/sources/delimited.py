"""Delimited text files, read so that one bad line costs one line.

Belongs here: encodings, blocks and widths. What the columns mean is the sources' business.

A file is read in blocks. In each, lines that cannot be decoded are set aside, quoted line breaks are found, and what is
whole goes through pyarrow with every column as text. Line numbers are those that an editor shows.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc
from upath import UPath

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.sources.files import opened
from aivo_assets.events.sources.records import REPLACED, UNCLOSED, Records, Shape, fields, split_records

_BLOCK_BYTES = 32 << 20
_LONGEST_HEADER = 1 << 20
_WIDE = ("utf-16", "utf-32")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Broken = list[tuple[int | None, str | None, str]]


@dataclass(frozen=True)
class Dialect:
    """How a kind of file is written.

    Attributes:
        delimiter: What stands between two values; one ASCII character.
        quoted: Whether values may stand in double quotes, and then hold delimiters and line breaks.
        encoding: Encoding where no byte order mark says another.
    """

    delimiter: str = ","
    quoted: bool = True
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Block:
    """A stretch of a file.

    Attributes:
        frame: The wanted columns as text (empty where nothing stands), and `_row`, the line on which each row begins.
        broken: Line, text and reason of each line of which no row could be made.
    """

    frame: pl.DataFrame
    broken: Broken


def read_header(file: UPath, dialect: Dialect) -> list[str]:
    """Column names; the second of equal names gets ` (2)`, the third ` (3)`.

    Raises:
        SourceError: The file is empty, unreadable, or its first line cannot be decoded.
        SettingsError: The encoding is unknown.
    """
    with opened(file) as stream:
        encoding, lines = _as_lines(stream, dialect)
        first = lines.readline(_LONGEST_HEADER)
        while first and not first.strip():
            first = lines.readline(_LONGEST_HEADER)
    if not first:
        raise SourceError(f"{file} is empty", fix="Check the export that made it.")
    try:
        text = first.decode(encoding).rstrip("\r\n")
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE
        names = next(csv.reader([text], delimiter=dialect.delimiter, quoting=quoting))
    except (UnicodeDecodeError, csv.Error, StopIteration) as error:
        raise SourceError(
            f"The first line of {file} cannot be read as column names in {encoding}",
            fix="Set AIVO_SOURCE_ENCODING to the file's encoding, for example latin-1, and check the kind of source.",
        ) from error
    return _unique([name.strip() for name in names])


def read_blocks(file: UPath, dialect: Dialect, wanted: Sequence[str]) -> Iterator[Block]:
    """Read a file, block by block, in its order.

    Args:
        file: What is read.
        dialect: How it is written.
        wanted: Columns to keep, named as `read_header` names them.

    Raises:
        SourceError: The file cannot be read to its end.
        SettingsError: The encoding is unknown.
    """
    names = read_header(file, dialect)
    shape = Shape(width=len(names), delimiter=dialect.delimiter, quoted=dialect.quoted)
    with opened(file) as stream:
        encoding, lines = _as_lines(stream, dialect)
        line, rest, fresh, skip_header = 1, b"", b"\n", True
        while fresh:
            fresh = lines.read(_BLOCK_BYTES)
            content = rest + fresh
            records = split_records(
                content, shape, first_line=line, encoding=encoding, final=not fresh, skip_header=skip_header
            )
            line, rest, skip_header = records.next_line, content[records.consumed :], records.header_ahead
            if len(records.lines) or records.broken:
                yield _parsed(records, names, shape, wanted)


def _as_lines(stream: BinaryIO, dialect: Dialect) -> tuple[str, BinaryIO]:
    """The encoding that counts, and a stream behind the byte order mark in which a newline is the byte 0x0A.

    A file of two or four bytes a character is brought to UTF-8 as a whole; what it cannot mean becomes U+FFFD.
    """
    try:
        encoding = codecs.lookup(dialect.encoding).name
    except LookupError as error:
        raise SettingsError(
            f"AIVO_SOURCE_ENCODING={dialect.encoding!r} is no text encoding that is known here",
            fix="Use a name such as utf-8, latin-1, cp1252 or utf-16.",
        ) from error
    start = stream.read(4)
    mark, marked = next(((mark, name) for mark, name in _BOMS if start.startswith(mark)), (b"", encoding))
    stream.seek(len(mark))
    if not marked.startswith(_WIDE):
        return marked, stream
    stream.seek(0)
    text = stream.read().decode(marked, errors="replace")
    return "utf-8", io.BytesIO(text.lstrip("\ufeff").replace("\ufffd", REPLACED).encode(errors="surrogatepass"))


def _parsed(records: Records, names: list[str], shape: Shape, wanted: Sequence[str]) -> Block:
    table, invalid = _by_pyarrow(records, names, shape, wanted)
    if table.num_rows + len(invalid) != len(records.lines):
        # pyarrow took quotes for something else than we did; the careful way decides record by record.
        return _by_csv(records, names, shape, wanted)
    whole = np.ones(len(records.lines), dtype=bool)
    broken = list(records.broken)
    for number, width, text in invalid:
        whole[number] = False
        broken.append((int(records.lines[number]), text, _wrong_width(width, shape.width)))
    frame = pl.DataFrame(pl.from_arrow(table)).with_columns(pl.Series("_row", records.lines[whole], dtype=pl.Int64))
    return Block(frame=frame, broken=broken)


def _by_pyarrow(
    records: Records, names: list[str], shape: Shape, wanted: Sequence[str]
) -> tuple[pa.Table, list[tuple[int, int, str]]]:
    invalid: list[tuple[int, int, str]] = []

    def set_aside(row: pc.InvalidRow) -> str:
        invalid.append((row.number - 1, row.actual_columns, row.text))
        return "skip"

    if not records.payload:
        return pa.table({name: pa.array([], pa.string()) for name in wanted}), invalid
    table = pc.read_csv(
        pa.BufferReader(records.payload),
        read_options=pc.ReadOptions(column_names=names, use_threads=False, block_size=len(records.payload) + 1),
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


def _by_csv(records: Records, names: list[str], shape: Shape, wanted: Sequence[str]) -> Block:
    positions = [names.index(name) for name in wanted]
    rows: list[list[str]] = []
    lines: list[int] = []
    broken = list(records.broken)
    for line, record in zip(records.lines.tolist(), records.texts(), strict=True):
        values = fields(record, shape)
        if values is not None and len(values) == shape.width:
            rows.append([values[position] for position in positions])
            lines.append(line)
        else:
            reason = UNCLOSED if values is None else _wrong_width(len(values), shape.width)
            broken.append((line, record, reason))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(wanted, pl.String), orient="row")
    return Block(frame=frame.with_columns(pl.Series("_row", lines, dtype=pl.Int64)), broken=broken)


def _wrong_width(width: int, expected: int) -> str:
    return f"the line has {'fewer' if width < expected else 'more'} values than there are columns"


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique
