"""Local times of the hour that a clock passes twice. Belongs here: which pass is meant; no text is read.

When clocks go back, 02:30 is two instants. The order of the rows tells them apart: where a time is earlier than that of
the row before, the clock has gone back between them, and it and what follows are of the second pass. Where a file
stands in order of time as a whole, all of its rows tell it; otherwise only those of the same learner do. Files that
stand newest first are read from their end. Where the order says nothing, or contradicts itself, the first pass is
meant.
"""

from typing import Literal

import polars as pl


def instants(local: pl.Series, zone: str, learners: pl.Series | None) -> pl.Series:
    """Local times of one zone as UTC instants; a time that the clock skips is null.

    Args:
        local: Times without a zone, in the order of the rows; null where a row has none.
        zone: Name of a known zone.
        learners: Whose row each is; None where that is not known.
    """
    first = _in_utc(local, zone, "earliest")
    second = _in_utc(local, zone, "latest")
    doubtful = (first != second).fill_null(value=False)
    if not doubtful.any():
        return first
    rows = pl.DataFrame(
        {
            "row": pl.int_range(len(local), eager=True),
            "local": local,
            "first": first,
            "doubtful": doubtful,
            "learner": pl.repeat("", len(local), eager=True) if learners is None else learners,
        }
    ).filter(pl.col("first").is_not_null())
    returned = _second_passes(rows)
    return first.scatter(returned, second.gather(returned)) if len(returned) else first


def _in_utc(local: pl.Series, zone: str, pass_: Literal["earliest", "latest"]) -> pl.Series:
    placed = local.dt.replace_time_zone(zone, ambiguous=pass_, non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _second_passes(rows: pl.DataFrame) -> pl.Series:
    """Numbers of the rows that are of the second pass."""
    certain = rows.filter(~pl.col("doubtful"))["first"]
    rising = certain.is_sorted()
    if (rising or certain.is_sorted(descending=True)) and not certain.is_empty():
        ordered = rows if rising else rows.reverse()
        second = _after_one_return(ordered, ["night"])
        if second is not None:
            return second
    step = pl.col("first").diff().over("learner")
    steps = rows.select(rising=(step > pl.duration()).sum(), falling=(step < pl.duration()).sum()).row(0)
    ordered = rows if steps[0] >= steps[1] else rows.reverse()
    second = _after_one_return(ordered, ["learner", "night"])
    assert second is not None, "only a whole file can be refused"
    return second


def _after_one_return(rows: pl.DataFrame, group: list[str]) -> pl.Series | None:
    """Rows from the one time on that lies before the time of the row above it.

    In a group with several such times the rows stand in no order, and none is of the second pass. Where the only group
    of a night is the whole file, None says so: a smaller group may still tell.
    """
    doubtful = rows.filter("doubtful").with_columns(night=pl.col("local").dt.date())
    returns = (pl.col("local").diff() < pl.duration()).fill_null(value=False).cast(pl.Int32)
    counted = doubtful.with_columns(
        returned=returns.cum_sum().over(group, order_by=pl.int_range(pl.len())), returns=returns.sum().over(group)
    )
    if "learner" not in group and (counted["returns"] > 1).any():
        return None
    return counted.filter((pl.col("returned") == 1) & (pl.col("returns") == 1))["row"]
