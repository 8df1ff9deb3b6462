"""Which rows are the same event. Belongs here: derived ids, duplicates, and ids used twice with different content.

A source that names its events is believed: one id, one event. Where it does not, the id is the hash of all that it
says of the row, with an ordinal for rows of one file that say exactly the same. So

* a file that says the same thing twice holds two events (a learner may give the same answer to the same item twice
  within a minute, and some sources know no seconds), and
* where the settings say so (AIVO_SOURCE_REPEATS=fold), such rows of one file are one event, and
* the same file again, or another extract that overlaps with it, holds the same events again: its first such row is the
  first event, its second the second. The lake holds as many as the extract that shows the most.

Ordinals count within a file, not within a run, so that two overlapping files read together do not double either.
"""

import polars as pl

from aivo_assets.events.schema import Event

NEW, DUPLICATE, CONFLICT, KNOWN = "new", "duplicate", "conflict", "known"
REASON_CONFLICT = "event_id is used by another event with other content; the first one stays"

_CONTENT = [name for name in Event.column_names() if name != "event_id"]


def content_hash() -> pl.Expr:
    """64-bit hash of all of an event but its id.

    Only comparable within this process, and only used between two rows of one id, where a chance collision has odds of
    2⁻⁶⁴.
    """
    return pl.struct(_CONTENT).hash(20).alias("content")


def with_ordinals(keys: pl.DataFrame, *, fold: bool = False) -> pl.DataFrame:
    """Give each row its `event_id`.

    Args:
        keys: Columns `order` (rising in reading order), `location`, `given` (id of the source, or null) and `derived`
            (hash of the identity, where none is given).
        fold: Whether rows of one location that say exactly the same are one event.

    Returns:
        The same rows with `event_id` in place of `given` and `derived`: the given id; or the hash, with `.1`, `.2` …
        for its second, third … occurrence in one location, unless these are folded. `repeats` says whether a row
        without a given id is such an occurrence.
    """
    repeated = (
        keys.filter(pl.col("given").is_null())
        .filter(pl.struct("derived", "location").is_duplicated())
        .sort("order")
        .select("order", nth=pl.int_range(pl.len()).over("derived", "location"))
    )
    joined = keys.join(repeated, on="order", how="left", maintain_order="left")
    numbered = (
        pl.when((pl.col("nth") > 0) & (not fold))
        .then(pl.concat_str("derived", pl.lit("."), "nth", ignore_nulls=True))
        .otherwise("derived")
    )
    repeats = (pl.col("nth") > 0).fill_null(value=False)
    return joined.with_columns(event_id=pl.coalesce("given", numbered), repeats=repeats).drop("given", "derived", "nth")


def resolve(keys: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Say of each row whether it is a new event, one that is known, or an id used again with other content.

    What the lake holds stays; within the rows, the one read first does.

    Args:
        keys: Columns `order` (Int64, rising in reading order), `event_id` and `content` (see `content_hash`).
        held: Columns `event_id` and `content` of the lake's events, at least of those whose id is among the keys.

    Returns:
        `order` and `status` (NEW, DUPLICATE or CONFLICT), a row for each key.
    """
    first_held = held.select("event_id", pl.col("content").alias("held")).unique("event_id", keep="first")
    first_read = (
        keys.filter(pl.col("event_id").is_duplicated())
        .sort("order")
        .group_by("event_id", maintain_order=True)
        .agg(first=pl.col("content").first(), first_order=pl.col("order").first())
    )
    beside = keys.join(first_held, on="event_id", how="left", maintain_order="left").join(
        first_read, on="event_id", how="left", maintain_order="left"
    )
    is_first = pl.col("first_order").is_null() | (pl.col("first_order") == pl.col("order"))
    status = (
        pl.when(pl.col("held").is_null() & is_first)
        .then(pl.lit(NEW))
        .when(pl.coalesce("held", "first") == pl.col("content"))
        .then(pl.lit(DUPLICATE))
        .otherwise(pl.lit(CONFLICT))
    )
    return beside.select("order", status=status)
