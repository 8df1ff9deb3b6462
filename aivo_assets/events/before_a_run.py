"""What a run will read, looked at before there is a run. Belongs here: the look; nothing is landed.

A mistyped path that a run finds out makes its first step fail, and every asset behind it with it; whoever typed it is
still there to mend it when it is found before.
"""

from datetime import datetime

from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.reading.files import find_files
from aivo_assets.settings import Settings


def refuse_unreadable(settings: Settings, now: datetime) -> tuple[str, ...]:
    """Make sure that the source and the files beside it can be read.

    Args:
        settings: All of them.
        now: The present instant, UTC.

    Returns:
        How the source will be read, for a person.

    Raises:
        SettingsError: The settings do not say enough for the source.
        SourceError: A file is absent or unreadable, or the source could be read in several ways.
    """
    beside = {
        "AIVO_SOURCE_LEARNER_PATH": settings.source.learner_path,
        "AIVO_SOURCE_OVERRIDE_PATH": settings.source.override_path,
        "AIVO_POLICY_PREREQUISITES": settings.policy.prerequisites,
    }
    for variable, path in beside.items():
        if path is not None:
            find_files(path, variable=variable)
    return open_source(settings, now).how_read()
