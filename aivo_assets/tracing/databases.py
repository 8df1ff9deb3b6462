"""The database of the registry and of searches, where a setting names one. Belongs here: URLs and schemas; no queries.

MLflow and Optuna each believe the table `alembic_version` to be their own, so each gets a schema of its own in it.
"""

from typing import Final
from urllib.parse import quote

MLFLOW: Final = "mlflow"
OPTUNA: Final = "optuna"


def in_schema(url: str, schema: str) -> str:
    """The URL of a PostgreSQL database, for SQLAlchemy, whose tables are those of one schema."""
    rest = url.partition("://")[2]
    return f"postgresql+psycopg2://{rest}{'&' if '?' in rest else '?'}options={quote(f'-csearch_path={schema}')}"


def as_libpq(url: str) -> str:
    """The same URL as PostgreSQL's own client reads it."""
    return f"postgresql://{url.partition('://')[2]}"


def make_schema(url: str, schema: str) -> None:
    """Make a schema where there is none."""
    import psycopg2  # noqa: PLC0415 - only where a database is named
    from psycopg2.sql import SQL, Identifier  # noqa: PLC0415

    connection = psycopg2.connect(as_libpq(url))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('aivo schemas'))")  # two at once would both make it
            cursor.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(Identifier(schema)))
    finally:
        connection.close()
