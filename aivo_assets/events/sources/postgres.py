"""A PostgreSQL table read by cursor. Belongs here: the queries and what can go wrong with them.

Rows come in order of an ever-growing column through a server-side cursor in a read-only transaction, as text, so that
what PostgreSQL can hold and Python cannot (infinite times, odd encodings of numbers) reaches the quarantine as it is.
A landing goes on where the last one ended, less an overlap: a row whose transaction committed late has a smaller number
than rows that were read already. Rows read twice are duplicates and change nothing.

Rows whose cursor column is empty cannot be read this way and are not seen.

A table without an event id is read by its cursor column where that is unique: it then names the event.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from aivo_assets.errors import SettingsError, SourceError, SourceUnreachableError
from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.events.sources.columns import EVENT_NAMES, LEARNER_NAMES, mapped, told
from aivo_assets.events.sources.plan import Plan, asked_of_times, labels_of, made
from aivo_assets.events.values.hashes import digest
from aivo_assets.events.values.skill_lists import split_skills
from aivo_assets.events.values.tidying import tidied
from aivo_assets.settings import SourceSettings

_ROWS_AT_ONCE = 50_000
_CONNECT_SECONDS = 10
_UNIT_SEPARATOR = "\x1f"
_WHOLE_TYPES = ("smallint", "integer", "bigint")
_REQUIRED = ("learner_id", "item_id", "occurred_at", "correct")


@dataclass(frozen=True)
class _Table:
    """A table as the database describes it: its columns with PostgreSQL's names of their types, and unique columns."""

    table: sa.TableClause
    types: dict[str, str]
    unique: frozenset[str]


