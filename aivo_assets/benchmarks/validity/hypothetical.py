"""Counterfactuals put to the test. Belongs here: giving a learner the answers that one names, and deciding again.

A counterfactual is made by changing signals. Here the answers themselves are added to the learner's own, and all is
made again by the code that makes it every two hours: fold, student model, signals, policy. Days and rests pass by the
clock.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

import polars as pl

from aivo_assets.adaptive.advice.counterfactual import WAYS
from aivo_assets.adaptive.schema import SKILL_KEYS
from aivo_assets.settings import PolicySettings

PAUSE_S: Final = 3600  # before the added answers: they are a session of their own
SECONDS_EACH: Final = 40  # between them
TRIED: Final = {
    "learner": pl.String,
    "day": pl.Date,
    "kind": pl.String,
    "way": pl.String,
    "number": pl.Int32,
    "named": pl.String,
    "came": pl.String,
}

Decide = Callable[[pl.DataFrame, date, pl.Series], pl.DataFrame]


def try_out(
    decided: pl.DataFrame,
    events: pl.DataFrame,
    bank: pl.DataFrame,
    decide: Decide,
    *,
    as_of: date,
    most: int,
    settings: PolicySettings,
) -> pl.DataFrame:
    """Do what counterfactuals name, and see what is said then.

    Args:
        decided: Rows of the day with current_level, kind and, for each way, cf_<way> and cf_<way>_kind.
        events: All events of these learners up to the day, columns of ANONYMISED_INTERACTIONS.
        bank: `ITEM_BANK`.
        decide: From further events, an as-of day and learners to rows with learner, subject, skill_id and kind.
        as_of: The day.
        most: Rows tried of each way, one a learner, the first by a hash.
        settings: Level tolerance.

    Returns:
        One row a counterfactual: learner, day, kind (as it was), way, number, named (the kind that it names), came (the
        kind that was said then). Answers for which the bank has not enough items at the level are left out.
    """
    parts = [pl.DataFrame(schema=TRIED)]
    for way in WAYS:
        chosen = _chosen(decided, way, most)
        for asked, added, day in _worlds(chosen, way, events, bank, as_of, settings):
            again = decide(added, day, asked["learner"]).select(*SKILL_KEYS, came="kind")
            joined = asked.join(again, on=SKILL_KEYS, how="left").with_columns(day=pl.lit(as_of), way=pl.lit(way))
            parts.append(joined.select(pl.col(name).cast(dtype) for name, dtype in TRIED.items()))
    return pl.concat(parts)


def _chosen(decided: pl.DataFrame, way: str, most: int) -> pl.DataFrame:
    """Rows that have a counterfactual of this way, one a learner: SKILL_KEYS, current_level, kind, number, named."""
    return (
        decided.filter(pl.col(f"cf_{way}").is_not_null())
        .with_columns(_place=pl.struct(SKILL_KEYS).hash(seed=0))
        .sort("_place")
        .unique("learner", keep="first", maintain_order=True)
        .head(most)
        .select(*SKILL_KEYS, "current_level", "kind", number=f"cf_{way}", named=f"cf_{way}_kind")
    )


def _worlds(
    chosen: pl.DataFrame, way: str, events: pl.DataFrame, bank: pl.DataFrame, as_of: date, settings: PolicySettings
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, date]]:
    """Rows that can be tried together, the events to be added, and the as-of day."""
    if chosen.is_empty():
        return
    if way == "rest":
        yield chosen, events.clear(), as_of + timedelta(days=1)
    else:
        added = added_answers(chosen, events, bank, as_of, right=way == "right", tolerance=settings.level_tolerance)
        enough = added.group_by("learner").len().join(chosen.select("learner", "number"), on="learner")
        complete = enough.filter(pl.col("len") == pl.col("number")).select("learner")
        if complete.height:
            yield chosen.join(complete, on="learner", how="semi"), added.join(complete, on="learner", how="semi"), as_of


def added_answers(
    chosen: pl.DataFrame, events: pl.DataFrame, bank: pl.DataFrame, as_of: date, *, right: bool, tolerance: int
) -> pl.DataFrame:
    """So many answers of each learner on the skill, to items of the level or as near as tolerated, new ones first.

    Args:
        chosen: learner, subject, skill_id, current_level, number.
        events: All of the learners'.
        bank: `ITEM_BANK`.
        as_of: The day on which they are given, after all else.
        right: Whether they are right.
        tolerance: Levels beside the current one that count as it.

    Returns:
        Columns of `events`, fewer answers of a learner for whom the bank has not enough items.
    """
    last = (
        events.join(chosen.select("learner"), on="learner", how="semi")
        .sort("day", "sequence")
        .group_by("learner")
        .agg(pl.col("shard", "day", "occurred_at", "sequence").last())
    )
    items = _items_to_answer(chosen, events, bank, tolerance).join(last, on="learner")
    same_day, first = pl.col("day") == as_of, pl.col("_place") == 0
    made = items.with_columns(
        event=pl.format("hypothetical {} {}", "learner", "_place"),
        occurred_at=(_begin(as_of) + pl.duration(seconds=pl.col("_place") * SECONDS_EACH)).dt.truncate("1m"),
        sequence=pl.when(same_day).then(pl.col("sequence") + 1).otherwise(0) + pl.col("_place"),
        gap_s=pl.when(~first).then(SECONDS_EACH).otherwise(pl.when(same_day).then(PAUSE_S)),
        day=pl.lit(as_of),
        correct=pl.lit(int(right)),
        **_as_recorded(events),
    )
    absent = {name: pl.lit(None, dtype) for name, dtype in events.schema.items() if name not in made.columns}
    return made.with_columns(**absent).select(pl.col(name).cast(dtype) for name, dtype in events.schema.items())


def _items_to_answer(chosen: pl.DataFrame, events: pl.DataFrame, bank: pl.DataFrame, tolerance: int) -> pl.DataFrame:
    """Rows of `chosen` with an item each, `_place` from 0 in the order in which they are answered."""
    seen = events.select("learner", "item_id", _seen=pl.lit(value=True)).unique()
    away = (pl.col("level").cast(pl.Int16) - pl.col("current_level")).abs()
    return (
        bank.select("item_id", "subject", "skill_ids", "level", "events", "typical_time_s")
        .with_columns(skill_id=pl.col("skill_ids"))
        .explode("skill_id", keep_nulls=False)
        .join(chosen, on=["subject", "skill_id"])
        .filter(away <= tolerance)
        .join(seen, on=["learner", "item_id"], how="left")
        .sort(pl.col("_seen").fill_null(value=False), away, -pl.col("events"), "item_id")
        .with_columns(_place=pl.int_range(pl.len()).over("learner"))
        .filter(pl.col("_place") < pl.col("number"))
    )


def _begin(as_of: date) -> pl.Expr:
    """When the first is given: a pause after the day's last answer, which `day` and `occurred_at` tell, or at noon."""
    latest = _noon(as_of).dt.offset_by("11h")  # an evening's answers stay within the day
    after = pl.min_horizontal(pl.col("occurred_at").dt.offset_by(f"{PAUSE_S}s"), latest)
    return pl.when(pl.col("day") == as_of).then(pl.max_horizontal("occurred_at", after)).otherwise(_noon(as_of))


def _as_recorded(events: pl.DataFrame) -> dict[str, pl.Expr]:
    """What a first try without hints, in the usual time, leaves in a log that records such things."""
    known = {name for name in ("response_time_ms", "hint_count", "attempt_number") if events[name].is_not_null().any()}
    usual = (pl.col("typical_time_s") * 1000).cast(pl.Int64)
    assumed = {"response_time_ms": usual, "hint_count": pl.lit(0), "attempt_number": pl.lit(1)}
    return {name: value for name, value in assumed.items() if name in known}


def _noon(day: date) -> pl.Expr:
    return pl.lit(day).cast(pl.Datetime("us", "UTC")).dt.offset_by("12h")
