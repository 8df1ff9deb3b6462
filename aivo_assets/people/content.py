"""Titles of skills and exercises. Belongs here: the content table, read from a CSV and looked up by id."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import polars as pl

from aivo_assets.errors import SourceError
from aivo_assets.lake import Dataset, Lake
from aivo_assets.people.roster_files import Problems, read_csv

RAW_CONTENT: Final = Dataset(
    "raw/content", {"id": pl.String, "title": pl.String, "url": pl.String, "subject": pl.String}
)


def read_content(path: Path) -> pl.DataFrame:
    """Read a CSV with the columns id, title, url and subject; the last two may be missing or empty.

    Raises:
        SourceError: It cannot be read, or something in it is wrong: each place with file, line and column.
    """
    problems, rows, seen = Problems(), [], dict[str, int]()
    lines = read_csv(path)
    if lines and not {"id", "title"} <= set(lines[0].cells):
        raise SourceError(f"{path.name}, line 1 lacks id or title", fix="Columns: id, title, url, subject.")
    for line in lines:
        id_, title = problems.needed(line, "id"), problems.needed(line, "title")
        if id_ in seen:
            problems.add(line, "id", f"{id_!r} stands in line {seen[id_]} already")
        seen[id_] = line.number
        if line["url"] and not _is_web(line["url"]):
            problems.add(line, "url", "is no address that begins with https:// or http://")
        rows.append({"id": id_, "title": title, "url": line["url"] or None, "subject": line["subject"] or None})
    problems.refuse(path)
    return pl.DataFrame(rows, schema=dict(RAW_CONTENT.schema)).sort("id")


class Titles:
    """Titles of a lake, read again when others were imported."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._held: tuple[str, dict[str, tuple[str, str | None]]] | None = None

    def of(self, ids: Iterable[str]) -> dict[str, tuple[str, str | None]]:
        """Title and address by id, of those that have a title."""
        version = self._lake.version(RAW_CONTENT)
        held = self._held
        if held is None or held[0] != version:
            rows = self._lake.scan(RAW_CONTENT).select("id", "title", "url").collect()
            held = (version, {row[0]: (row[1], row[2]) for row in rows.iter_rows()})
            self._held = held
        return {each: held[1][each] for each in ids if each in held[1]}


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
