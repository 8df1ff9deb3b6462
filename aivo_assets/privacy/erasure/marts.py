"""Rows of learners in the marts. Belongs here: plain Parquet files that dbt writes, one a mart; dbt is not run here."""

import io
from collections.abc import Iterable

from aivo_assets.lake import Lake
from aivo_assets.lake.commits.rewriting import read_file
from aivo_assets.privacy.erasure.rows import Theirs

MARTS = "marts/"


def clear_marts(lake: Lake, tables: Iterable[str], theirs: Theirs) -> int:
    """Take their rows out of the marts; sums over everybody are made again by the next build of the warehouse.

    Args:
        lake: Where.
        tables: Paths of Parquet files of the lake; those of marts are chosen.
        theirs: Whose rows.

    Returns:
        Rows that went.
    """
    gone = 0
    for path in sorted(theirs.holds([path for path in tables if path.startswith(MARTS)])):
        before = read_file(lake, path)
        after = theirs.stays(before)
        buffer = io.BytesIO()
        after.write_parquet(buffer, compression="zstd")
        lake.storage.put(path, buffer.getvalue())
        gone += before.height - after.height
    return gone
