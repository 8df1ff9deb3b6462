"""Searches derived data for raw values. Belongs here: searching and counting.

What is searched where, and why, is in `raw_values.py`; what is searched in is in `artefacts.py`. A finding says which
artefact, where, what kind and how often, and never repeats the value.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl
from polars.datatypes import DataTypeClass

from aivo_assets.privacy.artefacts import Artefact, Table, Text
from aivo_assets.privacy.pseudonyms import KINDS, Kind
from aivo_assets.privacy.raw_values import SHORTEST_IN_TEXT, RawValues
from aivo_assets.privacy.text_search import TextSearch

_KIND_OF_NAME: dict[str, Kind | None] = {
    "teacher": "teacher",
    "class": "class",
    "school": "school",
    "session": "session",
    "assignment": "assignment",
    "event": "event",
    "learner": "learner",
    "user": "learner",
    "student": "learner",
    "pupil": "learner",
    "person": None,  # any kind
    "id": None,
    "uid": None,
}
_IDENTIFIER = re.compile(
    r"^(?:raw_|source_)?(" + "|".join(_KIND_OF_NAME) + r")_?(?:ids?|key|no|nr|number|code|uuid|ref)?$"
)  # not `learners` or `session_minutes`: those are numbers
_EVENT_TIME = re.compile(r"(^|_)(day|week|month|at|on|as_of|time|timestamp|start|end|first|last)$")
_PSEUDONYM = r"^[0-9a-f]{32}$"


@dataclass(frozen=True, order=True)
class Finding:
    """Raw values of one kind in one place.

    Attributes:
        artefact: Which file or text.
        place: `column <name>`, or `offset <bytes>` of the first occurrence in the decoded text.
        kind: What kind of value.
        count: Cells of the column, or occurrences in the text.
    """

    artefact: str
    place: str
    kind: str
    count: int


def scan(raw: RawValues, artefacts: Iterable[Artefact]) -> list[Finding]:
    """Find every raw value in derived artefacts.

    Args:
        raw: What to look for.
        artefacts: Where; see `artefacts_below` for files and `Text.of` for anything else, such as asset metadata.

    Returns:
        Findings sorted by artefact, place and kind; an empty list is the good news.
    """
    search = TextSearch(raw)
    tables: list[Table] = []
    texts: list[Text] = []
    for artefact in artefacts:
        if isinstance(artefact, Table):
            tables.append(artefact)
        else:
            texts.append(artefact)
    return sorted(
        [
            *_in_texts(search, texts),
            *(leak for table in tables for part in _alike(table) for leak in _in_table(raw, search, part)),
        ]
    )


def _in_texts(search: TextSearch, texts: Sequence[Text]) -> list[Finding]:
    names = pl.Series([text.name for text in texts], dtype=pl.String)
    hits = search.hits(pl.Series([text.text for text in texts], dtype=pl.String))
    counted = hits.group_by("text", "kind").agg(pl.col("offset").min(), pl.len().alias("count"))
    return [
        Finding(names[row["text"]], f"offset {row['offset']}", row["kind"], row["count"])
        for row in counted.iter_rows(named=True)
    ]


@dataclass(frozen=True)
class _Leaf:
    """One column of plain cells, or one field (`column.field`) within nested cells."""

    name: str
    cells: pl.Expr
    dtype: pl.DataType

    @property
    def text(self) -> pl.Expr:
        """Cells as text: whole numbers without a fraction, dates and times as ISO dates."""
        if self.dtype.is_temporal():
            return self.cells.dt.strftime("%Y-%m-%d")
        if self.dtype.is_float():
            return pl.when(self.cells == self.cells.round()).then(
                self.cells.cast(pl.Int64, strict=False).cast(pl.String)
            )
        return self.cells.cast(pl.String)

    @property
    def identified(self) -> tuple[str, ...]:
        """Kinds of identifiers that the column's name promises; none for most columns."""
        match = _IDENTIFIER.match(self.name.lower().rsplit(".", 1)[-1])
        if match is None:
            return ()
        kind = _KIND_OF_NAME[match[1]]
        return KINDS if kind is None else (kind,)

    @property
    def is_searched(self) -> bool:
        """Texts always, numbers where the name says identifier, dates where it does not say time of an event."""
        if isinstance(self.dtype, pl.Date | pl.Datetime):
            return _EVENT_TIME.search(self.name.lower()) is None
        return self.is_text or (self.dtype.is_numeric() and bool(self.identified))

    @property
    def is_text(self) -> bool:
        return isinstance(self.dtype, pl.String | pl.Categorical | pl.Enum)


