"""Learners in databases: Dagster's PostgreSQL and SQLite files. Belongs here: searching every table, and masking.

Rows stay, because runs and events are numbered through; what names a learner in them is covered. Answers in the inbox
go whole. What a database keeps
of a row's old version goes with it: tables are written anew, and of our own server the log of changes is ended.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg2
from psycopg2 import sql

from aivo_assets.events.inbox import TABLE as INBOX
from aivo_assets.privacy.erasure.covering import masked
from aivo_assets.privacy.erasure.search import Found, Search

_AT_ONCE: Final = 2000
_TABLES: Final = """
SELECT c.table_schema, c.table_name, array_agg(c.column_name::text ORDER BY c.ordinal_position)
FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
  AND c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'USER-DEFINED')
GROUP BY 1, 2 ORDER BY 1, 2
"""


def search_postgres(url: str, search: Search) -> list[Found]:
    """Every cell of text of every table of a database.

    Args:
        url: As SQLAlchemy writes it.
        search: Looks for the learners.
    """
    with closing(_connect(url)) as connection:
        return [
            Found("database", f"{schema}.{table}", "text", len(hits))
            for schema, table, columns in _tables(connection)
            if (hits := list(_rows_with(connection, (schema, table), columns, search)))
        ]


def mask_postgres(url: str, search: Search, *, own: bool, pages: bool = False) -> int:
    """Cover what names the learners in every table, and have the old versions of these rows written over.

    Args:
        url: As SQLAlchemy writes it.
        search: Looks for the learners.
        own: Whether it is our embedded server, whose log of changes is below AIVO_HOME and is ended as well.
        pages: Whether something was found in the server's files themselves: then every table is written anew.

    Returns:
        Rows that were changed.
    """
    changed = 0
    with closing(_connect(url)) as connection:
        for schema, table, columns in _tables(connection):
            rows = list(_rows_with(connection, (schema, table), columns, search))
            with connection.cursor() as cursor:
                for place, cells in rows:
                    if table == INBOX:  # a covered answer would be landed as another learner's
                        statement = sql.SQL("DELETE FROM {} WHERE ctid = %s::tid").format(sql.Identifier(schema, table))
                        cursor.execute(statement, [place])
                        continue
                    after = [
                        None if cell is None else masked(cell.encode(), search.in_text(table, cell)).decode()
                        for cell in cells
                    ]
                    names = sql.SQL(", ").join(
                        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in columns
                    )
                    statement = sql.SQL("UPDATE {} SET {} WHERE ctid = %s::tid").format(
                        sql.Identifier(schema, table), names
                    )
                    cursor.execute(statement, [*after, place])
            connection.commit()
            changed += len(rows)
            if rows:
                _rewrite(connection, sql.Identifier(schema, table))
        if pages:
            _rewrite(connection, sql.SQL(""))
        if own and (changed or pages):
            _end_log(connection)
    return changed


def mask_sqlite(file: Path, search: Search) -> int:
    """Cover what names the learners in every table of an SQLite file, and have it written anew; returns rows."""
    changed = 0
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            listed = ", ".join(f'"{name}"' for name in names)
            rows = connection.execute(f'SELECT rowid, {listed} FROM "{table}"').fetchall()  # noqa: S608 - its own names
            for number, *cells in rows:
                hits = {name: cell for name, cell in zip(names, cells, strict=True) if isinstance(cell, str)}
                after = {
                    name: masked(cell.encode(), values).decode()
                    for name, cell in hits.items()
                    if (values := search.in_text(table, cell))
                }
                for name, cell in after.items():
                    statement = f'UPDATE "{table}" SET "{name}" = ? WHERE rowid = ?'  # noqa: S608
                    connection.execute(statement, (cell, number))
                changed += bool(after)
        connection.execute("VACUUM")
    return changed


def _connect(url: str) -> Any:
    return psycopg2.connect(f"postgresql://{url.partition('://')[2]}")


def _tables(connection: Any) -> list[tuple[str, str, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return list(cursor.fetchall())


def _rows_with(
    connection: Any, table: tuple[str, str], columns: list[str], search: Search
) -> Iterator[tuple[str, list[str | None]]]:
    """Place and cells of each row that names a learner, read some at a time."""
    cells = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
    with connection.cursor(name="aivo_forget") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(sql.SQL("SELECT ctid::text, {} FROM {}").format(cells, sql.Identifier(*table)))
        while batch := cursor.fetchmany(_AT_ONCE):
            texts = ["\x1f".join(cell or "" for cell in row) for _, *row in batch]
            if search.in_text(table[1], "\n".join(texts)):
                yield from (
                    (place, row)
                    for (place, *row), text in zip(batch, texts, strict=True)
                    if search.in_text(table[1], text)
                )


def _rewrite(connection: Any, table: sql.Composable) -> None:
    """Write a table, or all of them, anew, so that no page holds an old version of a row."""
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '30s'")
            cursor.execute(sql.SQL("VACUUM FULL {}").format(table))
    finally:
        connection.autocommit = False


def _end_log(connection: Any) -> None:
    """Have the log of changes removed up to now rather than kept to be written over."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in (
            "ALTER SYSTEM SET wal_recycle = off",
            "SELECT pg_reload_conf()",
            "SELECT pg_sleep(1)",
            "SELECT pg_switch_wal()",
            "CHECKPOINT",
            "SELECT pg_switch_wal()",
            "CHECKPOINT",
        ):
            cursor.execute(statement)
    connection.autocommit = False
