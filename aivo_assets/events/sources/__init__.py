"""Sources of events, each a small module behind the `Source` protocol. Belongs here: which one the settings mean."""

from datetime import UTC, datetime

from aivo_assets.errors import SettingsError
from aivo_assets.events.sources.base import FIRST_EVENT_AT, Source
from aivo_assets.settings import Settings, SourceSettings


def open_source(settings: Settings, now: datetime) -> Source:
    """The source that the settings name. Nothing is read yet.

    Args:
        settings: All settings; `source.kind` decides.
        now: The present instant; later events are never real.

    Raises:
        SettingsError: The settings do not say enough for this kind of source, or contradict themselves.
    """
    source = settings.source
    match source.kind:
        case "simulator":
            from aivo_assets.events.sources.simulator import SimulatorSource  # noqa: PLC0415 - draws in faker

            return SimulatorSource(settings, now)
        case "assistments":
            from aivo_assets.events.sources.assistments import AssistmentsSource  # noqa: PLC0415

            return AssistmentsSource(source, first_event_at(source), now)
        case "datashop":
            from aivo_assets.events.sources.datashop import DataShopSource  # noqa: PLC0415

            return DataShopSource(source, first_event_at(source), now)
        case "parquet" | "csv":
            from aivo_assets.events.sources.tabular import TabularSource  # noqa: PLC0415

            return TabularSource(source, first_event_at(source), now)
        case "postgres":
            from aivo_assets.events.sources.postgres import PostgresSource  # noqa: PLC0415 - draws in SQLAlchemy

            return PostgresSource(source, first_event_at(source), now)
        case "inbox":
            from aivo_assets.events.sources.inbox import inbox_source  # noqa: PLC0415 - draws in SQLAlchemy

            return inbox_source(settings, now)


def first_event_at(settings: SourceSettings) -> datetime:
    """Start of time for sources that hold only an order.

    Raises:
        SettingsError: The setting is no ISO date-time.
    """
    if settings.first_event_at is None:
        return FIRST_EVENT_AT
    try:
        moment = datetime.fromisoformat(settings.first_event_at)
    except ValueError as error:
        raise SettingsError(
            f"AIVO_SOURCE_FIRST_EVENT_AT={settings.first_event_at!r} is no date and time",
            fix="Write it as 2012-09-01T00:00:00; UTC is meant where no offset is given.",
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
