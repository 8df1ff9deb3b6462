"""What the registry holds, read from MLflow's SQLite file. Belongs here: queries; `registry_store` makes changes.

Every check and page asks for the champion, and MLflow takes two core seconds to import: its tables are read without
it. They are MLflow's own matter, so a test holds each answer against what MLflow's client says of the same file.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from aivo_assets.errors import ModelError
from aivo_assets.tracing.databases import MLFLOW, as_libpq, in_schema

MODEL_NAME: Final = "main_brain"
NOTE_PREFIX: Final = "move_"
SECONDS_TO_WAIT: Final = 60.0
"""How long to wait for a writer; MLflow's transactions are short."""

_VERSIONS: Final = """
SELECT version FROM model_versions WHERE name = ? AND coalesce(current_stage, '') <> 'Deleted_Internal'
ORDER BY version DESC
"""
_TAGS: Final = "SELECT version, key, value FROM model_version_tags WHERE name = ?"
_ALIASES: Final = "SELECT version, alias FROM registered_model_aliases WHERE name = ?"
_NOTES: Final = "SELECT value FROM registered_model_tags WHERE name = ? AND key GLOB ? ORDER BY key"


@dataclass(frozen=True)
class Version:
    """A version of the main brain.

    Attributes:
        number: 1, 2, 3 … as MLflow counts them.
        fingerprint: Of the model.
        as_of: The last day whose events it may know.
        registered_at: When it was registered, UTC.
        aliases: `challenger`, `champion`, both or neither.
        tags: All of its tags.
    """

    number: int
    fingerprint: str
    as_of: date
    registered_at: datetime
    aliases: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Contents:
    """Everything of one moment.

    Attributes:
        versions: Newest first; without those that somebody registered by hand.
        notes: Of the registered model, oldest first.
    """

    versions: tuple[Version, ...] = ()
    notes: tuple[str, ...] = ()

    def find(self, number: int) -> Version | None:
        """A version, or None where there is none of this number."""
        return next((version for version in self.versions if version.number == number), None)

    def by_alias(self, alias: str) -> Version | None:
        """The version that an alias points to."""
        return next((version for version in self.versions if alias in version.aliases), None)


def read(database: Path) -> Contents:
    """What the registry holds now; nothing where it was never written.

    Raises:
        ModelError: The file cannot be read.
    """
    try:
        with _reading(database) as ask:
            return _contents(ask)
    except sqlite3.Error as error:
        if not database.exists() or "no such table" in str(error):  # MLflow makes its tables at the first version
            return Contents()
        raise ModelError(
            f"The registry {database} cannot be read: {error}",
            fix="Restore the file from a backup, or move the folder away and train again.",
        ) from error


def read_database(url: str) -> Contents:
    """The same of a registry that a PostgreSQL database keeps.

    Raises:
        ModelError: It cannot be read.
    """
    import psycopg2  # noqa: PLC0415 - only where a database is named

    try:
        connection = psycopg2.connect(as_libpq(in_schema(url, MLFLOW)))
        try:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)  # all answers of one moment
            with connection, connection.cursor() as cursor:

                def ask(question: str, *values: str) -> list[tuple[Any, ...]]:
                    wildcard = [value.replace("_", "\\_").replace("*", "%") for value in values[1:]]
                    cursor.execute(question.replace("GLOB", "LIKE").replace("?", "%s"), (values[0], *wildcard))
                    return list(cursor.fetchall())

                return _contents(ask)
        finally:
            connection.close()
    except psycopg2.errors.UndefinedTable:  # MLflow makes its tables at the first version
        return Contents()
    except psycopg2.Error as error:
        raise ModelError(
            f"The registry's database cannot be read: {str(error).strip()}",
            fix="Start it, or correct AIVO_MODELS_URL.",
        ) from error


@contextmanager
def _reading(database: Path) -> Iterator[Any]:
    """A function that asks within one transaction, so that all answers are of one moment."""
    uri = f"file:{quote(str(database))}?mode=rw"  # a journal that a killed writer left is rolled back by who reads
    with closing(sqlite3.connect(uri, uri=True, timeout=SECONDS_TO_WAIT, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield lambda question, *values: connection.execute(question, values).fetchall()


def _contents(ask: Callable[..., Iterable[tuple[Any, ...]]]) -> Contents:
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    for number, name, value in ask(_TAGS, MODEL_NAME):
        tags[number][name] = value
    aliases: dict[int, list[str]] = defaultdict(list)
    for number, alias in ask(_ALIASES, MODEL_NAME):
        aliases[number].append(alias)
    versions = [_version(number, tags[number], aliases[number]) for (number,) in ask(_VERSIONS, MODEL_NAME)]
    return Contents(
        versions=tuple(version for version in versions if version is not None),
        notes=tuple(note for (note,) in ask(_NOTES, MODEL_NAME, f"{NOTE_PREFIX}*")),
    )


def _version(number: int, tags: Mapping[str, str], aliases: Sequence[str]) -> Version | None:
    if "fingerprint" not in tags:
        return None
    return Version(
        number=number,
        fingerprint=tags["fingerprint"],
        as_of=date.fromisoformat(tags["as_of"]),
        registered_at=datetime.fromisoformat(tags["registered_at"]),
        aliases=tuple(sorted(aliases)),
        tags=tags,
    )
