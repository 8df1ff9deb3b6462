"""The records of a stretch of delimited text, and the account of its lines.

Belongs here: decoding, blank and damaged lines, repeated headers. Quotes are paired in `quotes.py`. Every line ends in
exactly one number of `LineCount`.
"""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from aivo_assets.events.sources.reading.column_kinds import ColumnKinds
from aivo_assets.events.sources.reading.quotes import Lines, Shape

UNDECODABLE = "the line cannot be decoded in the file's encoding (AIVO_SOURCE_ENCODING)"
ZERO_BYTES = "the line holds zero bytes: this part of the file is damaged"
REPLACED = "\ue000"
"""Stands where a file of two or four bytes a character could not be decoded (first of the private use area)."""

_NEWLINE, _ZERO = 0x0A, 0x00

Broken = list[tuple[int | None, str | None, str]]


@dataclass(frozen=True)
class LineCount:
    """What became of the lines of a file.

    Attributes:
        header: Lines of the header and above it, and those that repeat it.
        rows: Rows, each by its first line.
        set_aside: Lines of which no row could be made.
        joined: Further lines of rows of several lines.
        blank: Lines with nothing in them but white space and delimiters.
    """

    header: int = 0
    rows: int = 0
    set_aside: int = 0
    joined: int = 0
    blank: int = 0

    def __add__(self, other: "LineCount") -> "LineCount":
        return LineCount(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def total(self) -> int:
        """All lines."""
        return sum(astuple(self))


@dataclass(frozen=True)
class Records:
    """The whole records of a stretch of text.

    Attributes:
        payload: The records in UTF-8, each followed by a newline; no blank lines between them.
        starts: Offset of each record in `payload`.
        lines: Line on which each record begins (Int64, 1 = first line of the file).
        broken: Line, text and reason of each line that is no record.
        consumed: Bytes of the given content that are dealt with.
        next_line: Line on which the rest begins.
        count: What became of the lines up to there.
        kinds: What the columns hold, where that had to be known.
    """

    payload: bytes
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]
    broken: Broken
    consumed: int
    next_line: int
    count: LineCount
    kinds: ColumnKinds | None

    def texts(self, chosen: NDArray[np.int64]) -> Iterator[str]:
        """The chosen records as text, without their newline."""
        ends = np.append(self.starts, len(self.payload))[1:]
        for start, end in zip(self.starts[chosen].tolist(), ends[chosen].tolist(), strict=True):
            yield self.payload[start : end - 1].decode()


def split_records(
    content: bytes,
    shape: Shape,
    *,
    first_line: int,
    encoding: str,
    final: bool,
    kinds: ColumnKinds | None = None,
) -> Records:
    """Part a stretch of text into records.

    Args:
        content: Bytes that begin at the start of a line behind the header; lines end in 0x0A.
        shape: What a record looks like.
        first_line: Number of the line with which `content` begins.
        encoding: An encoding in which a newline is the byte 0x0A and a quote the byte 0x22.
        final: Whether nothing follows `content`; otherwise its last, unfinished line is left for later.
        kinds: What the columns hold, as learnt from an earlier stretch.
    """
    surplus = int(final and bool(content) and not content.endswith(b"\n"))
    content += b"\n" * surplus
    original_ends = _positions(content, _NEWLINE)
    lines_there = len(original_ends)
    text, bad_lines = _in_utf8(content[: original_ends[-1] + 1] if lines_there else b"", encoding)
    ends = _positions(text, _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if lines_there else ends
    blank = _blank(text, starts, ends, shape)
    lines = Lines(text, starts, ends, ~blank, shape, kinds)
    for line, shown in bad_lines:
        lines.set_aside(line, UNDECODABLE, shown)
    for line in np.unique(np.searchsorted(ends, _positions(text, _ZERO))).tolist():
        lines.set_aside(line, ZERO_BYTES)
    blank[list(lines.broken)] = False
    header = lines.leave_out_header()

    upto = lines_there
    if shape.quoted:
        upto = lines.pair_quotes(final=final)
    further = np.zeros(lines_there, dtype=bool)
    for first, last in lines.joined.items():
        further[first + 1 : last + 1] = True
    chosen = np.flatnonzero((lines.filled & ~further)[:upto])
    payload, offsets = lines.payload(chosen)
    broken: Broken = [
        (first_line + line, shown, reason) for line, (reason, shown) in lines.broken.items() if line < upto
    ]
    consumed = int(original_ends[upto - 1]) + 1 if upto else 0
    return Records(
        payload=payload,
        starts=offsets,
        lines=chosen.astype(np.int64) + first_line,
        broken=broken,
        consumed=consumed - (surplus if upto == lines_there else 0),
        next_line=first_line + upto,
        count=LineCount(
            header=int(header[:upto].sum()),
            rows=len(chosen),
            set_aside=len(broken),
            joined=int(further[:upto].sum()),
            blank=int((blank & ~further)[:upto].sum()),
        ),
        kinds=lines.kinds,
    )


def _blank(text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64], shape: Shape) -> NDArray[np.bool_]:
    """Lines in which nothing stands but white space and delimiters."""
    blank: NDArray[np.bool_] = ends == starts
    nothing = f" \t{shape.delimiter}".encode()
    begins_with_nothing = np.isin(np.frombuffer(text, dtype=np.uint8)[starts], np.frombuffer(nothing, dtype=np.uint8))
    for line in np.flatnonzero(begins_with_nothing).tolist():
        blank[line] = not text[starts[line] : ends[line]].strip(nothing)
    return blank


def _positions(content: bytes, byte: int) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == byte).astype(np.int64)


def _in_utf8(content: bytes, encoding: str) -> tuple[bytes, list[tuple[int, str]]]:
    """The text in UTF-8 with as many lines, and the index and text of each line that means nothing (left blank)."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return _line_by_line(content, encoding)
    if REPLACED in text:
        return _line_by_line(content, encoding)
    return (content if encoding == "utf-8" else text.encode()), []


def _line_by_line(content: bytes, encoding: str) -> tuple[bytes, list[tuple[int, str]]]:
    lines, bad = [], []
    for index, line in enumerate(content.split(b"\n")):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            text = line.decode(encoding, errors="backslashreplace") + REPLACED
        if REPLACED in text:
            bad.append((index, text.replace(REPLACED, "")))
            text = ""
        lines.append(text)
    return "\n".join(lines).encode(), bad
