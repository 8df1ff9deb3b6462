"""A table in one file, Parquet or delimited text, as frames. Belongs here: what every reader of a table shares.

What a file is, its first bytes say, not its name.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import polars as pl
from upath import UPath

from aivo_assets.errors import SourceError
from aivo_assets.events.sources.reading.delimited import Block, read_blocks
from aivo_assets.events.sources.reading.files import is_parquet, unreadable
from aivo_assets.events.sources.reading.layouts import Dialect, layout_of, refuse_one_column
from aivo_assets.settings import SourceSettings

_NUMBERS = ("correct", "response_time_ms", "hint_count", "attempt_number", "focus")
_DECIMAL_COMMA = r"^([+-]?)((?:\d{1,3}(?:\.\d{3})+|\d*)),(\d+)$"
_WHOLE = r"^([+-]?\d+),(0+)$"

Chooser = Callable[[list[str]], Mapping[str, str]]
"""From the names of a table's columns to ours: ours to theirs."""


def dialect_of(settings: SourceSettings) -> Dialect:
    """How delimited files are written, as far as the settings say."""
    return Dialect(delimiter=settings.delimiter, encoding=settings.encoding)


def holds_parquet(file: UPath, *, promised: bool = False) -> bool:
    """Whether a file is Parquet.

    Args:
        file: What is asked about.
        promised: Whether it is said to be Parquet where its name says nothing.

    Raises:
        SourceError: Its name or the settings say that it is, and it is not.
    """
    if is_parquet(file):
        return True
    if promised or file.name.endswith((".parquet", ".pq")):
        raise SourceError(
            f"{file} is not a Parquet file: it does not begin with PAR1",
            fix="Check the export that made it; delimited text is read where its name ends in .csv, .tsv or .txt.",
        )
    return False


def read_table(file: UPath, dialect: Dialect, choose: Chooser) -> Iterator[Block]:
    """The rows of a file, columns named as ours, and `_row`: the line of a text, the number of a row of Parquet.

    Args:
        file: Parquet, or delimited text, also packed.
        dialect: How delimited text is written.
        choose: Says which of its columns are which of ours.

    Raises:
        SourceError: The file cannot be read, or `choose` refuses its columns.
        SettingsError: The encoding is unknown.
    """
    if holds_parquet(file):
        try:
            table = pl.scan_parquet(str(file), glob=False, row_index_name="_row", row_index_offset=1)
            names = [name for name in table.collect_schema().names() if name != "_row"]
            chosen = table.select(pl.col("_row").cast(pl.Int64), **_renamed(choose(names)))
            yield Block(frame=chosen.collect(), broken=[])
        except (OSError, pl.exceptions.PolarsError) as error:
            raise unreadable(str(file), error) from error
        return
    layout = layout_of(file, dialect)
    try:
        columns = choose(layout.names)
    except SourceError:
        refuse_one_column(file, layout)
        raise
    for block in read_blocks(file, dialect, sorted(set(columns.values()))):
        yield Block(block.frame.select("_row", **_renamed(columns)), block.broken, block.count)


def refuse_twins(file: UPath, found: Mapping[str, str], chosen: Mapping[str, str], names: list[str]) -> None:
    """Refuse a column that was found by its name where the header has that name twice.

    Args:
        file: The file, for errors.
        found: Ours to theirs.
        chosen: What the settings say of it; whoever names a column means the first of that name.
        names: The header.

    Raises:
        SourceError: There is such a column.
    """
    for ours, theirs in found.items():
        if ours not in chosen and f"{theirs} (2)" in names:
            raise SourceError(
                f"{file} has two columns {theirs}, and either could be {ours}",
                fix=f"Say which: --map {ours}='{theirs}' is the first, --map {ours}='{theirs} (2)' the second.",
            )


def decimal_mark(settings: SourceSettings, delimiter: str) -> Literal[".", ","]:
    """The decimal mark of a file: where `;` parts the values, the comma was wanted for numbers."""
    return settings.decimal or ("," if delimiter == ";" else ".")


def with_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Numbers with a decimal comma (`1500,5`, `1.500,5`) as numbers with a point; identifiers that were floats too."""
    columns = []
    for name, dtype in frame.schema.items():
        if dtype != pl.String:
            continue
        column = pl.col(name)
        if name in _NUMBERS:
            sign, whole, part = (column.str.extract(_DECIMAL_COMMA, group) for group in (1, 2, 3))
            pointed = sign + whole.str.replace_all(".", "", literal=True) + "." + part
            columns.append(pl.coalesce(pointed, column).alias(name))
        else:
            columns.append(column.str.replace(_WHOLE, "$1.$2"))
    return frame.with_columns(columns)


def _renamed(columns: Mapping[str, str]) -> dict[str, pl.Expr]:
    return {ours: pl.col(theirs) for ours, theirs in columns.items()}
