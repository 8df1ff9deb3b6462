"""The inbox after a landing. Belongs here: deleting what was landed some days ago; nothing is landed."""

from datetime import datetime

from aivo_assets.events.inbox import open_inbox
from aivo_assets.events.landing.events import read_cursor
from aivo_assets.events.sources.inbox import inbox_beside, inbox_source
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings


def tidy_inbox(settings: Settings, lake: Lake, now: datetime) -> int:
    """Delete answers from the inbox that the raw zone has had for some days.

    Args:
        settings: Of the platform.
        lake: Says how far the inbox was landed.
        now: The present instant, UTC.

    Returns:
        How many.

    Raises:
        ServiceError: The database cannot be used.
    """
    source = inbox_source(settings, now) if settings.source.kind == "inbox" else inbox_beside(settings, now)
    inbox = open_inbox(settings)
    if source is None or inbox is None:
        return 0
    try:
        return inbox.forget_landed(read_cursor(lake, source.fingerprint()), now)
    finally:
        inbox.engine.dispose()
