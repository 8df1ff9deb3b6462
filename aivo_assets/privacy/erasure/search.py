"""The search after an erasure: every byte that is kept, and no knowledge of what was removed. Nothing is changed here.

It does not go by columns or datasets, as the erasure does. Of every Parquet file it reads every cell of text, nested
ones too; every other file it reads as bytes, packed ones unpacked, with JSON's and HTML's spellings decoded.
"""

import gzip
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.lake.lake_reader import polars_options
from aivo_assets.privacy.artefacts import Text
from aivo_assets.privacy.erasure.rows import NAMES
from aivo_assets.privacy.erasure.wanted import Wanted

OF_REQUESTS: Final = "raw/erasure/open/"
"""Requests under way name learners; they are removed with the certificate."""
_FILES_AT_ONCE: Final = 500
_LONGEST_IDENTIFIER: Final = 64
_BYTES_AT_ONCE: Final = 32 << 20


@dataclass(frozen=True, order=True)
class Found:
    """Something of a learner in one place.

    Attributes:
        where: `lake`, `home` or `database`.
        path: File below that root, or table.
        place: `column <name>`, or `text`.
        count: Cells, or values in the text.
    """

    where: str
    path: str
    place: str
    count: int

    def __str__(self) -> str:
        return f"{self.where}: {self.path} ({self.place}, {self.count})"


class Search:
    """Looks for some learners.

    Args:
        wanted: By what they are found.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._texts, self._people = wanted.texts, wanted.people
        self._named = {name: wanted.of(*kinds) for name, kinds in NAMES.items()}

    def in_text(self, name: str, content: bytes | str) -> list[str]:
        """Values that occur in a text, each once; as it stands, and with escapes decoded."""
        if not self._texts:
            return []
        plain = content.decode("utf-8", errors="replace") if isinstance(content, bytes) else content
        spelt = pl.Series([plain, Text.of(name, plain).text])
        if not spelt.str.contains_any(self._texts, ascii_case_insensitive=True).any():
            return []
        hits = spelt.str.extract_many(self._texts, ascii_case_insensitive=True).explode(empty_as_null=True).drop_nulls()
        return sorted(hits.unique().to_list())

    def in_texts(self, texts: Iterable[tuple[str, bytes]]) -> dict[str, int]:
        """By name of those among many texts that hold something, how many values; many are looked at in one go."""
        found: dict[str, int] = {}
        for bundle in _bundles(texts):
            plain = [content.decode("utf-8", errors="replace") for _, content in bundle]
            spelt = pl.Series(
                [*plain, *(Text.of(name, text).text for (name, _), text in zip(bundle, plain, strict=True))]
            )
            if not self._texts:
                continue
            for position in spelt.str.contains_any(self._texts, ascii_case_insensitive=True).arg_true():
                name, content = bundle[position % len(bundle)]
                found[name] = max(found.get(name, 0), len(self.in_text(name, content)))
        return found

    def in_tables(self, files: Iterable[tuple[str, str]], where: str, options: Any = None) -> list[Found]:
        """Cells in Parquet files.

        Args:
            files: Path as it is told, and location as polars reads it.
            where: For the findings.
            options: What polars needs to read them.
        """
        alike: dict[tuple[tuple[str, pl.DataType], ...], dict[str, str]] = {}
        for path, location in files:
            schema = pl.scan_parquet(
                location, hive_partitioning=False, glob=False, storage_options=options
            ).collect_schema()
            alike.setdefault(tuple(schema.items()), {})[location] = path
        found = []
        for columns, paths in alike.items():
            locations = list(paths)
            for first in range(0, len(locations), _FILES_AT_ONCE):
                found += self._in_alike(columns, locations[first : first + _FILES_AT_ONCE], paths, where, options)
        return found

    def _in_alike(
        self,
        columns: Sequence[tuple[str, pl.DataType]],
        locations: list[str],
        paths: dict[str, str],
        where: str,
        options: Any,
    ) -> list[Found]:
        tests = {name: test for name, dtype in columns if (test := self._hit(name, pl.col(name), dtype)) is not None}
        if not tests:
            return []
        rows = pl.scan_parquet(
            locations, hive_partitioning=False, glob=False, include_file_paths="_path", storage_options=options
        )
        long = self._in_long_cells(columns, rows, paths, where) if self._texts else []
        counted = (
            rows.group_by("_path")
            .agg(test.fill_null(value=False).sum().alias(f"hits {name}") for name, test in tests.items())
            .filter(pl.any_horizontal(pl.col(f"hits {name}") > 0 for name in tests))
            .collect(engine="streaming")
        )
        return long + [
            Found(where, paths[row["_path"]], f"column {name}", row[f"hits {name}"])
            for row in counted.iter_rows(named=True)
            for name in tests
            if row[f"hits {name}"]
        ]

    def _hit(self, name: str, cells: pl.Expr, dtype: Any) -> pl.Expr | None:
        """Whether a cell holds something of theirs; None of a column that can hold no text."""
        if isinstance(dtype, pl.List | pl.Array):
            inner = self._hit(name, pl.element(), dtype.inner)
            as_list = cells.arr.to_list() if isinstance(dtype, pl.Array) else cells
            return None if inner is None else as_list.list.eval(inner.fill_null(value=False)).list.any()
        if isinstance(dtype, pl.Struct):
            fields = [(field, cells.struct.field(field.name)) for field in dtype.fields]
            tests = [hit for field, cell in fields if (hit := self._hit(field.name, cell, field.dtype)) is not None]
            return pl.any_horizontal(tests) if tests else None
        if not isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
            return None
        text = cells.cast(pl.String)
        values = pl.concat([self._wanted.cells, self._named.get(name, pl.Series([], dtype=pl.String))]).unique()
        hit = text.is_in(values.implode())
        if not self._people:
            return hit
        return hit | text.str.contains_any(self._people, ascii_case_insensitive=True)

    def _in_long_cells(
        self, columns: Sequence[tuple[str, pl.DataType]], rows: pl.LazyFrame, paths: dict[str, str], where: str
    ) -> list[Found]:
        """Cells too long to be an identifier, in which answers and sessions are looked for as well.

        They may be tens of thousands: a search for so many is made ready once, not once a cell.
        """
        found = []
        for name, dtype in columns:
            if dtype not in (pl.String, pl.List(pl.String)):
                continue
            cells = rows.select("_path", cell=name)
            if dtype != pl.String:
                cells = cells.explode("cell", empty_as_null=True)
            long = cells.filter(pl.col("cell").str.len_bytes() > _LONGEST_IDENTIFIER).unique()
            texts = long.collect(engine="streaming")
            if texts.is_empty():
                continue
            hits = texts.filter(texts["cell"].str.contains_any(self._texts, ascii_case_insensitive=True))
            found += [
                Found(where, paths[path], f"column {name}", count)
                for path, count in hits.group_by("_path").len().sort("_path").iter_rows()
            ]
        return found


def search_lake(lake: Lake, search: Search, tables: Iterable[str], documents: Iterable[str]) -> list[Found]:
    """Everything below a lake's root: Parquet files cell by cell, all else as text, and the paths themselves."""
    paths = [path for path in tables if not path.startswith(OF_REQUESTS)]
    located = ((path, lake.storage.location(path)) for path in paths)
    found = search.in_tables(located, "lake", polars_options(lake.storage))
    others = [path for path in documents if not path.startswith(OF_REQUESTS)]
    read = ((path, document.content) for path in others if (document := lake.storage.read(path)) is not None)
    found += [Found("lake", path, "text", count) for path, count in search.in_texts(read).items()]
    names = search.in_text("paths", "\n".join([*paths, *others]))
    return found + ([Found("lake", "names of files", "text", len(names))] if names else [])


