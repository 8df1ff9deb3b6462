"""Differences between states and events, and between states. Belongs here: who has new or late events; no folding."""

import polars as pl

from aivo_assets.tracing.fold.states import FRAMES, LearnerStates, event_marks


def new_events(events: pl.DataFrame, states: LearnerStates) -> pl.DataFrame:
    """The events that come after what the states have seen, in the order given."""
    seen = states.learners.select("learner", "last_day", "last_sequence")
    joined = events.join(seen, on="learner", how="left", maintain_order="left")
    return joined.filter(_after().fill_null(value=True)).drop("last_day", "last_sequence")


def late_learners(events: pl.DataFrame, states: LearnerStates) -> pl.Series:
    """Learners whose past changed after it was folded; their states must be rebuilt from nothing.

    Args:
        events: All events of the learners on the days that changed (whole days, known and new ones).
        states: What was folded.

    Returns:
        Learners, ascending, who on one of those days have other events, up to their last folded one, than were folded.
    """
    seen = states.learners.select("learner", "last_day", "last_sequence")
    past = events.join(seen, on="learner", how="inner").filter(~_after())
    marks = pl.Series("mark", event_marks(past["event"]))
    days = past.with_columns(marks).group_by("learner", "day")
    found = days.agg(pl.len().alias("found"), pl.col("mark").bitwise_xor())
    folded = states.learners.select("learner", day="days", folded="day_events", folded_mark="day_marks")
    folded = folded.explode("day", "folded", "folded_mark")
    compared = found.join(folded, on=["learner", "day"], how="left")
    same = (pl.col("found") == pl.col("folded")) & (pl.col("mark") == pl.col("folded_mark"))
    return compared.filter(~same.fill_null(value=False))["learner"].unique().sort()


def differing_learners(one: LearnerStates, other: LearnerStates) -> pl.Series:
    """Learners, ascending, whose states are not the same in both, to the last bit; who is in one only differs."""
    differing = [pl.Series("learner", [], pl.String)]
    for name in FRAMES:
        first, second = getattr(one, name), getattr(other, name)
        if not first.equals(second):
            rows = pl.concat([first, second]).group_by(pl.all()).len()
            differing.append(rows.filter(pl.col("len") == 1)["learner"])
    return pl.concat(differing).unique().sort()


def _after() -> pl.Expr:
    later_today = (pl.col("day") == pl.col("last_day")) & (pl.col("sequence") > pl.col("last_sequence"))
    return (pl.col("day") > pl.col("last_day")) | later_today
