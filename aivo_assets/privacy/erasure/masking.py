"""Identifiers overwritten where a text around them stays. Belongs here: documents of the lake, files below AIVO_HOME.

A mask has as many bytes as what it covers, so that a log which a process has open, and any offset in it, stay as they
are. SQLite files are changed by SQLite (`databases.py`); what cannot be overwritten is left and found by the search.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.lake.commits.rewriting import bring_in, exchange
from aivo_assets.privacy.erasure.covering import MASK, masked
from aivo_assets.privacy.erasure.databases import mask_sqlite
from aivo_assets.privacy.erasure.search import Found, Search
from aivo_assets.privacy.erasure.wanted import Wanted

_SQLITE: Final = b"SQLite format 3\x00"
_PACKED: Final = (".gz", ".zip", ".npz", ".parquet", ".duckdb")


def mask_documents(lake: Lake, search: Search, found: Iterable[Found]) -> int:
    """Cover what was found in documents of the lake (reports, cards, receipts); returns in how many."""
    done = 0
    for each in found:
        if each.where != "lake" or each.place != "text":
            continue

        def covered(content: bytes | None, path: str = each.path) -> bytes | None:
            if content is None or not (values := search.in_text(path, content)):
                return None
            after = masked(content, values)
            return None if after == content else after

        lake.change_document(each.path, covered)
        done += 1
    return done


def mask_cells(lake: Lake, wanted: Wanted, found: Iterable[Found], manifests: dict[str, str]) -> int:
    """Cover what was found in cells of listed files: a text in a row of somebody else that names them.

    Args:
        lake: Where.
        wanted: What is covered.
        found: By the search.
        manifests: Path of a file to that of the manifest that lists it.

    Returns:
        In how many files.
    """
    places: dict[str, set[str]] = {}
    for each in found:
        if each.where == "lake" and each.place.startswith("column ") and each.path in manifests:
            places.setdefault(manifests[each.path], set()).add(each.path)
    for place, paths in places.items():

        def holds(listed: Iterable[str], paths: set[str] = paths) -> set[str]:
            return paths.intersection(listed)

        def stays(rows: pl.DataFrame) -> pl.DataFrame:
            return covered_cells(rows, wanted)

        made = exchange(lake, place, holds, stays)
        bring_in(lake, made, holds, stays)
    return sum(len(paths) for paths in places.values())


def covered_cells(rows: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    """The same rows, with what names the learners covered in columns of text and of lists of text."""
    values = sorted({*wanted.texts, *wanted.cells}, key=len, reverse=True)
    texts, covers = wanted.texts, [MASK * len(value) for value in wanted.texts]

    def cover(cell: pl.Expr) -> pl.Expr:
        whole = pl.when(cell.is_in(values)).then(pl.lit(MASK)).otherwise(cell)
        return whole.str.replace_many(texts, covers, ascii_case_insensitive=True) if texts else whole

    changed = []
    for name, dtype in rows.schema.items():
        if dtype == pl.String:
            changed.append(cover(pl.col(name)).alias(name))
        elif dtype == pl.List(pl.String):
            changed.append(pl.col(name).list.eval(cover(pl.element())))
    return rows.with_columns(changed)


def mask_home(home: Path, search: Search, found: Iterable[Found]) -> int:
    """Cover what was found in files below AIVO_HOME, in place; returns in how many."""
    done = 0
    for path in sorted({each.path for each in found if each.where == "home"}):
        file = home / path
        if not file.is_file() or file.suffix in _PACKED or _is_of_server(path):
            continue
        content = file.read_bytes()
        if content.startswith(_SQLITE):
            try:
                mask_sqlite(file, search)
            except sqlite3.Error:  # locked by another process: the search tells of it, and the next tick tries again
                continue
        else:
            _overwrite(file, content, masked(content, search.in_text(path, content)))
        done += 1
    return done


def _is_of_server(path: str) -> bool:
    """Whether a file is PostgreSQL's own; it alone may change it. Its log of messages is text like any other."""
    return path.startswith("postgres/") and not path.endswith(".log")


def _overwrite(file: Path, before: bytes, after: bytes) -> None:
    """Write the bytes that differ, in place: whoever appends to the file goes on doing so."""
    with file.open("r+b") as handle:
        start = next((number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new), None)
        if start is not None:
            handle.seek(start)
            handle.write(after[start:])
