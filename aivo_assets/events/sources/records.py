"""Where the records of a delimited text begin and end.

Belongs here: lines, quotes, and what to do where they do not match; no column is known here.

A record of several lines is believed only where nothing else can be meant: its values fit the columns before and after
the line break, and neither the lines between nor both of its ends could be rows of their own. A stray quote therefore
costs its own line and not the rest of the file. Every line ends in exactly one number of `LineCount`.
"""

import csv
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field

import numpy as np
from numpy.typing import NDArray

from aivo_assets.events.sources.column_kinds import ColumnKinds

UNDECODABLE = "the line cannot be decoded in the file's encoding (AIVO_SOURCE_ENCODING)"
UNCLOSED = "the line opens a quote that does not close"
ZERO_BYTES = "the line holds zero bytes: this part of the file is damaged"
REPLACED = "\ue000"
"""Stands where a file of two or four bytes a character could not be decoded (first of the private use area)."""

_NEWLINE, _QUOTE, _ZERO = 0x0A, 0x22, 0x00
_LONGEST_RECORD_LINES = 1000
_LONGEST_RECORD_BYTES = 1 << 20
_LINES_LEARNT = 2000

Broken = list[tuple[int | None, str | None, str]]


@dataclass(frozen=True)
class Shape:
    """What a record looks like: how many values, what stands between them, whether they may be quoted."""

    width: int
    delimiter: str
    quoted: bool


@dataclass(frozen=True)
class LineCount:
    """What became of the lines of a file.

    Attributes:
        header: Lines of the header, and above it.
        rows: Rows, each by its first line.
        set_aside: Lines of which no row could be made.
        joined: Further lines of rows of several lines.
        blank: Lines with nothing in them.
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
    """

    payload: bytes
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]
    broken: Broken
    consumed: int
    next_line: int
    count: LineCount

    def texts(self, chosen: NDArray[np.int64]) -> Iterator[str]:
        """The chosen records as text, without their newline."""
        ends = np.append(self.starts, len(self.payload))[1:]
        for start, end in zip(self.starts[chosen].tolist(), ends[chosen].tolist(), strict=True):
            yield self.payload[start : end - 1].decode()


def fields(record: str, shape: Shape) -> list[str] | None:
    """The values of one record; None where its quotes do not match or it is more than one record."""
    try:
        parsed = list(
            csv.reader(
                [f"{line}\n" for line in record.split("\n")],
                delimiter=shape.delimiter,
                quoting=csv.QUOTE_MINIMAL if shape.quoted else csv.QUOTE_NONE,
                strict=True,
            )
        )
    except csv.Error:
        return None
    return parsed[0] if len(parsed) == 1 else None


def split_records(content: bytes, shape: Shape, *, first_line: int, encoding: str, final: bool) -> Records:
    """Part a stretch of text into records.

    Args:
        content: Bytes that begin at the start of a line behind the header; lines end in 0x0A.
        shape: What a record looks like.
        first_line: Number of the line with which `content` begins.
        encoding: An encoding in which a newline is the byte 0x0A and a quote the byte 0x22.
        final: Whether nothing follows `content`; otherwise its last, unfinished line is left for later.
    """
    surplus = int(final and bool(content) and not content.endswith(b"\n"))
    content += b"\n" * surplus
    original_ends = _positions(content, _NEWLINE)
    lines_there = len(original_ends)
    text, bad_lines = _in_utf8(content[: original_ends[-1] + 1] if lines_there else b"", encoding)
    ends = _positions(text, _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if lines_there else ends
    lines = _Lines(text, starts, ends, ends - starts > 0, shape)
    for line, shown in bad_lines:
        lines.set_aside(line, UNDECODABLE, shown)
    for line in np.unique(np.searchsorted(ends, _positions(text, _ZERO))).tolist():
        lines.set_aside(line, ZERO_BYTES)
    blank = ~lines.filled
    blank[list(lines.broken)] = False

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
            rows=len(chosen),
            set_aside=len(broken),
            joined=int(further[:upto].sum()),
            blank=int((blank & ~further)[:upto].sum()),
        ),
    )


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


