"""Sessions: when a learner worked, for how long, and how it went. Belongs here: the clock, sessions, focus, streaks.

All of it is about a learner's time, not about a skill. Input is the timeline; output one row a learner.
"""

from datetime import date, timedelta
from typing import Final

import polars as pl
import polars.selectors as cs

from aivo_assets.settings import PolicySettings

# Variance of one answer, at least: of success at 0.8. Among tasks that nearly all get right, one slip is no tiredness.
_LEAST_SPREAD: Final = 0.16


def timeline(interactions: pl.LazyFrame, *, session_gap_minutes: int) -> pl.LazyFrame:
    """Events in order with an exact clock and a number for each session.

    The clock: the first event of a learner's day is at its coarse `occurred_at`, later ones add `gap_s`; so times that
    were coarsened for privacy do not shorten or lengthen a session. A new session starts where the source's session id
    changes, and after a pause longer than the gap, whatever the id says (nobody sits through the night).

    Args:
        interactions: Of `ANONYMISED_INTERACTIONS` at least learner, day, sequence, occurred_at, gap_s, session.
        session_gap_minutes: A longer pause starts a new session.

    Returns:
        The same rows ordered by learner, day, sequence, with `at_s` (seconds since 1970), `pause_s` (since the
        learner's event before in the same session; null for the first) and `session_index` (unique over all learners).
    """
    new_learner = (pl.col("learner") != pl.col("learner").shift()).fill_null(value=True)
    new_day = new_learner | (pl.col("day") != pl.col("day").shift())
    run = pl.col("gap_s").fill_null(0).cast(pl.Int64).cum_sum()
    pause = pl.col("at_s") - pl.col("at_s").shift()
    other_id = (pl.col("session") != pl.col("session").shift()).fill_null(value=False)
    return (
        interactions.sort("learner", "day", "sequence")
        .with_columns(_run=run, _first=new_day)
        .with_columns(_base=pl.when("_first").then(pl.col("occurred_at").dt.epoch("s") - pl.col("_run")).forward_fill())
        .with_columns(at_s=pl.col("_base") + pl.col("_run"))
        .with_columns(_starts=new_learner | other_id | (pause > session_gap_minutes * 60))
        .with_columns(
            session_index=pl.col("_starts").cum_sum(),
            pause_s=pl.when(~pl.col("_starts")).then(pause.clip(lower_bound=0)),
        )
        .drop("_run", "_base", "_first", "_starts")
    )


def last_session(events: pl.LazyFrame, *, as_of: date, settings: PolicySettings) -> pl.LazyFrame:
    """Length, focus and tiredness of each learner's last session.

    Tiredness is the fall of success from the first half to the second with the difficulty of the items allowed for
    (mean of correct − expected), so that harder tasks at the end do not pass for a tired learner.

    Args:
        events: A timeline with `expected` (probability of success before the answer) and `typical_time_s` of the item.
        as_of: Day up to which is known.
        settings: Thresholds of focus and tiredness.

    Returns:
        One row a learner: the `session_…` columns of `SIGNALS`, focus, focus_source.
    """
    last = events.filter(pl.col("session_index") == pl.col("session_index").max().over("learner"))
    half = pl.int_range(pl.len()).over("learner") * 2 >= pl.len().over("learner")
    first_answer_s = (pl.col("response_time_ms").first() / 1000).fill_null(0.0)
    correct, second = pl.col("correct"), pl.col("_second")
    residual = (correct - pl.col("expected")).cast(pl.Float64)
    spread = (pl.col("expected") * (1 - pl.col("expected"))).mean().clip(lower_bound=_LEAST_SPREAD)
    noise = spread * (1 / second.sum() + 1 / (~second).sum())
    enough = pl.len() >= settings.tired_events
    return (
        last.with_columns(_second=half, _work_s=_work_s(settings), **_answer_times(settings))
        .group_by("learner")
        .agg(
            working_minutes=(pl.col("_work_s").sum() + first_answer_s) / 60,
            session_minutes=(pl.col("at_s").last() - pl.col("at_s").first() + first_answer_s) / 60,
            session_events=pl.len().cast(pl.Int32),
            session_current=pl.col("day").last() == as_of,
            session_first_half=pl.when(enough).then(correct.filter(~second).mean()),
            session_second_half=pl.when(enough).then(correct.filter(second).mean()),
            session_fall=pl.when(enough).then(residual.filter(~second).mean() - residual.filter(second).mean()),
            _noise=noise,
            **_focus(settings),
        )
        .with_columns(
            session_fall_z=pl.when(pl.col("_noise") > 0).then(pl.col("session_fall") / pl.col("_noise").sqrt()),
            focus=pl.coalesce("_given", "_derived"),
            focus_source=pl.when(pl.col("_given").is_not_null())
            .then(pl.lit("given"))
            .when(pl.col("_derived").is_not_null())
            .then(pl.lit("derived")),
        )
        .drop("_noise", "_given", "_derived")
        # The last bit of a sum depends on how many threads share the work, and equal inputs must give equal bytes.
        .with_columns(cs.float().round(9))
    )


