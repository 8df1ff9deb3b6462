"""Which lines of a delimited text make one record: where quotes open and close, and what to do where they do not match.

Belongs here: pairing quotes. No column's name is known here.

A record of several lines is believed only where nothing else can be meant: its values fit the columns before and after
the line break, no line between could be a row of its own, and not both of its ends could. A stray quote therefore costs
its own line and not the rest of the file.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aivo_assets.events.sources.reading.column_kinds import ColumnKinds

UNCLOSED = "the line opens a quote that does not close"

_QUOTE = 0x22
_LONGEST_RECORD_LINES = 1000
_LONGEST_RECORD_BYTES = 1 << 20
_LINES_LEARNT = 2000
_LINES_ENOUGH = 200
_MARK = "\ufeff"

csv.field_size_limit(_LONGEST_RECORD_BYTES)


@dataclass(frozen=True)
class Shape:
    """What a record looks like.

    Attributes:
        width: How many values it has.
        delimiter: What stands between them.
        quoted: Whether they may be quoted.
        header: The line of the header, where it is one line: a file that was put together from several repeats it.
    """

    width: int
    delimiter: str
    quoted: bool
    header: str | None = None


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


@dataclass
class Lines:
    """The lines of a stretch of text while their quotes are paired.

    Attributes:
        text: The text in UTF-8.
        starts: Offset of each line.
        ends: Offset of each line's newline.
        filled: Which lines hold something and are not set aside.
        shape: What a record looks like.
        broken: Reason and text of each line that is set aside.
        joined: First line → last line of each record of several lines.
        kinds: What the columns hold, as far as it had to be known.
    """

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    filled: NDArray[np.bool_]
    shape: Shape
    kinds: ColumnKinds | None = None
    broken: dict[int, tuple[str, str]] = field(default_factory=dict)
    joined: dict[int, int] = field(default_factory=dict)

    def set_aside(self, line: int, reason: str, shown: str | None = None) -> None:
        """Make no record of a line."""
        self.broken.setdefault(line, (reason, self.stretch(line, line) if shown is None else shown))
        self.filled[line] = False

    def stretch(self, first: int, last: int) -> str:
        """Text from the beginning of one line to the end of another."""
        return self.text[self.starts[first] : self.ends[last]].decode()

    def leave_out_header(self) -> NDArray[np.bool_]:
        """Make no record of lines that repeat the header; which they are."""
        repeats = np.zeros(len(self.ends), dtype=bool)
        if not self.shape.header:
            return repeats
        for header in (self.shape.header.encode(), f"{_MARK}{self.shape.header}".encode()):
            for line in np.flatnonzero((self.ends - self.starts == len(header)) & self.filled).tolist():
                repeats[line] |= self.text.startswith(header, self.starts[line])
        self.filled &= ~repeats
        return repeats

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

    def _quotes(self) -> NDArray[np.int64]:
        """How many quotes each line has."""
        quotes = np.flatnonzero(np.frombuffer(self.text, dtype=np.uint8) == _QUOTE)
        return np.bincount(np.searchsorted(self.ends, quotes), minlength=len(self.ends)).astype(np.int64)

    def _odd(self) -> NDArray[np.int64]:
        """Lines with an odd number of quotes: what begins or ends a value of several lines, or is broken."""
        return np.flatnonzero((self._quotes() % 2 == 1) & self.filled).astype(np.int64)

    def _is_one_record(self, first: int, last: int) -> bool:
        """Whether a row of several lines, and nothing else, can be meant."""
        if last - first > _LONGEST_RECORD_LINES or self.ends[last] - self.starts[first] > _LONGEST_RECORD_BYTES:
            return False
        if any(line in self.broken for line in range(first, last + 1)):
            return False
        values = fields(self.stretch(first, last), self.shape)
        if values is None or not self._known().fits(values):
            return False
        between = (self._is_a_row(line) for line in range(first + 1, last))
        if any(between) if self._known().telling else last > first + 1 and all(between):
            return False
        if not self._is_a_row(last):
            return True
        # The last line alone is whole. That can be chance only where nothing is known of the columns that the
        # end of the broken value would fill.
        broken = max(column for column, value in enumerate(values) if "\n" in value)
        return not self._is_a_row(first) and self._known().are_free(broken)

    def _is_a_row(self, line: int) -> bool:
        alone = self.stretch(line, line)
        values = fields(alone, self.shape) or alone.split(self.shape.delimiter)
        # A doubled quote is one within a quoted value, so a line that holds one is a part of such a value.
        return self._known().is_a_row(values) and not any('""' in value.removeprefix('""') for value in values)

    def _known(self) -> ColumnKinds:
        """Kinds of the columns, from lines that are whole by themselves."""
        if self.kinds is None or self.kinds.learnt_from < _LINES_ENOUGH:
            learnt = ColumnKinds.learn(self._whole_lines(), self.shape.width)
            if not learnt.learnt_from:
                learnt = ColumnKinds.learn(self._whole_pairs(), self.shape.width)
            if self.kinds is None or learnt.learnt_from > self.kinds.learnt_from:
                self.kinds = learnt
        return self.kinds

    def _whole_lines(self) -> Iterator[list[str]]:
        whole = np.flatnonzero(self.filled & (self._quotes() % 2 == 0))
        for line in whole[:: max(1, len(whole) // _LINES_LEARNT)].tolist():
            values = fields(self.stretch(line, line), self.shape)
            if values is not None:
                yield values

    def _whole_pairs(self) -> Iterator[list[str]]:
        """Values of records of two lines and more, as far as quotes match: each row of the file may be one."""
        odd = self._odd()
        for first, last in zip(
            odd[: 2 * _LINES_LEARNT : 2].tolist(), odd[1 : 2 * _LINES_LEARNT : 2].tolist(), strict=False
        ):
            if last - first <= _LONGEST_RECORD_LINES:
                values = fields(self.stretch(first, last), self.shape)
                if values is not None:
                    yield values

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
