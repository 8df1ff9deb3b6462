"""A learner's level in a skill: which, since when, and what the models predict there. No facts about practice here.

The level must not wander with the mixture of the last tasks, so it is sticky: until practice has something to say
(`followed_events` answers since the last decision) it stays as it was; a learner who then works around the level that
was recommended, or around the one before, stands there; only who works elsewhere is moved by practice itself.
"""

from datetime import date
from statistics import NormalDist
from typing import Final

import polars as pl

from aivo_assets.adaptive.schema import LEVEL_COUNT, SKILL_KEYS
from aivo_assets.settings import PolicySettings

_MIDDLE_LEVEL: Final = 5  # for a learner of whom neither items nor models tell anything
_CERTAIN: Final = 0.005  # probabilities are kept so far from 0 and 1 before a logit is taken


def logit(probability: pl.Expr) -> pl.Expr:
    """Log odds, finite: probabilities are clipped to 0.005 … 0.995."""
    clipped = probability.cast(pl.Float64).clip(_CERTAIN, 1 - _CERTAIN)
    return (clipped / (1 - clipped)).log()


def expit(log_odds: pl.Expr) -> pl.Expr:
    """Probability of log odds."""
    return 1 / (1 + (-log_odds).exp())


def add_previous(
    rows: pl.LazyFrame, by_skill: pl.LazyFrame, before: pl.LazyFrame, settings: PolicySettings
) -> pl.LazyFrame:
    """Add the recommendation before this day, the answers since its decision, and their level (`level_after`)."""
    after = (
        # The newest answers are the last rows of `by_skill`: their order must outlive the join.
        by_skill.join(before.select(*SKILL_KEYS, "decided_on", "previous_day"), on=SKILL_KEYS, maintain_order="left")
        .filter(pl.col("day") > pl.col("decided_on"))
        .group_by(SKILL_KEYS)
        .agg(
            level_after=pl.col("item_level").tail(settings.recent_events).median(),
            answers_since=pl.len(),
            answers_new=(pl.col("day") > pl.col("previous_day")).sum(),
        )
    )
    counts = pl.col("answers_since", "answers_new").fill_null(0).cast(pl.Int32)
    known = pl.when(pl.col("previous_day").is_not_null()).then(counts)
    return rows.join(before, on=SKILL_KEYS, how="left").join(after, on=SKILL_KEYS, how="left").with_columns(known)


def add_model_answers(rows: pl.LazyFrame, mastery: pl.LazyFrame, interval: float) -> pl.LazyFrame:
    """Add mastery, the probabilities by level, and how unsure they are.

    The band of mastery is turned into a standard deviation in logits, and that is taken as the uncertainty of success
    at every level: what is not known of the learner's skill is the same at each of them.
    """
    z = NormalDist().inv_cdf(0.5 + interval / 2)
    answers = mastery.select(
        *SKILL_KEYS, "mastery", "mastery_lower", "mastery_upper", "level_probabilities", "model_version"
    ).with_columns(
        success_sd=(logit(pl.col("mastery_upper")) - logit(pl.col("mastery_lower"))) / (2 * z), band_z=pl.lit(z)
    )
    return rows.join(answers, on=SKILL_KEYS, how="left")


def add_level(rows: pl.LazyFrame, settings: PolicySettings) -> pl.LazyFrame:
    """Add the current level, where it comes from, since when, and the probabilities of success around it."""
    by_model = fitting_level(settings)
    after, new, old = pl.col("level_after"), pl.col("previous_level"), pl.col("previous_current_level")
    to_new, to_old = (after - new).abs(), (after - old).abs()
    source = (
        pl.when(pl.col("answers_since") < settings.followed_events)
        .then(pl.lit("standing"))
        .when((to_new <= to_old) & (to_new <= settings.level_tolerance))
        .then(pl.lit("followed"))
        .when(to_old <= settings.level_tolerance)
        .then(pl.lit("kept"))
        .when(pl.col("practised_level").is_not_null())
        .then(pl.lit("practised"))
        .when(by_model.is_not_null())
        .then(pl.lit("model"))
        .otherwise(pl.lit("middle"))
    )
    practised = pl.coalesce((after + 0.5).floor(), "practised_level")  # what was done since tells more than all of it
    levels = {"standing": old, "kept": old, "followed": new, "practised": practised, "model": by_model}
    chosen = pl.coalesce(
        *(pl.when(pl.col("level_source") == name).then(level.cast(pl.Int8)) for name, level in levels.items()),
        pl.lit(_MIDDLE_LEVEL, dtype=pl.Int8),
    )
    unchanged = pl.col("current_level") == old
    since = pl.when(unchanged.fill_null(value=False)).then("previous_level_since").otherwise("decided_on")
    return (
        rows.with_columns(level_source=source)
        .with_columns(current_level=chosen)
        .with_columns(level_since=since, **_probabilities())
        .with_columns(gain_easier=_gain_easier(settings))
        .with_columns(
            p_level_lower=expit(logit(pl.col("p_level")) - pl.col("band_z") * pl.col("success_sd")),
            p_level_upper=expit(logit(pl.col("p_level")) + pl.col("band_z") * pl.col("success_sd")),
        )
    )


