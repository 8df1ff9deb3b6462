"""How a delimited file is laid out: what stands between values, its header, where its rows begin. No row is read here.

The separator is what the setting says, else what an Excel line `sep=;` says, else the one of comma, semicolon, tab and
bar that parts the header into most columns and the lines below it into as many.
"""

import csv
from dataclasses import dataclass
from itertools import count, islice
from typing import Final

from upath import UPath

from aivo_assets.errors import SourceError
from aivo_assets.events.sources.reading.files import opened
from aivo_assets.events.sources.reading.text_lines import TextLines
from aivo_assets.events.values.tidying import composed

CANDIDATES: Final = (",", ";", "\t", "|")
_HEAD_BYTES = 1 << 20
_MOST_HEADER_LINES = 20
_LINES_TRIED = 100
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@dataclass(frozen=True)
class Dialect:
    """How a kind of file is written.

    Attributes:
        delimiter: What stands between two values, one ASCII character; None where the header tells.
        quoted: Whether values may stand in double quotes, and then hold delimiters and line breaks. Tab-separated
            exports of databases that know no quotes are not; where the header tells another separator they are.
        encoding: Encoding where no byte order mark says another.
    """

    delimiter: str | None = None
    quoted: bool = True
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Layout:
    """How one file is laid out.

    Attributes:
        encoding: Of the lines that `TextLines` gives.
        delimiter: What stands between two values.
        quoted: Whether values may stand in quotes.
        header: The line with the column names, where it is one line.
        names: Column names; the second of equal names gets ` (2)`, the third ` (3)`.
        lines: Lines before the first row.
        blank: How many of these are blank.
    """

    encoding: str
    delimiter: str
    quoted: bool
    header: str | None
    names: list[str]
    lines: int
    blank: int


def layout_of(file: UPath, dialect: Dialect) -> Layout:
    """Read the head of a file.

    Raises:
        SourceError: The file is empty, unreadable, no delimited text, or its header cannot be decoded.
        SettingsError: The encoding is unknown.
    """
    with opened(file) as stream:
        text = TextLines(stream, dialect.encoding, str(file))
        head = b""
        while len(head) < _HEAD_BYTES and (more := text.read(_HEAD_BYTES)):
            head += more
    raw = head.split(b"\n")
    first = _next_filled(raw, 0)
    if first is None:
        raise SourceError(f"{file} is empty", fix="Check the export that made it.")
    told = _told(raw[first])
    start = first if told is None else _next_filled(raw, first + 1)
    if start is None:
        raise SourceError(f"{file} is empty but for a line sep=…", fix="Check the export that made it.")
    start += _above_header(raw[start : start + _LINES_TRIED], dialect.delimiter or told, text.encoding)
    try:
        raw[start].decode(text.encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"The first line of {file} cannot be read as column names in {text.encoding}",
            fix="Set AIVO_SOURCE_ENCODING to the file's encoding, for example latin-1, and check the kind of source.",
        ) from error
    lines = [line.decode(text.encoding, errors="replace") for line in raw[start : start + _LINES_TRIED]]
    delimiter = dialect.delimiter or told or _best(lines)
    quoted = dialect.quoted or delimiter != "\t"
    names, used = _header(lines, delimiter, quoted=quoted)
    blank = sum(not line.strip() for line in raw[:start])
    header = lines[0] if used == 1 else None
    return Layout(text.encoding, delimiter, quoted, header, _unique(names), start + used, blank)


def refuse_one_column(file: UPath, layout: Layout) -> None:
    """A table of answers has several columns; one alone means that another separator stands between them.

    Raises:
        SourceError: There is one.
    """
    if len(layout.names) == 1:
        tried = ", ".join(_NAMES.values())
        raise SourceError(
            f"{file} seems to have one column, {layout.names[0][:80]!r}: none of {tried} parts its header",
            fix="Set AIVO_SOURCE_DELIMITER to what stands between two values, and check the kind of source.",
        )


def _next_filled(raw: list[bytes], start: int) -> int | None:
    return next((index for index in range(start, len(raw)) if raw[index].strip()), None)


def _above_header(raw: list[bytes], told: str | None, encoding: str) -> int:
    """How many lines stand above the header: a title, comments, blank lines; each has one value, the rows several."""
    lines = [line.decode(encoding, errors="replace") for line in raw]
    delimiters = CANDIDATES if told is None else (told,)
    for index in range(min(_MOST_HEADER_LINES, len(lines) - 1)):
        if not lines[index].strip():
            continue
        filled = {each: sum(bool(value.strip()) for value in lines[index].split(each)) for each in delimiters}
        fits = any(
            filled[each] > 1 and _share_that_fits(lines[index + 1 :], each, _width(lines[index], each)) >= 0.5
            for each in delimiters
        )
        if fits:
            return index
        if max(filled.values()) > 1 and not lines[index].lstrip().startswith("#"):
            return 0
    return 0


def _told(line: bytes) -> str | None:
    """The separator of Excel's line `sep=;`."""
    text = line.strip(b'\xef\xbb\xbf"').decode("ascii", errors="replace")
    return text[4] if len(text) == 5 and text[:4].lower() == "sep=" else None


def _best(lines: list[str]) -> str:
    """The candidate that parts the header into most columns, and most lines below it into as many."""

    def fitness(delimiter: str) -> tuple[bool, bool, int]:
        names, used = _header(lines, delimiter, quoted=True)
        return len(names) > 1, _share_that_fits(lines[used:], delimiter, len(names)) >= 0.5, len(names)

    return max(CANDIDATES, key=fitness)


def _header(lines: list[str], delimiter: str, *, quoted: bool) -> tuple[list[str], int]:
    """Column names, and how many lines they take: a name in quotes may have a line break."""
    if not quoted:
        return lines[0].split(delimiter), 1
    reader = csv.reader((f"{line}\n" for line in lines[:_MOST_HEADER_LINES]), delimiter=delimiter, strict=True)
    try:
        names = next(reader)
        used = reader.line_num
        if used == 1 or _share_that_fits(lines[used:], delimiter, len(names)) >= 0.5:
            return [name.replace("\n", " ") for name in names], used
    except csv.Error:
        pass
    return next(csv.reader([lines[0]], delimiter=delimiter)), 1


def _share_that_fits(lines: list[str], delimiter: str, width: int) -> float:
    filled = list(islice((line for line in lines if line.strip()), _LINES_TRIED))
    if not filled:
        return 1.0
    return sum(_width(line, delimiter) == width for line in filled) / len(filled)


def _width(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error:  # a value longer than csv's limit
        return line.count(delimiter) + 1


def _unique(names: list[str]) -> list[str]:
    unique: list[str] = []
    for name in composed(names):
        numbered = (f"{name} ({number})" for number in count(2))
        unique.append(name if name not in unique else next(each for each in numbered if each not in unique))
    return unique
