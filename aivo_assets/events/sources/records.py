"""Where the records of a delimited text begin and end.

Belongs here: lines, quotes, and what to do where they do not match; no column is known here.

Quotes pair up over lines only where the record that this makes has the right number of values. A stray quote therefore
costs its own line and not the rest of the file.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNDECODABLE = "the line cannot be decoded in the file's encoding"
UNCLOSED = "the line opens a quote that does not close"
REPLACED = "\ue000"
"""Stands where a file of two or four bytes a character could not be decoded (first of the private use area)."""

_NEWLINE, _RETURN, _QUOTE = 0x0A, 0x0D, 0x22
_LONGEST_RECORD_LINES = 1000
_LONGEST_RECORD_BYTES = 1 << 20

Broken = list[tuple[int | None, str | None, str]]


@dataclass(frozen=True)
class Shape:
    """What a record looks like: how many values, what stands between them, whether they may be quoted."""

    width: int
    delimiter: str
    quoted: bool


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
        header_ahead: Whether the header line is still to come.
    """

    payload: bytes
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]
    broken: Broken
    consumed: int
    next_line: int
    header_ahead: bool

    def texts(self) -> Iterator[str]:
        """Each record as text, without its newline."""
        ends = np.append(self.starts, len(self.payload))[1:]
        for start, end in zip(self.starts.tolist(), ends.tolist(), strict=True):
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


def split_records(
    content: bytes, shape: Shape, *, first_line: int, encoding: str, final: bool, skip_header: bool
) -> Records:
    """Part a stretch of text into records.

    Args:
        content: Bytes that begin at the start of a line.
        shape: What a record looks like.
        first_line: Number of the line with which `content` begins.
        encoding: An encoding in which a newline is the byte 0x0A and a quote the byte 0x22.
        final: Whether nothing follows `content`; otherwise its last, unfinished line is left for later.
        skip_header: Whether the first line that is not blank is the header.
    """
    if final and content and not content.endswith(b"\n"):
        content += b"\n"
        surplus = 1
    else:
        surplus = 0
    original_ends = _newlines(content)
    lines_there = len(original_ends)
    text, bad_lines = _in_utf8(content[: original_ends[-1] + 1] if lines_there else b"", encoding)
    broken: Broken = [(first_line + line, shown, UNDECODABLE) for line, shown in bad_lines]

    view = np.frombuffer(text, dtype=np.uint8)
    ends = _newlines(text)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if lines_there else ends
    filled = (ends - starts > 1) | ((ends - starts == 1) & (view[starts] != _RETURN)) if lines_there else ends > 0
    if skip_header and filled.any():
        filled[int(np.argmax(filled))] = False
        skip_header = False

    joined: dict[int, int] = {}  # first line of a record of several lines → its last line
    upto = lines_there
    if shape.quoted:
        odd = _odd_lines(view, ends, filled)
        joined, unclosed, upto = _pair_quotes(text, starts, ends, odd, shape, final=final)
        for line in unclosed:
            filled[line] = False
            broken.append((first_line + line, text[starts[line] : ends[line]].decode(), UNCLOSED))
    for first, last in joined.items():
        filled[first + 1 : last + 1] = False

    chosen = np.flatnonzero(filled[:upto])
    payload, offsets = _payload(text, starts, ends, chosen, joined)
    broken = [problem for problem in broken if problem[0] is not None and problem[0] < first_line + upto]
    consumed = int(original_ends[upto - 1]) + 1 if upto else 0
    return Records(
        payload=payload,
        starts=offsets,
        lines=chosen.astype(np.int64) + first_line,
        broken=broken,
        consumed=consumed - (surplus if upto == lines_there else 0),
        next_line=first_line + upto,
        header_ahead=skip_header,
    )


def _newlines(content: bytes) -> NDArray[np.int64]:
    return np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == _NEWLINE).astype(np.int64)


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
            bad.append((index, text.replace(REPLACED, "").rstrip("\r")))
            text = ""
        lines.append(text)
    return "\n".join(lines).encode(), bad


def _odd_lines(view: NDArray[np.uint8], ends: NDArray[np.int64], filled: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lines with an odd number of quotes: what begins or ends a value of several lines, or is broken."""
    quotes = np.flatnonzero(view == _QUOTE)
    if not len(quotes):
        return np.empty(0, dtype=np.int64)
    counts = np.bincount(np.searchsorted(ends, quotes), minlength=len(ends))
    return np.flatnonzero((counts % 2 == 1) & filled).astype(np.int64)


def _pair_quotes(
    text: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    odd: NDArray[np.int64],
    shape: Shape,
    *,
    final: bool,
) -> tuple[dict[int, int], list[int], int]:
    """Join lines into records of several lines.

    Returns:
        First line → last line of each such record; lines whose quote does not close; and up to which line the text is
        dealt with (a record that may go on behind the text is left for later).
    """
    joined: dict[int, int] = {}
    unclosed: list[int] = []
    position = 0
    while position < len(odd):
        first = int(odd[position])
        position += 1
        if fields(text[starts[first] : ends[first]].decode().rstrip("\r"), shape) is not None:
            continue  # a quote within a value that is not quoted means itself
        last = int(odd[position]) if position < len(odd) else None
        if last is None:
            waiting = len(ends) - first <= _LONGEST_RECORD_LINES and len(text) - starts[first] <= _LONGEST_RECORD_BYTES
            if not final and waiting:
                return joined, unclosed, first
            unclosed.append(first)
        elif _is_one_record(text, int(starts[first]), int(ends[last]), last - first, shape):
            joined[first] = last
            position += 1
        else:
            unclosed.append(first)
    return joined, unclosed, len(ends)


def _is_one_record(text: bytes, start: int, end: int, further_lines: int, shape: Shape) -> bool:
    if further_lines > _LONGEST_RECORD_LINES or end - start > _LONGEST_RECORD_BYTES:
        return False
    values = fields(text[start:end].decode().rstrip("\r"), shape)
    return values is not None and len(values) == shape.width


def _payload(
    text: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    chosen: NDArray[np.int64],
    joined: dict[int, int],
) -> tuple[bytes, NDArray[np.int64]]:
    """The chosen records one after another, and where each begins."""
    if not len(chosen):
        return b"", np.empty(0, dtype=np.int64)
    last = chosen.copy()
    if joined:
        index = {first: position for position, first in enumerate(chosen.tolist())}
        for first, final_line in joined.items():
            if first in index:
                last[index[first]] = final_line
    begin, end = starts[chosen], ends[last] + 1
    lengths = end - begin
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    if np.array_equal(begin[1:], end[:-1]):
        return text[begin[0] : end[-1]], offsets
    return b"".join(text[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)), offsets
