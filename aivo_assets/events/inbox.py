"""Answers that apps send while the learner waits. Belongs here: the table that keeps them; no endpoint, no landing.

An answer is in the database before the app is told so. The source `inbox` (sources/inbox.py) reads the table by its
growing number, so the raw zone gets these answers on the one way that all answers take. The table holds raw
identifiers: it is part of the raw zone. What was landed is deleted a few days later.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from aivo_assets.errors import ServiceError
from aivo_assets.events.schema import Event
from aivo_assets.events.values.tidying import MISSING
from aivo_assets.settings import Settings, SourceSettings

TABLE: Final = "aivo_inbox"
STORAGE_VARIABLE: Final = "AIVO_DAGSTER_STORAGE_URL"
OVERLAP: Final = 1000
"""Numbers read again at a landing: an answer whose transaction ended late has a smaller one than others read before."""
KEPT_DAYS: Final = 3
"""Days that a landed answer stays: the present states may lack it for some hours, and a repeated call finds it."""

Fate = Literal["accepted", "known", "conflict"]

_KINDS: Final[dict[str, Any]] = {
    "event_id": sa.Text,
    "skill_ids": ARRAY(sa.Text),
    "occurred_at": sa.DateTime(timezone=True),
    "correct": sa.SmallInteger,
    "response_time_ms": sa.BigInteger,
    "hint_count": sa.Integer,
    "attempt_number": sa.Integer,
    "focus": sa.Float(53),
}
COLUMNS: Final = tuple(Event.column_names())
_METADATA = sa.MetaData()
_ANSWERS = sa.Table(
    TABLE,
    _METADATA,
    sa.Column("sequence", sa.BigInteger, sa.Identity(), primary_key=True),
    *(
        sa.Column(name, _KINDS.get(name, sa.Text), unique=name == "event_id", nullable=Event.columns()[name].nullable)
        for name in COLUMNS
    ),
    sa.Column("learner", sa.Text, nullable=False, index=True),  # the pseudonym
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)


@dataclass(frozen=True)
class Inbox:
    """The table, wherever it is.

    Attributes:
        engine: Of the platform's PostgreSQL.
    """

    engine: Engine

    def make(self) -> None:
        """Make the table unless it is there.

        Raises:
            ServiceError: The database cannot be used.
        """
        with _told(self.engine), self.engine.begin() as connection:
            # Two processes that start together would both find no table.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": TABLE})
            _METADATA.create_all(connection)
            if connection.scalar(sa.text("SELECT obj_description(to_regclass(:name))"), {"name": TABLE}) is None:
                mark = f"Answers sent to AIVO. Table {secrets.token_hex(16)}"  # hexadecimal: nothing to quote
                connection.execute(sa.text(f"COMMENT ON TABLE {TABLE} IS '{mark}'"))

    def is_there(self) -> bool:
        """Whether anybody ever made the table.

        Raises:
            ServiceError: The database cannot be used.
        """
        with _told(self.engine):
            return sa.inspect(self.engine).has_table(TABLE)

    def keep(self, answers: pl.DataFrame) -> list[Fate]:
        """Keep answers for good.

        Args:
            answers: Columns of `Event`, and `learner`, the pseudonym; ids are there and differ.

        Returns:
            For each row: `accepted`; `known` where the same answer is kept already; `conflict` where another one is
            kept under its id, which stays.

        Raises:
            ServiceError: The database cannot be used; none of the answers is kept.
        """
        rows = answers.select(*COLUMNS, "learner").to_dicts()
        if not rows:
            return []
        statement = insert(_ANSWERS).on_conflict_do_nothing(index_elements=["event_id"])
        with _told(self.engine), self.engine.begin() as connection:
            new = set(connection.scalars(statement.values(rows).returning(_ANSWERS.c.event_id)))
            others = [row["event_id"] for row in rows if row["event_id"] not in new]
            held = {row["event_id"]: row for row in self._rows(connection, _ANSWERS.c.event_id.in_(others))}
        return [_fate(row, new, held) for row in rows]

    def of_learner(self, learner: str) -> pl.DataFrame:
        """All answers of a learner that are kept.

        Args:
            learner: Pseudonym.

        Returns:
            Columns of `Event` and `order`, their number; ascending by it.

        Raises:
            ServiceError: The database cannot be used.
        """
        with _told(self.engine), self.engine.connect() as connection:
            rows = self._rows(connection, _ANSWERS.c.learner == learner)
        empty = Event.create_empty().with_columns(order=pl.lit(None, pl.Int64))
        return pl.DataFrame([{**row, "order": row["sequence"]} for row in rows], schema=empty.schema)

    def forget_landed(self, cursor: str | None, now: datetime) -> int:
        """Delete answers that were landed some days ago.

        Args:
            cursor: How far the source was read.
            now: By the machine's clock, UTC.

        Returns:
            How many.
        """
        if cursor is None:
            return 0
        landed = _ANSWERS.c.sequence <= int(cursor) - OVERLAP
        old = _ANSWERS.c.received_at < now.astimezone(UTC) - timedelta(days=KEPT_DAYS)
        with _told(self.engine), self.engine.begin() as connection:
            return int(connection.execute(sa.delete(_ANSWERS).where(landed, old)).rowcount)

    def _rows(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
        query = sa.select(_ANSWERS).where(which).order_by(_ANSWERS.c.sequence)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        return [{**row, "occurred_at": row["occurred_at"].astimezone(UTC)} for row in rows]


def open_inbox(settings: Settings) -> Inbox | None:
    """The inbox in the platform's PostgreSQL; None where no server is known.

    The embedded server is known to what the platform starts: `aivo up` and the runs of Dagster.
    """
    given = settings.postgres_url
    url = os.environ.get(STORAGE_VARIABLE) if given is None else given.get_secret_value()
    if not url:
        return None
    at = make_url(url).set(drivername="postgresql+psycopg2")
    return Inbox(sa.create_engine(at, pool_pre_ping=True, pool_size=4, connect_args={"connect_timeout": 5}))


def as_source(inbox: Inbox, settings: SourceSettings) -> SourceSettings:
    """How the table is read as a source: by its number, its columns named as ours."""
    return SourceSettings(
        kind="postgres",
        url=inbox.engine.url.render_as_string(hide_password=False),
        table=TABLE,
        cursor_column="sequence",
        cursor_overlap=OVERLAP,
        columns={name: name for name in COLUMNS},
        subject=settings.subject,
        missing=", ".join(MISSING),
    )


def _fate(row: dict[str, Any], new: set[str], held: dict[str, dict[str, Any]]) -> Fate:
    event_id = row["event_id"]
    if event_id in new:
        return "accepted"
    before = held.get(event_id, {})
    return "known" if all(before.get(name) == row[name] for name in COLUMNS) else "conflict"


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        problem = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise ServiceError(
            f"The inbox cannot be used ({engine.url.host or 'local socket'}/{engine.url.database}): {problem}",
            fix="Check that PostgreSQL runs and may be written to; answers that were not acknowledged are sent again.",
        ) from error