def fitting_level(settings: PolicySettings) -> pl.Expr:
    """The level at which success is nearest to the middle of the success zone, by `level_probabilities`; Int8."""
    middle = sum(settings.success_zone) / 2
    return (pl.col("level_probabilities").list.eval((pl.element() - middle).abs()).list.arg_min() + 1).cast(pl.Int8)


def _gain_easier(settings: PolicySettings) -> pl.Expr:
    """Success nearest to the zone's lower edge among the levels in reach below, less success here; null at level 1."""
    edge = settings.success_zone[0]
    within = [_at_level(-shift) for shift in range(1, settings.most_levels + 1)]
    away = [(success - edge).abs() for success in within]
    nearest = pl.min_horizontal(away)
    easier = pl.coalesce(pl.when(far == nearest).then(success) for far, success in zip(away, within, strict=True))
    return pl.when(pl.col("current_level") > 1).then(easier - pl.col("p_level"))


def add_level_history(
    rows: pl.LazyFrame, by_skill: pl.LazyFrame, as_of: date, settings: PolicySettings
) -> pl.LazyFrame:
    """Add what the learner did at the current level, give or take the tolerance, since it is the level.

    The day of the move itself belongs to the level before: the recommendation came after that day's practice.
    """
    near = (pl.col("item_level").cast(pl.Int16) - pl.col("current_level")).abs() <= settings.level_tolerance
    since = pl.col("level_since").is_null() | (pl.col("day") > pl.col("level_since"))
    second = pl.int_range(pl.len()) * 2 >= pl.len()
    residual = pl.col("correct") - pl.col("expected")
    growth = residual.filter(second).mean() - residual.filter(~second).mean()
    answered = by_skill.join(
        rows.select(*SKILL_KEYS, "current_level", "level_since"), on=SKILL_KEYS, maintain_order="left"
    ).filter(since)
    history = (
        answered.filter(near)
        .group_by(SKILL_KEYS)
        .agg(
            attempts_at_level=pl.len(),
            successes_at_level=pl.col("correct").sum(),
            days_at_level=(pl.col("day").last() - pl.col("day").first()).dt.total_days() + 1,
            practice_days_at_level=pl.col("day").n_unique(),
            growth_at_level=pl.when(pl.len() >= 2 * settings.trend_events).then(growth),
        )
    )
    since_move = answered.group_by(SKILL_KEYS).agg(attempts_since_move=pl.len())
    counts = [
        "attempts_since_move",
        "attempts_at_level",
        "successes_at_level",
        "days_at_level",
        "practice_days_at_level",
    ]
    return (
        rows.join(history, on=SKILL_KEYS, how="left")
        .join(since_move, on=SKILL_KEYS, how="left")
        .with_columns(pl.col(counts).fill_null(0).cast(pl.Int32))
        .with_columns(
            failures_at_level=pl.col("attempts_at_level") - pl.col("successes_at_level"),
            days_since_move=(pl.lit(as_of) - pl.col("level_since")).dt.total_days(),
            never_moved=pl.col("level_since").is_null(),
        )
    )


def _probabilities() -> dict[str, pl.Expr]:
    return {"p_level": _at_level(0), "p_above": _at_level(1), "p_below": _at_level(-1)}


def _at_level(shift: int) -> pl.Expr:
    """Success so many levels above the current one, within 1 to 10."""
    index = (pl.col("current_level").cast(pl.Int32) + shift).clip(1, LEVEL_COUNT) - 1
    return pl.col("level_probabilities").list.get(index, null_on_oob=True).cast(pl.Float64)