@dataclass
class _Lines:
    """The lines of a stretch of text while their quotes are paired.

    Attributes:
        text: The text in UTF-8.
        starts: Offset of each line.
        ends: Offset of each line's newline.
        filled: Which lines hold something and are not set aside.
        shape: What a record looks like.
        broken: Reason and text of each line that is set aside.
        joined: First line → last line of each record of several lines.
    """

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    filled: NDArray[np.bool_]
    shape: Shape
    broken: dict[int, tuple[str, str]] = field(default_factory=dict)
    joined: dict[int, int] = field(default_factory=dict)
    kinds: ColumnKinds | None = None

    def set_aside(self, line: int, reason: str, shown: str | None = None) -> None:
        """Make no record of a line."""
        self.broken.setdefault(line, (reason, self.stretch(line, line) if shown is None else shown))
        self.filled[line] = False

    def stretch(self, first: int, last: int) -> str:
        """Text from the beginning of one line to the end of another."""
        return self.text[self.starts[first] : self.ends[last]].decode()

    def pair_quotes(self, *, final: bool) -> int:
        """Join lines into records of several lines, and set aside those whose quote does not close.

        Returns:
            Up to which line the text is dealt with: a record that may go on behind the text is left for later.
        """
        odd = self._odd()
        position = 0
        while position < len(odd):
            first = int(odd[position])
            position += 1
            if fields(self.stretch(first, first), self.shape) is not None:
                continue  # a quote within a value that is not quoted means itself
            last = int(odd[position]) if position < len(odd) else None
            if last is None:
                bytes_behind = len(self.text) - self.starts[first]
                waiting = len(self.ends) - first <= _LONGEST_RECORD_LINES and bytes_behind <= _LONGEST_RECORD_BYTES
                if not final and waiting:
                    return first
                self.set_aside(first, UNCLOSED)
            elif self._is_one_record(first, last):
                self.joined[first] = last
                position += 1
            else:
                self.set_aside(first, UNCLOSED)
        return len(self.ends)

    def _odd(self) -> NDArray[np.int64]:
        """Lines with an odd number of quotes: what begins or ends a value of several lines, or is broken."""
        quotes = _positions(self.text, _QUOTE)
        if not len(quotes):
            return np.empty(0, dtype=np.int64)
        counts = np.bincount(np.searchsorted(self.ends, quotes), minlength=len(self.ends))
        return np.flatnonzero((counts % 2 == 1) & self.filled).astype(np.int64)

    def _is_one_record(self, first: int, last: int) -> bool:
        """Whether a row of several lines, and nothing else, can be meant."""
        if last - first > _LONGEST_RECORD_LINES or self.ends[last] - self.starts[first] > _LONGEST_RECORD_BYTES:
            return False
        if any(line in self.broken for line in range(first, last + 1)):
            return False
        values = fields(self.stretch(first, last), self.shape)
        if self.kinds is None:
            self.kinds = self._learnt()
        if values is None or not self.kinds.fits(values):
            return False
        if any(self._could_be_a_row(line) for line in range(first + 1, last)):
            return False
        if not self._could_be_a_row(last):
            return True
        # The last line alone is whole: only where the broken value is the first one, and that is free text.
        return not self._could_be_a_row(first) and self.kinds.is_free(0)

    def _could_be_a_row(self, line: int) -> bool:
        alone = self.stretch(line, line)
        values = fields(alone, self.shape) or alone.split(self.shape.delimiter)
        return self.kinds is not None and self.kinds.fits(values)

    def _learnt(self) -> ColumnKinds:
        """Kinds of the columns, from lines without a quote."""
        quoted = np.zeros(len(self.ends), dtype=bool)
        quoted[np.searchsorted(self.ends, _positions(self.text, _QUOTE))] = True
        plain = np.flatnonzero(self.filled & ~quoted)
        sample = plain[:: max(1, len(plain) // _LINES_LEARNT)]
        rows = (self.stretch(line, line).split(self.shape.delimiter) for line in sample.tolist())
        return ColumnKinds.learn((row for row in rows if len(row) == self.shape.width), self.shape.width)

    def payload(self, chosen: NDArray[np.int64]) -> tuple[bytes, NDArray[np.int64]]:
        """The chosen records one after another, and where each begins."""
        if not len(chosen):
            return b"", np.empty(0, dtype=np.int64)
        last = np.array([self.joined.get(line, line) for line in chosen.tolist()]) if self.joined else chosen
        begin, end = self.starts[chosen], self.ends[last] + 1
        offsets = np.concatenate([[0], np.cumsum(end - begin)[:-1]]).astype(np.int64)
        if np.array_equal(begin[1:], end[:-1]):
            return self.text[begin[0] : end[-1]], offsets
        return b"".join(self.text[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)), offsets
