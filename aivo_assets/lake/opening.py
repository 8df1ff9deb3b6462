"""The lake that the settings name. Belongs here: from settings to a `Lake`, and nothing of what lies in it."""

from aivo_assets.lake.store import Lake
from aivo_assets.settings import Settings


def open_lake(settings: Settings) -> Lake:
    """The lake that the settings name; nothing is read or written yet."""
    return Lake(settings.lake_url, shards=settings.lake.shards)
