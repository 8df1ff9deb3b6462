"""Signals of a shard from what the lake holds, in bounded memory. Belongs here: who is read when; no signal is defined.

A learner's signals depend on nobody else's answers, so learners are taken block by block. Only who was active
lately has signals: of the others neither answers nor student models are read.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.adaptive.signals.signals import assignment_sizes, compute_signals
from aivo_assets.lake import Lake, Staged
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.students.model_store import mastery_in_force, students_in_force
from aivo_assets.tracing.students.state_update import cut


@dataclass(frozen=True)
class SignalsTask:
    """What the work on every shard has in common.

    Attributes:
        lake: Where answers, student models and earlier recommendations are.
        item_bank: `ITEM_BANK` of one day.
        assignments: What `assignments_of` returns.
        day: Everything to the end of this UTC day is known.
        settings: Windows and thresholds.
    """

    lake: Lake
    item_bank: pl.DataFrame
    assignments: pl.DataFrame
    day: date
    settings: Settings


def stage_signals(task: SignalsTask, shard: int) -> tuple[Staged, int]:
    """Stage `SIGNALS` of a shard; also says of how many learners they are."""
    signals = signals_of(task.lake, shard, task.item_bank, task.assignments, day=task.day, settings=task.settings)
    return task.lake.stage(SIGNALS, signals, day=task.day, shard=shard), signals["learner"].n_unique()


def history(day: date, settings: Settings) -> list[date]:
    """The days that signals look back on."""
    return [day - timedelta(days=back) for back in range(settings.policy.history_days)]


def assignments_of(lake: Lake, *, day: date, settings: Settings) -> pl.DataFrame:
    """`assignment_sizes` of the answers of all learners in the history."""
    return assignment_sizes(lake.scan(ANONYMISED_INTERACTIONS, days=history(day, settings)))


def signals_of(
    lake: Lake, shard: int, item_bank: pl.DataFrame, assignments: pl.DataFrame, *, day: date, settings: Settings
) -> pl.DataFrame:
    """`SIGNALS` of the learners of a shard, ordered by learner, subject, skill.

    Args:
        lake: Where answers, student models and earlier recommendations are.
        shard: Which.
        item_bank: `ITEM_BANK` of one day.
        assignments: What `assignments_of` returns.
        day: Everything to the end of this UTC day is known.
        settings: Windows and thresholds; learners are taken together up to `students.events_at_once` answers.
    """
    days = history(day, settings)
    answers = lake.scan(ANONYMISED_INTERACTIONS, days=days, shards=[shard])
    active_from = day - timedelta(days=settings.policy.active_days - 1)
    counted = (
        answers.group_by("learner")
        .agg(pl.len(), last=pl.col("day").max())
        .filter(pl.col("last") >= active_from)
        .select("learner", "len")
        .collect(engine="streaming")
        .sort("learner")
    )
    made = [SIGNALS.empty()]
    for first, last in cut(counted, settings.students.events_at_once):
        within = pl.col("learner").is_between(pl.lit(first), pl.lit(last))
        theirs = within & pl.col("learner").is_in(counted.filter(within)["learner"].implode())
        made.append(
            compute_signals(
                answers.filter(theirs),
                item_bank,
                mastery_in_force(lake, until=day, shards=[shard]).filter(theirs).collect(),
                students_in_force(lake, until=day, shards=[shard]).filter(theirs).collect(),
                lake.scan(RECOMMENDATIONS, days=days, shards=[shard]).filter(theirs),
                as_of=day,
                settings=settings.policy,
                session_gap_minutes=settings.features.session_gap_minutes,
                interval=settings.students.interval,
                assignments=assignments,
            )
        )
    return pl.concat(made)
