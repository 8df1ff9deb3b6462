"""Learning signals: what is known of each learner x skill on a day. Belongs here: facts, model answers; no judgement.

Every signal of the contract, one row for each skill that a learner practised lately. A learner's row depends on that
learner's events (and on the item bank and the models), never on another learner's, so any subset of learners can be
computed alone and gives the same rows.
"""

from datetime import date, timedelta
from typing import Final

import polars as pl

from aivo_assets.adaptive.schema import LEVEL_COUNT, RECOMMENDATIONS, SIGNALS, SKILL_KEYS
from aivo_assets.adaptive.signals.sessions import last_session, streaks, timeline
from aivo_assets.adaptive.signals.standing import add_level, add_level_history, add_model_answers, add_previous
from aivo_assets.settings import PolicySettings


def assignment_sizes(interactions: pl.LazyFrame) -> pl.DataFrame:
    """How many tasks an assignment has, as far as answers tell.

    The 90th percentile over learners of distinct tasks answered: all tasks where most finish, and not misled by an
    assignment that draws tasks at random. At least three learners must have begun it.

    Returns:
        assignment, tasks (Float64).
    """
    return (
        interactions.filter(pl.col("assignment").is_not_null())
        .group_by("assignment", "learner")
        .agg(done=pl.col("item_id").n_unique())
        .group_by("assignment")
        .agg(tasks=pl.col("done").quantile(0.9, interpolation="higher"), learners=pl.len())
        .filter(pl.col("learners") >= 3)
        .select("assignment", "tasks")
        .sort("assignment")
        .collect(engine="streaming")
    )


