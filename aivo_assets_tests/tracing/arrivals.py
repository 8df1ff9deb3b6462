"""Events that arrive over time: some late, some taken back. Belongs here: the lake as it stands after each arrival."""

from datetime import date

import polars as pl
from hypothesis import strategies as st

from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets_tests.tracing.histories import school

SHARDS = 4


def standing(events: pl.DataFrame) -> pl.DataFrame:
    """What anonymisation makes of the events that there are: order and gaps anew within each learner's day."""
    day = ["learner", "day"]
    exact = pl.col("gap_s").fill_null(0).cum_sum().over(day, order_by="sequence")
    return (
        events.sort("learner", "day", "sequence")
        .with_columns(_exact=exact)
        .with_columns(
            gap_s=pl.col("_exact").diff().over(day).cast(pl.Int32),
            sequence=pl.int_range(pl.len(), dtype=pl.Int32).over(day),
        )
        .select(list(ANONYMISED_INTERACTIONS.schema))
    )


def land(lake: Lake, events: pl.DataFrame, *, there: pl.Series, before: pl.Series) -> None:
    """Bring the lake from the events that were there to those that are there now; only days that differ are written."""
    now, then = events.filter(there), events.filter(before)
    touched = pl.concat([now.join(then, on="event", how="anti"), then.join(now, on="event", how="anti")])["day"]
    whole = standing(now)
    for day in touched.unique().sort():
        assert isinstance(day, date)
        lake.write(ANONYMISED_INTERACTIONS, whole.filter(pl.col("day") == day).sort("shard", "learner"), day=day)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[pl.DataFrame, list[pl.Series]]:
    """A small school and which of its events are there after each of three arrivals: mostly more, now and then less."""
    history = school(draw(st.integers(1, 5)), draw(st.integers(1, 20)), draw(st.integers(0, 2**16)))
    n = history.height
    in_order = draw(st.booleans())
    place = history.select(pl.int_range(pl.len()).over("learner", order_by=["day", "sequence"]))["literal"].to_list()
    comes = [draw(st.integers(0, 2)) for _ in range(n)]
    if in_order:
        longest = max(place) + 1
        comes = [3 * at // longest for at in place]
    goes = [draw(st.sampled_from([9, 9, 9, 9, 9, 9, 9, 2])) for _ in range(n)]
    return history, [
        pl.Series([come <= step < gone for come, gone in zip(comes, goes, strict=True)]) for step in range(3)
    ]
