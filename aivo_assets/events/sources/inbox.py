"""Answers of the inbox as a source. Belongs here: how its table is read; the table itself is `events/inbox.py`."""

from datetime import datetime

import sqlalchemy as sa

from aivo_assets.errors import SettingsError
from aivo_assets.events.inbox import TABLE, as_source, open_inbox
from aivo_assets.events.sources.base import FIRST_EVENT_AT
from aivo_assets.events.sources.postgres import PostgresSource
from aivo_assets.events.values.hashes import digest
from aivo_assets.settings import Settings


class InboxSource(PostgresSource):
    """What apps sent over HTTP, read by its number."""

    @property
    def name(self) -> str:
        """What a person calls this source."""
        return "inbox"

    def fingerprint(self) -> str:
        """Hash of the table's own mark, wherever its server listens: another table begins at its own first number."""
        with self._connected() as connection:
            mark = connection.scalar(sa.text("SELECT obj_description(to_regclass(:name))"), {"name": TABLE})
        return digest([self.name, str(mark)])


def inbox_source(settings: Settings, now: datetime) -> InboxSource:
    """The inbox as a source.

    Args:
        settings: Of the platform.
        now: The present instant.

    Raises:
        SettingsError: No PostgreSQL is known.
        ServiceError: It cannot be used.
    """
    inbox = open_inbox(settings)
    if inbox is None:
        raise SettingsError(
            "The inbox is a table in the platform's PostgreSQL, and none is known here",
            fix="Start the platform (aivo up), or set AIVO_POSTGRES_URL; docs/live.md says how answers are sent.",
        )
    try:
        inbox.make()
    finally:
        inbox.engine.dispose()
    return InboxSource(as_source(inbox, settings.source), FIRST_EVENT_AT, now)


def inbox_beside(settings: Settings, now: datetime) -> InboxSource | None:
    """The inbox, to be landed beside the source of the settings; None where nothing was sent, or it is that source."""
    inbox = open_inbox(settings) if settings.source.kind != "inbox" else None
    if inbox is None:
        return None
    try:
        there = inbox.is_there()
    finally:
        inbox.engine.dispose()
    return InboxSource(as_source(inbox, settings.source), FIRST_EVENT_AT, now) if there else None