class PostgresSource:
    """Events of a PostgreSQL table or view.

    Args:
        settings: URL, table, cursor column, overlap, column mapping, time zone and subject.
        first_event_at: What numbers that do not count from 1970 count from.
        now: The present instant.

    Raises:
        SettingsError: No URL is given, or it is no URL.
    """

    window_applies = False

    def __init__(self, settings: SourceSettings, first_event_at: datetime, now: datetime) -> None:
        self._settings = settings
        self._first_event_at = first_event_at
        self._now = now
        self._url = _database_url(settings)

    @property
    def name(self) -> str:
        """The table, without the database's address."""
        return f"postgres:{self._settings.table}"

    def fingerprint(self) -> str:
        """Hash of the place that is read; it stays the same while the table grows."""
        return digest([self._address, str(self._url.database), self._settings.table, self._settings.cursor_column])

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        """Read what is behind the cursor, chunk by chunk; see `Source.events`."""
        del window
        settings = self._settings
        with self._connected() as connection:
            table = _described(connection, settings.table)
            columns = self._columns(table)
            query = _query(table, columns, settings.cursor_column, cursor, settings.cursor_overlap)
            result = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
            names = list(result.keys())
            plan: Plan | None = None
            for rows in result.partitions(_ROWS_AT_ONCE):
                chunk = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
                plan = plan or self._planned(chunk, columns, table, from_the_start=cursor is None)
                yield self._extract(chunk, table, columns, plan)

    def how_read(self) -> tuple[str, ...]:
        """The columns; see `Source.how_read`. How times and labels are read, the first rows that are new decide."""
        with self._connected() as connection:
            table = _described(connection, self._settings.table)
            return tuple(told({self._settings.table: (self._columns(table), list(table.types))}))

    def learners(self) -> pl.DataFrame | None:
        """The learner table, if the settings name one."""
        name = self._settings.learner_table
        if name is None:
            return None
        with self._connected() as connection:
            table = _described(connection, name)
            columns = mapped(
                LEARNER_NAMES,
                self._settings.learner_columns,
                list(table.types),
                place=f"The table {name}",
                required=("learner_id",),
                variable="AIVO_SOURCE_LEARNER_COLUMNS",
            )
            query = sa.select(*(_as_text(table, theirs).label(ours) for ours, theirs in columns.items()))
            result = connection.execute(query.select_from(table.table))
            names = list(result.keys())
            rows = pl.DataFrame(result.all(), schema=dict.fromkeys(names, pl.String), orient="row")
        placed = rows.with_columns(
            _location=pl.lit(name), _row=pl.lit(None, dtype=pl.Int64), _given=pl.col("learner_id")
        )
        return tidied(placed, self._settings.missing_values)

    def _columns(self, table: _Table) -> dict[str, str]:
        settings = self._settings
        place = f"The table {settings.table}"
        if settings.cursor_column not in table.types:
            raise SourceError(
                f"{place} has no column {settings.cursor_column} to read it by; it has: {', '.join(table.types)}",
                fix="Set AIVO_SOURCE_CURSOR_COLUMN to a column that only grows, such as a serial id.",
            )
        columns = mapped(EVENT_NAMES, settings.columns, list(table.types), place=place, required=_REQUIRED)
        if "event_id" not in columns and settings.cursor_column in table.unique:
            columns["event_id"] = settings.cursor_column
        return columns

    def _planned(self, chunk: pl.DataFrame, columns: dict[str, str], table: _Table, *, from_the_start: bool) -> Plan:
        """How the rows are read, after a look at the first of them.

        Labels are looked at as a whole only from the start of the table: five new answers may all be right.
        """
        looked_at = ["occurred_at", "correct"] if from_the_start else ["occurred_at"]
        return made(
            {self._settings.table: (columns, list(table.types))},
            [chunk.select(looked_at)],
            asked_of_times(self._settings, self._first_event_at),
            labels_of(self._settings),
            now=self._now,
            missing=self._settings.missing_values,
        )

    def _extract(self, chunk: pl.DataFrame, table: _Table, columns: dict[str, str], plan: Plan) -> Extract:
        name, column = self._settings.table, self._settings.cursor_column
        cursor = chunk["_cursor"]
        whole = table.types[column] in _WHOLE_TYPES
        place = pl.lit(name) if whole else pl.concat_str(pl.lit(f"{name} {column}="), cursor)
        numbers = cursor.cast(pl.Int64) if whole else pl.Series([None] * chunk.height, dtype=pl.Int64)
        frame = chunk.drop("_cursor").with_columns(place.alias("_location"), numbers.alias("_row"))
        if "skill_ids" in frame.columns and table.types[columns["skill_ids"]].endswith("[]"):
            frame = frame.with_columns(pl.col("skill_ids").str.split(_UNIT_SEPARATOR))
        frame = split_skills(frame, self._settings.skill_separator)
        return Extract(
            frame=frame,
            broken=broken_rows(name, []),
            cursor=cursor[-1],
            times=plan.times,
            labels=plan.labels,
            subject=self._settings.subject,
            missing=self._settings.missing_values,
        )

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A read-only connection whose times are UTC; whatever the database says becomes one clear error."""
        engine = self._engine()
        place = f"{self._settings.table} at {self._address}/{self._url.database}"
        try:
            with engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            problem = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            # Operational: no connection, a server that stops or is overloaded. It may answer later.
            kind = SourceUnreachableError if isinstance(error, OperationalError) else SourceError
            raise kind(
                f"The database cannot be read ({place}): {problem}",
                fix="Check AIVO_SOURCE_URL, that the server runs, and that this user may read the table.",
            ) from error
        finally:
            engine.dispose()

    @property
    def _address(self) -> str:
        """Host and port, or the folder of a local socket."""
        host = self._url.host or self._url.query.get("host") or "localhost"
        return f"{host}:{self._url.port or 5432}"

    def _engine(self) -> Engine:
        options = "-c default_transaction_read_only=on -c timezone=UTC -c client_encoding=utf8"
        return sa.create_engine(
            self._url,
            poolclass=sa.pool.NullPool,
            isolation_level="REPEATABLE READ",
            connect_args={"connect_timeout": _CONNECT_SECONDS, "options": options, "application_name": "aivo"},
        )


def _database_url(settings: SourceSettings) -> URL:
    if settings.url is None:
        raise SettingsError(
            "The postgres source needs the URL of a database",
            fix="Set AIVO_SOURCE_URL=postgresql://user:password@host:5432/database.",
        )
    try:
        url = make_url(settings.url.get_secret_value())
    except (ArgumentError, ValueError) as error:
        # The value may hold a password, so it is not quoted.
        raise SettingsError(
            "AIVO_SOURCE_URL is no database URL", fix="Write postgresql://user:password@host:5432/database."
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingsError(
            f"AIVO_SOURCE_URL names {url.get_backend_name()}, which is not PostgreSQL",
            fix="Write postgresql://user:password@host:5432/database.",
        )
    return url.set(drivername="postgresql+psycopg2")


def _described(connection: Connection, name: str) -> _Table:
    """What the database knows of a table or view.

    Raises:
        SourceError: There is none of this name.
    """
    described = connection.execute(
        sa.text(
            "SELECT a.attname, format_type(a.atttypid, NULL),"
            " EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid"
            " AND i.indisunique AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AND i.indpred IS NULL)"
            " FROM pg_attribute a WHERE a.attrelid = to_regclass(:name) AND a.attnum > 0 AND NOT a.attisdropped"
            " ORDER BY a.attnum"
        ),
        {"name": name},
    ).all()
    columns = [(str(column), str(kind), bool(unique)) for column, kind, unique in described]
    if not columns:
        raise SourceError(
            f"The database has no table {name}, or this user may not see it",
            fix="Set AIVO_SOURCE_TABLE to its name with its schema, for example school.answers.",
        )
    schema, _, table = name.rpartition(".")
    return _Table(
        table=sa.table(
            table.strip('"'), *(sa.column(column) for column, _, _ in columns), schema=schema.strip('"') or None
        ),
        types={column: kind for column, kind, _ in columns},
        unique=frozenset(column for column, _, unique in columns if unique),
    )


def _query(
    table: _Table, columns: dict[str, str], cursor_column: str, cursor: str | None, overlap: int
) -> sa.Select[*tuple[Any, ...]]:
    at = table.table.c[cursor_column]
    wanted = [_as_text(table, theirs).label(ours) for ours, theirs in columns.items()]
    query = sa.select(sa.cast(at, sa.Text).label("_cursor"), *wanted).order_by(at).where(at.is_not(None))
    if cursor is None:
        return query
    kind = table.types[cursor_column]
    # The type's name comes from the database's own catalogue.
    since: ColumnElement[object] = sa.cast(sa.literal(cursor), _NamedType(kind))
    if kind in _WHOLE_TYPES or kind == "numeric":
        return query.where(at > since - sa.literal(overlap))
    if kind.startswith(("timestamp", "date")):
        return query.where(at > since - sa.func.make_interval(0, 0, 0, 0, 0, 0, overlap))
    return query.where(at > since)


class _NamedType(sa.types.UserDefinedType[object]):
    """A type by the name that PostgreSQL gives it."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        """The name, for a CAST."""
        return self.name


def _as_text(table: _Table, column: str) -> ColumnElement[object]:
    """A column as text: lists by the unit separator, moments in UTC with their offset."""
    value = table.table.c[column]
    kind = table.types[column]
    if kind.endswith("[]"):
        return sa.func.array_to_string(value, _UNIT_SEPARATOR)
    return sa.cast(value, sa.Text)
