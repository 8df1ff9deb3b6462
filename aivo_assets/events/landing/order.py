"""In which order the events of a day stand. Belongs here: the merge of what is held with what is new; no file is read.

Events stand in order of time. Those of one instant stand as the source gave them, because a learner's answers of one
minute, or of one day, have no other order, and learning is in it. What the lake holds keeps its order. What is new goes
where the source has it: behind the event that the source gives before it, as far as the lake holds that one.
"""

import polars as pl


def merged(held: pl.DataFrame, added: pl.DataFrame, read_at: pl.DataFrame) -> pl.DataFrame:
    """Events of one day in their order.

    Args:
        held: Events of the lake, in their order; columns of `Event`.
        added: New events; the same columns and `order`, their place in what was read.
        read_at: `event_id` and `order` of events of the lake that were read again, each once.

    Returns:
        Columns of `held`.
    """
    if held.is_empty():
        return added.sort("occurred_at", "order").select(held.columns)
    placed = held.with_columns(_place=pl.int_range(pl.len()).cast(pl.Float64), order=pl.lit(-1, dtype=pl.Int64))
    known = placed.select("event_id", "occurred_at", "_place").join(read_at, on="event_id", how="inner")
    return (
        pl.concat([placed, _between(added, known).select(placed.columns)])
        .sort("occurred_at", "_place", "order")
        .select(held.columns)
    )


def _between(added: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """New events with `_place`: behind the last known event read before them, else before the first one read after.

    Where no event of the instant was read again, they go behind all that there are.
    """
    order = known.sort("order")
    before = order.select("occurred_at", "order", _before=pl.col("_place").cum_max().over("occurred_at"))
    after = order.select("occurred_at", "order", _after=pl.col("_place").cum_min(reverse=True).over("occurred_at"))
    rows = added.sort("order")
    rows = rows.join_asof(before, on="order", by="occurred_at", strategy="backward", check_sortedness=False)
    rows = rows.join_asof(after, on="order", by="occurred_at", strategy="forward", check_sortedness=False)
    place = pl.coalesce(pl.col("_before") + 0.5, pl.col("_after") - 0.5, pl.lit(float("inf")))
    return rows.with_columns(_place=place)
