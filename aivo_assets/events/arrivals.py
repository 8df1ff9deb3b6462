"""Whether a source holds anything else than before. Belongs here: a digest of it, cheaply; nothing is landed.

A file is known by its place, length, time of change and, on an object store, its tag. Of a database the rows behind the
cursor are read, few of them between two looks. Where neither is possible the answer is None, and the caller has to
read.
"""

from datetime import datetime
from typing import Final

import polars as pl
from upath import UPath

from aivo_assets.events.landing.events import read_cursor
from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.base import Source
from aivo_assets.events.sources.inbox import inbox_beside
from aivo_assets.events.sources.reading.files import find_files
from aivo_assets.events.values.hashes import digest
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings

FILE_KINDS: Final = ("assistments", "datashop", "parquet", "csv")
MOST_ROWS: Final = 50_000
"""With so many new rows in a database no more of them are read for this: a landing has to."""

_OF_A_FILE: Final = ("size", "mtime", "ino", "ETag", "etag", "md5Hash", "LastModified", "updated", "generation")


def arrived(settings: Settings, lake: Lake, now: datetime) -> str | None:
    """Digest of all that a landing would be given now; None where that cannot be known without landing.

    Args:
        settings: `source` and the other files that are read with it.
        lake: Holds how far a database is read.
        now: The present instant, UTC.

    Raises:
        SourceError: The source cannot be read.
        SettingsError: The settings do not say enough for it.
    """
    source = settings.source
    paths = [path for path in (source.learner_path, source.override_path, settings.policy.prerequisites) if path]
    files = [file for path in paths for file in find_files(path)]
    if source.kind in FILE_KINDS:
        files += find_files(source.path)
    elif source.kind not in ("postgres", "inbox"):
        return None
    tables: list[Source] = [] if source.kind in FILE_KINDS else [open_source(settings, now)]
    beside = inbox_beside(settings, now)
    rows = [_behind_the_cursor(table, lake) for table in (*tables, *([] if beside is None else [beside]))]
    if any(each is None for each in rows):
        return None
    return digest([*sorted(_file(file) for file in files), *(row for each in rows for row in each or ())])


def _file(file: UPath) -> str:
    known = file.fs.info(file.path)
    return repr((str(file), [(name, known[name]) for name in _OF_A_FILE if name in known]))


def _behind_the_cursor(source: Source, lake: Lake) -> list[str] | None:
    """The cursor, and digests of new rows and of the learner table; None where there are too many new rows.

    A landing moves the cursor and leaves no new row: without it a database would look as it did before they came.
    """
    cursor, frames = read_cursor(lake, source.fingerprint()), []
    for extract in source.events(None, cursor):
        frames.append(extract.frame)
        if sum(frame.height for frame in frames) >= MOST_ROWS:
            return None
    learners = source.learners()
    return [repr(cursor), *map(_content, frames if learners is None else [*frames, learners])]


def _content(frame: pl.DataFrame) -> str:
    return digest(frame.write_ndjson().splitlines())