def _alike(table: Table) -> list[Table]:
    """Parts of a dataset whose files have the same columns; a schema may change from one day to the next."""
    parts: dict[tuple[tuple[str, pl.DataType], ...], list[str]] = {}
    for file in table.files:
        parts.setdefault(tuple(_scan(table, [file]).collect_schema().items()), []).append(file)
    return [replace(table, files=tuple(files)) for files in parts.values()]


def _in_table(raw: RawValues, search: TextSearch, table: Table) -> list[Finding]:
    frame = _scan(table, table.files)
    leaves = [leaf for leaf in _leaves(frame.collect_schema()) if leaf.is_searched]
    queries = []
    for leaf in leaves:
        cells = frame.select(cell=leaf.text).drop_nulls()
        lowered = cells.with_columns(value=pl.col("cell").str.to_lowercase())
        queries += [
            lowered.join(_wanted(raw, leaf).lazy(), on="value", how="inner").select("cell", "kind").unique(),
            cells.filter(_may_hold_text(leaf)).unique(),
        ]
    results = pl.collect_all(queries, engine="streaming")
    findings = []
    for leaf, equal, free in zip(leaves, results[::2], results[1::2], strict=True):
        hits = search.hits(free["cell"])
        within = hits.select(free["cell"].gather(hits["text"]).alias("cell"), "kind")
        guilty = pl.concat([equal, within]).unique()
        if guilty.height:
            findings += _by_file(table, leaf, guilty)
    return findings


def _wanted(raw: RawValues, leaf: _Leaf) -> pl.DataFrame:
    """Which values count as a whole cell of a column: `kind`, `value`."""
    named = pl.col("kind").is_in(leaf.identified)
    if leaf.dtype.is_temporal():
        chosen = raw.frame.filter(pl.col("kind") == "birth date")
    elif leaf.is_text:
        chosen = raw.frame.filter(pl.col("anywhere") | named)
    else:  # a number has lost its leading zeros
        digits = raw.frame.filter(named & pl.col("value").str.contains(r"^\d+$"))
        chosen = digits.with_columns(pl.col("value").str.replace(r"^0+(\d)", "${1}"))
    return chosen.select("kind", "value").unique()


def _may_hold_text(leaf: _Leaf) -> pl.Expr:
    """Cells worth searching within: neither too short nor a pseudonym."""
    cell = pl.col("cell")
    return pl.lit(leaf.is_text) & (cell.str.len_chars() >= SHORTEST_IN_TEXT) & ~cell.str.contains(_PSEUDONYM)


def _by_file(table: Table, leaf: _Leaf, guilty: pl.DataFrame) -> list[Finding]:
    """Count the guilty cells of a column, file by file."""
    counts = pl.collect_all(
        [
            _scan(table, [file])
            .select(cell=leaf.text)
            .join(guilty.lazy(), on="cell", how="inner")
            .group_by("kind")
            .agg(count=pl.len())
            for file in table.files
        ]
    )
    return [
        Finding(file[max(file.rfind(table.name), 0) :], f"column {leaf.name}", kind, count)
        for file, counted in zip(table.files, counts, strict=True)
        for kind, count in counted.iter_rows()
    ]


def _scan(table: Table, files: Sequence[str]) -> pl.LazyFrame:
    options = None if table.options is None else dict(table.options)
    return pl.scan_parquet(list(files), hive_partitioning=False, glob=False, storage_options=options)


def _leaves(schema: pl.Schema) -> list[_Leaf]:
    return [leaf for name, dtype in schema.items() for leaf in _within(_Leaf(name, pl.col(name), dtype))]


def _within(leaf: _Leaf) -> list[_Leaf]:
    """The columns of plain cells that a nested column consists of."""
    dtype = leaf.dtype
    if isinstance(dtype, pl.List | pl.Array):
        return _within(_Leaf(leaf.name, leaf.cells.explode(empty_as_null=True), _instance(dtype.inner)))
    if isinstance(dtype, pl.Struct):
        return [inner for field in dtype.fields for inner in _within(_field(leaf, field))]
    return [leaf]


def _field(leaf: _Leaf, field: pl.Field) -> _Leaf:
    return _Leaf(f"{leaf.name}.{field.name}", leaf.cells.struct.field(field.name), _instance(field.dtype))


def _instance(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()