def compute_signals(  # noqa: PLR0913 - the five inputs of the stage, and by name what reads them
    interactions: pl.LazyFrame,
    item_bank: pl.DataFrame,
    mastery: pl.DataFrame | pl.LazyFrame,
    students: pl.DataFrame | pl.LazyFrame,
    recommendations_before: pl.DataFrame | pl.LazyFrame | None,
    *,
    as_of: date,
    settings: PolicySettings,
    session_gap_minutes: int,
    interval: float,
    assignments: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Signals of every learner x skill active in the window that ends with `as_of`.

    Args:
        interactions: `ANONYMISED_INTERACTIONS`, any order; days after `as_of` or before the history are not read.
        item_bank: `ITEM_BANK` of one day.
        mastery: `SKILL_MASTERY` of one day.
        students: `STUDENT_MODELS` of one day.
        recommendations_before: `RECOMMENDATIONS` of any days; of each learner x skill the last one before `as_of`
            and within the history counts, so that making the same day again sees the same past. None: there were none.
        as_of: Everything to the end of this UTC day is known.
        settings: Windows and thresholds.
        session_gap_minutes: `FeatureSettings.session_gap_minutes`.
        interval: Nominal cover of the bands of mastery, `StudentSettings.interval`.
        assignments: `assignment_sizes` of all learners, for completion. None: completion is null.

    Returns:
        `SIGNALS`, ordered by learner, subject, skill.
    """
    events = _events(interactions, item_bank, students, as_of, settings, session_gap_minutes)
    by_skill = _by_skill(events.lazy(), as_of, settings)
    before = _last_before(recommendations_before, as_of, settings)
    rows = (
        _practice(by_skill.lazy(), as_of, settings)
        .join(_latest(by_skill), on=SKILL_KEYS, how="left")
        .join(last_session(events.lazy(), as_of=as_of, settings=settings), on="learner", how="left")
        .join(streaks(events.lazy(), as_of=as_of), on="learner", how="left")
        .join(_completion(events.lazy(), assignments), on="learner", how="left")
    )
    rows = rows.join(students.lazy().select("learner", "ability"), on="learner", how="left")
    rows = add_previous(rows, by_skill.lazy(), before.lazy(), settings)
    rows = add_level(add_model_answers(rows, mastery.lazy(), interval), settings).collect().lazy()
    rows = add_level_history(rows, by_skill.lazy(), as_of, settings)
    signals = rows.join(
        _items_around(item_bank.lazy(), settings.most_levels), on=["subject", "skill_id", "current_level"], how="left"
    ).collect()
    return (
        signals.with_columns(
            pl.lit(as_of).alias("day"),
            pl.col("latest").fill_null(value=False),
            pl.col("items_below", "items_above").fill_null(0).cast(pl.Int32),
        )
        .sort(SKILL_KEYS)
        .select(pl.col(name).cast(dtype) for name, dtype in SIGNALS.schema.items())
    )


def _events(
    interactions: pl.LazyFrame,
    item_bank: pl.DataFrame,
    students: pl.DataFrame | pl.LazyFrame,
    as_of: date,
    settings: PolicySettings,
    session_gap_minutes: int,
) -> pl.DataFrame:
    """Events of the history in order, with level, difficulty, expected success and typical time of their items.

    Expected success is that of the one-parameter model, expit(ability − difficulty); the learner's ability of today
    serves for all days, since only differences between a learner's own periods are taken.
    """
    first = as_of - timedelta(days=settings.history_days - 1)
    window = interactions.filter(pl.col("day").is_between(first, as_of))
    bank = item_bank.lazy().select("item_id", "subject", "difficulty", "typical_time_s", item_level="level")
    ability = students.lazy().select("learner", "ability")
    logit = pl.col("ability").fill_null(0.0) - pl.col("difficulty")
    return (
        timeline(window, session_gap_minutes=session_gap_minutes)
        .join(bank, on=["item_id", "subject"], how="left", maintain_order="left")
        .join(ability, on="learner", how="left", maintain_order="left")
        .with_columns(expected=1 / (1 + (-logit).exp()))
        .collect()
    )


def _by_skill(events: pl.LazyFrame, as_of: date, settings: PolicySettings) -> pl.DataFrame:
    """One row an event and skill, in order, of the skills that the learner practised in the active window."""
    active_from = as_of - timedelta(days=settings.active_days - 1)
    exploded = events.explode("skill_ids", keep_nulls=False).rename({"skill_ids": "skill_id"})
    active = exploded.filter(pl.col("day") >= active_from).select(SKILL_KEYS).unique()
    return exploded.join(active, on=SKILL_KEYS, how="semi", maintain_order="left").collect()


def _last_before(
    recommendations: pl.DataFrame | pl.LazyFrame | None, as_of: date, settings: PolicySettings
) -> pl.DataFrame:
    """The last recommendation of each learner x skill before this day.

    What is older than the history is forgotten. A break is passed over: it says nothing of the skill.
    """
    if recommendations is None:
        return pl.DataFrame(schema=_BEFORE)
    history = pl.col("day").is_between(as_of - timedelta(days=settings.history_days), as_of, closed="left")
    lasting = ~pl.col("passes").fill_null(value=False)
    rows = recommendations.lazy().filter(history & lasting).select(*SKILL_KEYS, *_PREVIOUS.values())
    last = rows.group_by(SKILL_KEYS).agg(pl.col("day").max())
    return (
        rows.join(last, on=[*SKILL_KEYS, "day"])  # a learner x skill has one recommendation a day
        .rename({theirs: ours for ours, theirs in _PREVIOUS.items()})
        .with_columns(pl.coalesce("decided_on", "previous_day").alias("decided_on"))
        .select(*_BEFORE)
        .collect()
    )


_PREVIOUS: Final = {
    "previous_day": "day",
    "previous_kind": "kind",
    "previous_plan": "plan",
    "previous_current_level": "current_level",
    "previous_level": "recommended_level",
    "previous_rule": "policy_rule",
    "previous_policy_level": "policy_level",
    "previous_priority": "policy_priority",
    "decided_on": "decided_on",
    "previous_level_since": "level_since",
}
_BEFORE: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    **dict.fromkeys(SKILL_KEYS, pl.String),
    **{ours: RECOMMENDATIONS.schema[theirs] for ours, theirs in _PREVIOUS.items()},
}


def _practice(by_skill: pl.LazyFrame, as_of: date, settings: PolicySettings) -> pl.LazyFrame:
    """Accuracy, time, hints, pace and trends of each learner x skill."""
    recent = settings.recent_events
    active_from = as_of - timedelta(days=settings.active_days - 1)
    response_s, pause_s = (
        pl.col("response_time_ms").tail(recent).median() / 1000,
        pl.col("pause_s").tail(recent).median(),
    )
    active = pl.col("day") >= active_from
    span = (pl.lit(as_of) - pl.col("day").filter(active).min()).dt.total_days() + 1
    return (
        _add_periods(by_skill, settings)
        .group_by(SKILL_KEYS)
        .agg(
            shard=pl.col("shard").first(),
            last_practised_on=pl.col("day").last(),
            attempts=pl.len(),
            recent_attempts=pl.col("correct").tail(recent).len(),
            recent_successes=pl.col("correct").tail(recent).sum(),
            recent_accuracy=pl.col("correct").tail(recent).mean(),
            overall_accuracy=pl.col("correct").mean(),
            time_per_task_s=pl.coalesce(response_s, pause_s),
            time_source=pl.when(response_s.is_not_null())
            .then(pl.lit("response"))
            .when(pause_s.is_not_null())
            .then(pl.lit("gap")),
            hint_rate=(pl.col("hint_count").tail(recent) > 0).mean(),
            pace=active.sum() / span,
            recent_items=pl.col("item_id").tail(recent).unique().sort(),
            practised_level=(pl.col("item_level").tail(recent).median() + 0.5).floor(),
            **_trends(settings),
        )
    )


_OF_TRENDS: Final = ("correct", "residual")


def _add_periods(by_skill: pl.LazyFrame, settings: PolicySettings) -> pl.LazyFrame:
    """Add what trends compare, null outside its period: `_late_…` of the last days of practice, `_early_…` before."""
    age = (pl.col("day").last().over(SKILL_KEYS) - pl.col("day")).dt.total_days()
    correct = pl.col("correct").cast(pl.Float64)
    value = {"correct": correct, "residual": correct - pl.col("expected")}
    late, early = age < settings.trend_late_days, age.is_between(settings.trend_late_days, settings.trend_days - 1)
    return by_skill.with_columns(
        **{f"_late_{name}": pl.when(late).then(value[name]) for name in _OF_TRENDS},
        **{f"_early_{name}": pl.when(early).then(value[name]) for name in _OF_TRENDS},
    )


def _trends(settings: PolicySettings) -> dict[str, pl.Expr]:
    """Last days of the week of practice against the days before; null where either side has too few answers."""
    least = pl.min_horizontal(pl.col("_late_correct").count(), pl.col("_early_correct").count())

    def difference(name: str) -> pl.Expr:
        change = pl.col(f"_late_{name}").mean() - pl.col(f"_early_{name}").mean()
        return pl.when(least >= settings.trend_events).then(change)

    return {"accuracy_trend": difference("correct"), "ability_trend": difference("residual")}


def _latest(by_skill: pl.DataFrame) -> pl.LazyFrame:
    """The skill of each learner's last event; of several skills of one event the first by name."""
    return (
        by_skill.lazy()
        .filter(pl.col("day") == pl.col("day").max().over("learner"))
        .filter(pl.col("sequence") == pl.col("sequence").max().over("learner"))
        .group_by("learner")
        .agg(pl.col("subject", "skill_id").sort_by("subject", "skill_id").first())
        .with_columns(latest=pl.lit(value=True))
    )


def _completion(events: pl.LazyFrame, assignments: pl.DataFrame | None) -> pl.LazyFrame:
    sizes = pl.DataFrame(schema={"assignment": pl.String, "tasks": pl.Float64}) if assignments is None else assignments
    return (
        events.filter(pl.col("assignment").is_not_null())
        .group_by("learner", "assignment")
        .agg(done=pl.col("item_id").n_unique())
        .join(sizes.lazy(), on="assignment")
        .group_by("learner")
        # A sum of floats depends on its order in the last bit, and equal inputs must give equal bytes.
        .agg(completion=(pl.col("done") / pl.col("tasks")).clip(upper_bound=1.0).mean().round(9))
    )


def _items_around(item_bank: pl.LazyFrame, reach: int) -> pl.LazyFrame:
    """Items of a skill below each level, as far as a move goes, and one above, as items_below and items_above."""
    counted = (
        item_bank.explode("skill_ids", keep_nulls=False)
        .group_by("subject", pl.col("skill_ids").alias("skill_id"), "level")
        .agg(items=pl.len())
    )
    sides = [
        counted.select(
            "subject",
            "skill_id",
            current_level=(pl.col("level") + shift).cast(pl.Int8),
            items_below=pl.when(shift > 0).then("items").otherwise(0),
            items_above=pl.when(shift < 0).then("items").otherwise(0),
        )
        for shift in (-1, *range(1, reach + 1))
    ]
    return (
        pl.concat(sides)
        .filter(pl.col("current_level").is_between(1, LEVEL_COUNT))
        .group_by("subject", "skill_id", "current_level")
        .agg(pl.col("items_below", "items_above").sum())
    )
