"""Rosters as files: OneRoster 1.1 and 1.2 (a zip of CSV files), and a plain CSV. Belongs here: reading lines, problems.

What is wrong is told with file, line and column, all of it at once, and nothing is kept then. Passwords and telephone
numbers that a file may hold are never read.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from aivo_assets.errors import SourceError

MOST_TOLD: Final = 20
MOST_BYTES: Final = 2_000_000_000  # of one file of a zip, unpacked


@dataclass(frozen=True)
class Line:
    """One row of a file.

    Attributes:
        file, number: Where it stands; the header is line 1.
        cells: By column, stripped; empty where nothing stands.
    """

    file: str
    number: int
    cells: dict[str, str] = field(repr=False)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def listed(self, column: str) -> list[str]:
        """Values of a cell that holds several, separated by commas or semicolons."""
        return [part.strip() for part in self[column].replace(";", ",").split(",") if part.strip()]


class Problems:
    """What is wrong in a file, gathered."""

    def __init__(self) -> None:
        self._told: list[str] = []

    def add(self, line: Line, column: str, says: str) -> None:
        """Something is wrong in a line; `says` repeats no name."""
        self._told.append(f"{line.file}, line {line.number}, column {column}: {says}")

    def refuse(self, path: Path) -> None:
        """End where anything is wrong.

        Raises:
            SourceError: It is; each place is named, twenty at most.
        """
        if self._told:
            more = len(self._told) - MOST_TOLD
            told = "\n  ".join(self._told[:MOST_TOLD]) + (f"\n  and {more:,} more" if more > 0 else "")
            raise SourceError(
                f"The roster {path} cannot be imported:\n  {told}",
                fix="Correct the file and import it again; the roster before it still counts.",
            )

    def day(self, line: Line, column: str) -> date | None:
        """The day of a cell; none where it is empty or no day, which is a problem."""
        text = line[column]
        if not text:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            self.add(line, column, f"{text!r} is no day; write it as 2026-09-01")
            return None

    def needed(self, line: Line, column: str) -> str:
        """The cell; a problem where it is empty."""
        if not line[column]:
            self.add(line, column, "is empty")
        return line[column]


def read_zip(path: Path) -> dict[str, list[Line]]:
    """The CSV files of a zip by name.

    Raises:
        SourceError: It is no zip, or a file in it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = {}
            for info in archive.infolist():
                name = Path(info.filename).name
                if name.lower().endswith(".csv") and not name.startswith("."):
                    if info.file_size > MOST_BYTES:
                        raise SourceError(
                            f"{path}: {name} unpacks to more than 2 GB", fix="Ask for an export of this school alone."
                        )
                    files[name.lower()] = list(read_lines(archive.read(info), name))
            return files
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise SourceError(
            f"{path} cannot be read as a zip file: {error}", fix="Give the OneRoster zip, or a CSV file."
        ) from error


def read_csv(path: Path) -> list[Line]:
    """The rows of a CSV file.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        return list(read_lines(path.read_bytes(), path.name))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", fix="Name a file that is there.") from error


def read_lines(content: bytes, name: str) -> Iterator[Line]:
    """Rows of a CSV text in UTF-8, with commas, semicolons or tabs.

    Raises:
        SourceError: It is not UTF-8, has no header, names a column twice, or a row has too many cells.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SourceError(
            f"{name}, line {line}: byte {error.start} is not UTF-8", fix="Save the file as UTF-8 (CSV UTF-8)."
        ) from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        twice = {column for column in header if column and header.count(column) > 1}
        if not any(header) or twice:
            what = f"names {', '.join(sorted(twice))} twice" if twice else "has no header"
            raise SourceError(f"{name}, line 1 {what}", fix="Give the file a header with each column once.")
        before = reader.line_num
        for cells in reader:
            number, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header):
                raise SourceError(
                    f"{name}, line {number} has {len(cells)} cells, the header {len(header)}",
                    fix="Put cells that hold a separator into quotation marks.",
                )
            yield Line(name, number, {key: cell.strip() for key, cell in zip(header, cells, strict=False)})
    except csv.Error as error:
        raise SourceError(
            f"{name}, line {reader.line_num}: {error}", fix="Correct the quotation marks there."
        ) from error