def _work_s(settings: PolicySettings) -> pl.Expr:
    """Seconds of work in the pause before each answer: all of a pause that an exercise may take, else its answer's own.

    Time-on-task estimates depend on how idle time is left out; a limit, and a usual time in place of what is beyond it,
    are the usual ways (Kovanović et al. 2015, Journal of Learning Analytics 2(3)). Here the limit is the item's.
    """
    least, most = (60 * minutes for minutes in settings.work_pause_minutes)
    limit = (pl.col("typical_time_s") * settings.work_times_typical).clip(least, most).fill_null(most)
    own = pl.coalesce(pl.col("response_time_ms") / 1000, "typical_time_s", pl.lit(0.0))
    pause = pl.col("pause_s").cast(pl.Float64)
    return pl.when(pause > limit).then(pl.min_horizontal(own, limit)).otherwise(pause)  # null for the first answer


def _answer_times(settings: PolicySettings) -> dict[str, pl.Expr]:
    """Whether an answer was a rapid guess, and for others the log of its time against the item's typical time.

    A rapid guess is an answer faster than 10 % of the item's typical time, 10 s at most (NT10: Wise & Ma 2012, after
    Wise & Kong 2005); where no typical time is known, faster than 3 s (Kong, Wise & Bhola 2007).
    """
    seconds = pl.col("response_time_ms") / 1000
    limit = (pl.col("typical_time_s") * settings.rapid_guess_share).clip(upper_bound=settings.rapid_guess_cap_s)
    rapid = seconds < limit.fill_null(settings.rapid_guess_default_s)
    log_time = (seconds.clip(lower_bound=0.1) / pl.col("typical_time_s")).log()
    return {"_rapid": rapid, "_log_time": pl.when(~rapid).then(log_time)}


def _focus(settings: PolicySettings) -> dict[str, pl.Expr]:
    """Focus as the source gave it, and as it can be derived.

    Derived: response-time effort (share of answers that are no rapid guesses, Wise & Kong 2005) times a steadiness
    between 1 and 1/2, which falls with the standard deviation of log response times (lognormal model, van der Linden
    2006): wandering attention shows as variability before it shows as errors.
    """
    timed = pl.col("_rapid").is_not_null().sum()
    effort = 1 - pl.col("_rapid").mean()
    wandering = (pl.col("_log_time").std() - settings.steady_sd) / (settings.unsteady_sd - settings.steady_sd)
    steadiness = 1 - wandering.fill_null(0.0).clip(0.0, 1.0) / 2
    return {
        "_given": pl.col("focus").mean(),
        "_derived": pl.when(timed >= settings.focus_events).then(effort * steadiness),
    }


def streaks(events: pl.LazyFrame, *, as_of: date) -> pl.LazyFrame:
    """Days in a row with practice, up to the as-of day or the day before; 0 where the row is broken.

    Returns:
        One row a learner: learner, streak_days.
    """
    broken = (pl.col("learner") != pl.col("learner").shift()) | (
        pl.col("day") - pl.col("day").shift() != timedelta(days=1)
    )
    return (
        events.select("learner", "day")
        .unique()
        .sort("learner", "day")
        .with_columns(_row=broken.fill_null(value=True).cum_sum())
        .group_by("learner")
        .agg(
            _days=(pl.col("_row") == pl.col("_row").max()).sum().cast(pl.Int32),
            _alive=pl.col("day").max() >= as_of - timedelta(days=1),
        )
        .select("learner", streak_days=pl.when("_alive").then("_days").otherwise(0).cast(pl.Int32))
    )
