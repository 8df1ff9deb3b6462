"""Everything that is held about one learner, for that learner. Belongs here: gathering it, as JSON and as a page.

Raw and derived rows with where they come from, what they are kept for and of which days they are; files that mention
the learner; and the models that were fitted with them. It is personal data: whoever writes it down keeps it safe.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from aivo_assets.documents import Bullets, Document, Paragraph, Section, Table
from aivo_assets.lake import Lake, Layered
from aivo_assets.lake.catalogue import Held, datasets, rows_of
from aivo_assets.lake.commits.rewriting import walk
from aivo_assets.privacy.erasure.places import Place, place_of
from aivo_assets.privacy.erasure.rows import NAMES, QUARANTINE
from aivo_assets.privacy.erasure.search import Search, search_home, search_lake
from aivo_assets.privacy.erasure.wanted import Wanted

_SHOWN: Final = 20
_LONGEST: Final = 80


@dataclass(frozen=True)
class Part:
    """What one place holds.

    Attributes:
        path: The dataset.
        place: Its line in the table of places.
        rows: Theirs.
        first: First day that the rows speak of; None where they name none.
        last: Last such day.
    """

    path: str
    place: Place | None
    rows: pl.DataFrame
    first: date | None
    last: date | None


@dataclass(frozen=True)
class Export:
    """What is held about one learner.

    Attributes:
        learner: As the school names them.
        pseudonym: As the platform names them past the raw zone.
        made_at: When this was gathered, UTC.
        parts: Datasets with rows of theirs.
        mentioned: Files and documents beside these that mention them.
        remembered: Models that were fitted with their answers, in sentences.
    """

    learner: str
    pseudonym: str
    made_at: datetime
    parts: tuple[Part, ...]
    mentioned: tuple[str, ...]
    remembered: tuple[str, ...]

    def to_json(self) -> str:
        """All of it, every row of every place."""
        content = {
            "learner": self.learner,
            "pseudonym": self.pseudonym,
            "made_at": self.made_at.isoformat(),
            "held": [
                {
                    "dataset": part.path,
                    "holds": part.place.holds if part.place else "rows",
                    "kept_for": part.place.why if part.place else "not said",
                    "comes_from": part.place.source if part.place else "not said",
                    "first_day": part.first,
                    "last_day": part.last,
                    "rows": part.rows.to_dicts(),
                }
                for part in self.parts
            ],
            "mentioned_in": list(self.mentioned),
            "remembered_by": list(self.remembered),
        }
        return json.dumps(content, indent=1, ensure_ascii=False, default=str)

    def to_document(self) -> Document:
        """The same for reading; of long tables the newest rows."""
        overview = Table(
            ("Where", "What", "What for", "From", "Rows", "Days"),
            tuple(
                (
                    part.path,
                    part.place.holds if part.place else "",
                    part.place.why if part.place else "",
                    part.place.source if part.place else "",
                    f"{part.rows.height:,}",
                    "" if part.first is None else f"{part.first} to {part.last}",
                )
                for part in self.parts
            ),
        )
        rest = (
            Section("Also mentioned in", (Bullets(self.mentioned or ("nothing else",)),)),
            Section("Models", (Bullets(self.remembered or ("No model was fitted with these answers.",)),)),
        )
        return Document(
            f"What is held about {self.learner}",
            f"Gathered on {self.made_at:%d %B %Y at %H:%M} UTC. Past the raw zone you are {self.pseudonym}.",
            (Section("All places", (overview,)), *(_section(part) for part in self.parts), *rest),
        )


def gather(
    lake: Lake,
    layered: Iterable[Layered],
    learner: str,
    wanted: Wanted,
    *,
    home: Path,
    now: datetime,
    remembered: Iterable[str],
) -> Export:
    """Gather what is held about a learner.

    Args:
        lake: Where rows are.
        layered: What is kept in layers.
        learner: The raw identifier.
        wanted: By what they are found.
        home: AIVO_HOME.
        now: The present instant, UTC.
        remembered: Models that were fitted with them, in sentences.
    """
    layers = tuple(layered)
    parts = [part for held in datasets(lake, layers) if (part := _part(lake, held, layers, wanted)) is not None]
    search, below = Search(wanted), walk(lake)
    found = search_lake(lake, search, (), below.documents)
    folder = [Path(lake.root.path)] if lake.storage.is_folder else []
    found += search_home(home, search, folder)
    mentioned = sorted({f"{each.where}: {each.path}" for each in found})
    (pseudonym,) = wanted.of("learner pseudonym")
    return Export(learner, pseudonym, now, tuple(parts), tuple(mentioned), tuple(remembered))


def _part(lake: Lake, held: Held, layers: tuple[Layered, ...], wanted: Wanted) -> Part | None:
    rows = rows_of(lake, held, layers)
    schema = rows.collect_schema()
    columns = [name for name in NAMES if name in schema.names()]
    if not columns and held.path == QUARANTINE.rstrip("/"):
        test = pl.col("value").is_in(wanted.cells.implode()) | pl.col("value").str.contains_any(
            wanted.texts or ["\x00"]
        )
    elif columns:
        test = pl.any_horizontal(pl.col(name).is_in(wanted.of(*NAMES[name]).implode()) for name in columns)
    else:
        return None
    theirs = rows.filter(test.fill_null(value=False)).collect(engine="streaming")
    if theirs.is_empty():
        return None
    first, last = _days(theirs)
    return Part(held.path, place_of("lake", held.path), theirs, first, last)


def _days(rows: pl.DataFrame) -> tuple[date | None, date | None]:
    for name in ("day", "occurred_at", "given_at", "given_on", "last_day"):
        if name in rows.columns and rows.schema[name].is_temporal():
            days = rows[name].cast(pl.Date).drop_nulls()
            if len(days):
                return days.min(), days.max()  # type: ignore[return-value]
    return None, None


def _section(part: Part) -> Section:
    columns = part.rows.columns[:8]
    shown = part.rows.tail(_SHOWN).select(columns)
    table = Table(tuple(columns), tuple(tuple(_cell(value) for value in row) for row in shown.iter_rows()))
    more = part.rows.height - shown.height
    columns_left = len(part.rows.columns) - len(columns)
    note = f"{more:,} more rows and {columns_left} more columns are in the JSON file." if more or columns_left else ""
    return Section(part.path, (Paragraph(note), table) if note else (table,))


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
