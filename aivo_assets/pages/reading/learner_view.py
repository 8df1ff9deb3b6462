"""One learner, as teachers, parents and the learner see them. Belongs here: reading their rows; pure.

Every read is of the learner's shard alone and of the newest days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from aivo_assets.adaptive.schema import OUTCOMES
from aivo_assets.lake import Lake
from aivo_assets.lake.shards import shard_of
from aivo_assets.pages.reading.class_view import advice_of
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.students.model_store import mastery_in_force

WEEKS: Final = 5
DAYS_OF_HISTORY: Final = 60
MOST_OUTCOMES: Final = 20
LAST_ANSWERS: Final = 20


@dataclass(frozen=True)
class Week:
    """Seven days of a learner's work, the last of them the newest day.

    Attributes:
        last: Its last day.
        answers: Exercises answered.
        right: Of them right.
        days: Days with at least one answer.
    """

    last: date
    answers: int
    right: int
    days: int


@dataclass(frozen=True)
class LearnerView:
    """A learner on the newest day.

    Attributes:
        learner: The pseudonym.
        day: Day up to whose end everything is known; None where nothing was recommended yet.
        advice: Rows of `RECOMMENDATIONS` with the signals behind them, by rank.
        skills: subject, skill_id, opportunities, wins, mastery, mastery_lower, mastery_upper, level,
            success_at_level, last_practised_at; by subject and mastery.
        ability: day, value, lower, upper: the chance of success on an average exercise, ascending by day.
        mastery: day, subject, skill_id, value, lower, upper of every day on which the models were made, ascending.
        weeks: The newest first; those before the learner's first answer are left out.
        outcomes: Rows of `OUTCOMES`, the newest first.
        answers: The last ones: day, item_id, subject, skill_ids, correct, occurred_at; the newest first.
    """

    learner: str
    day: date | None
    advice: tuple[dict[str, Any], ...]
    skills: pl.DataFrame
    ability: pl.DataFrame
    mastery: pl.DataFrame
    weeks: tuple[Week, ...]
    outcomes: tuple[dict[str, Any], ...]
    answers: tuple[dict[str, Any], ...]

    @property
    def known(self) -> bool:
        """Whether the platform knows anything of the learner."""
        return bool(self.advice) or not self.skills.is_empty()


def read_learner(lake: Lake, learner: str, *, day: date | None, newest_answer: date | None) -> LearnerView:
    """Read what is known of a learner.

    Args:
        lake: Where it is.
        learner: The pseudonym.
        day: The newest day with recommendations.
        newest_answer: The newest day with answers.
    """
    member = pl.DataFrame({"learner": [learner]}).with_columns(shard_of(pl.col("learner"), lake.shards))
    shards = [int(member["shard"][0])]
    of_learner = pl.col("learner") == learner
    advice = () if day is None else tuple(advice_of(lake, member, day).to_dicts())
    answers = _answers(lake, of_learner, shards, newest_answer)
    history = lake.newest_days(STUDENT_MODELS, DAYS_OF_HISTORY)
    models = lake.scan(STUDENT_MODELS, days=history, shards=shards).filter(of_learner)
    mastery = lake.scan(SKILL_MASTERY, days=history, shards=shards).filter(of_learner, pl.col("opportunities") > 0)
    outcomes = lake.scan(OUTCOMES, days=lake.newest_days(OUTCOMES, 1), shards=shards).filter(of_learner)
    return LearnerView(
        learner=learner,
        day=day,
        advice=advice,
        skills=_skills(lake, of_learner, shards, history[-1:] and history[-1]),
        ability=models.select("day", **_chances()).sort("day").collect(),
        mastery=mastery.select(
            "day", "subject", "skill_id", value="mastery", lower="mastery_lower", upper="mastery_upper"
        ).sort("day").collect(),
        weeks=_weeks(answers, newest_answer),
        outcomes=tuple(outcomes.sort("judged_on", descending=True).head(MOST_OUTCOMES).collect().to_dicts()),
        answers=tuple(answers.head(LAST_ANSWERS).to_dicts()),
    )  # fmt: skip


def _chances() -> dict[str, pl.Expr]:
    """Ability with its band as the chance of success on an exercise of average difficulty."""
    names = {"value": "ability", "lower": "ability_lower", "upper": "ability_upper"}
    return {name: 1 / (1 + (-pl.col(column)).exp()) for name, column in names.items()}


def _skills(lake: Lake, of_learner: pl.Expr, shards: Sequence[int], until: date | Any) -> pl.DataFrame:
    columns = [
        "subject", "skill_id", "opportunities", "wins", "mastery", "mastery_lower", "mastery_upper", "level",
        "success_at_level", "last_practised_at",
    ]  # fmt: skip
    if not isinstance(until, date):
        return SKILL_MASTERY.empty().select(columns)
    rows = mastery_in_force(lake, until=until, shards=shards).filter(of_learner, pl.col("opportunities") > 0)
    return rows.select(columns).sort("subject", "mastery", "skill_id").collect()


def _answers(lake: Lake, of_learner: pl.Expr, shards: Sequence[int], newest: date | None) -> pl.DataFrame:
    days = [] if newest is None else [newest - timedelta(days=back) for back in range(7 * WEEKS)]
    columns = ["day", "sequence", "occurred_at", "item_id", "subject", "skill_ids", "correct"]
    scan = lake.scan(ANONYMISED_INTERACTIONS, days=days, shards=shards).filter(of_learner).select(columns)
    return scan.sort("day", "sequence", descending=True).collect()


def _weeks(answers: pl.DataFrame, newest: date | None) -> tuple[Week, ...]:
    if newest is None:
        return ()
    back = ((pl.lit(newest) - pl.col("day")).dt.total_days() // 7).alias("back")
    counted = answers.group_by(back).agg(
        answers=pl.len(), right=pl.col("correct").cast(pl.Int64).sum(), days=pl.col("day").n_unique()
    )
    by_week = {row[0]: row[1:] for row in counted.iter_rows()}
    oldest = max(by_week, default=-1)
    return tuple(
        Week(newest - timedelta(days=7 * number), *by_week.get(number, (0, 0, 0))) for number in range(oldest + 1)
    )