def files_below(home: Path, leave_out: Iterable[Path]) -> Iterator[Path]:
    """Every file below AIVO_HOME that is not below one of some folders."""
    skipped = [folder.resolve() for folder in leave_out]
    for folder, below, names in os.walk(home):
        below[:] = sorted(name for name in below if (Path(folder) / name).resolve() not in skipped)
        yield from (Path(folder) / name for name in sorted(names))


def search_home(home: Path, search: Search, leave_out: Iterable[Path]) -> list[Found]:
    """Every file below AIVO_HOME, as bytes; packed ones are unpacked, tables are read cell by cell."""
    files = list(files_below(home, leave_out))
    tables = [(str(file.relative_to(home)), str(file)) for file in files if file.suffix == ".parquet"]
    texts = (
        (str(file.relative_to(home)), content)
        for file in files
        if file.suffix != ".parquet"
        for content in contents(file)
    )
    counted = search.in_texts(texts)
    return [*search.in_tables(tables, "home"), *(Found("home", path, "text", count) for path, count in counted.items())]


def _bundles(texts: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Texts in bundles of bounded size."""
    bundle: list[tuple[str, bytes]] = []
    size = 0
    for name, content in texts:
        bundle.append((name, content))
        size += len(content)
        if size > _BYTES_AT_ONCE:
            yield bundle
            bundle, size = [], 0
    if bundle:
        yield bundle


def contents(file: Path) -> list[bytes]:
    """What a file holds: its bytes, and what is packed in it; nothing of a file that is gone or is no regular one."""
    try:
        if not file.is_file():
            return []
        held = [file.read_bytes()]
        if file.suffix == ".gz":
            held.append(gzip.decompress(held[0]))
        elif file.suffix in (".zip", ".npz"):
            held += _members(file)
        return held
    except FileNotFoundError:
        return []


def _members(file: Path) -> list[bytes]:
    with zipfile.ZipFile(file) as archive:
        return [archive.read(name) for name in archive.namelist()]
