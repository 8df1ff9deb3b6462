"""All that the platform knows of one learner, gathered from the lake. Belongs here: finding and reading; no words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.errors import LakeError, ModelError
from aivo_assets.lake import Lake
from aivo_assets.lake.newest import newest_filled
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.tracing.fold.schema import STUDENT_MODELS
from aivo_assets.tracing.students.model_store import mastery_in_force, students_in_force

SHORTEST_BEGINNING = 6  # hex characters of a pseudonym; fewer are as good as a guess


@dataclass(frozen=True)
class StudentView:
    """One learner.

    Attributes:
        learner: The pseudonym.
        student: Their row of STUDENT_MODELS in force.
        skills: Their rows of SKILL_MASTERY in force, by subject and mastery.
        history: day, ability, ability_lower, ability_upper of every day on which their model was made, ascending.
        peers: Abilities of all learners with events, Float64.
        recommendations: The newest ones, by rank; of no rows where nobody recommended anything.
        events: Their last answers, the newest first: day, occurred_at, sequence, item_id, subject, skill_ids, correct,
            response_time_ms, hint_count.
        words: What teachers said of them, as `words_given` tells it.
    """

    learner: str
    student: dict[str, Any]
    skills: pl.DataFrame
    history: pl.DataFrame
    peers: pl.Series
    recommendations: pl.DataFrame
    events: pl.DataFrame
    words: Sequence[Mapping[str, Any]] = ()


def find_learner(lake: Lake, named: str) -> str:
    """The learner whose pseudonym is, or begins with, what was named.

    Raises:
        ModelError: There are no student models.
        LakeError: Nobody is meant, or several are.
    """
    newest = _newest_day(lake)
    everybody = students_in_force(lake, until=newest).select("learner")
    learners = everybody.filter(pl.col("learner").str.starts_with(named)).unique().sort("learner").collect()["learner"]
    if named in learners:
        return named
    if len(named) < SHORTEST_BEGINNING or learners.is_empty():
        raise LakeError(f"No learner {named!r} has a student model as of {newest}", fix=_hint(lake, named))
    if len(learners) > 1:
        raise LakeError(
            f"{len(learners)} learners begin with {named!r}, the first {learners[0]}", fix="Give more of the pseudonym."
        )
    return str(learners[0])


def view_student(lake: Lake, learner: str, *, events: int) -> StudentView:
    """Read everything of a learner.

    Args:
        lake: Where it lies.
        learner: A pseudonym that `find_learner` gave.
        events: How many of the last answers.

    Raises:
        ModelError: There are no student models.
        LakeError: This learner has none.
    """
    newest = _newest_day(lake)
    shard = pl.DataFrame({"learner": [learner]}).select(shard_of(pl.col("learner"), lake.shards)).item()
    of_learner = pl.col("learner") == learner
    students = students_in_force(lake, until=newest, shards=[shard]).filter(of_learner).collect()
    if students.is_empty():
        raise LakeError(f"No learner {learner!r} has a student model as of {newest}", fix=_hint(lake, learner))
    skills = mastery_in_force(lake, until=newest, shards=[shard]).filter(of_learner).collect()
    days = ("day", "ability", "ability_lower", "ability_upper")
    peers = students_in_force(lake, until=newest).filter(pl.col("events") > 0).select("ability").collect()
    answers = (
        lake.scan(ANONYMISED_INTERACTIONS, shards=[shard])
        .filter(of_learner)
        .select(
            "day", "occurred_at", "sequence", "item_id", "subject", "skill_ids", "correct", "response_time_ms",
            "hint_count",
        )
        .sort("day", "sequence", descending=True)
        .head(events)
    )  # fmt: skip
    return StudentView(
        learner=learner,
        student=students.row(0, named=True),
        skills=skills.sort("subject", "mastery", "skill_id"),
        history=lake.scan(STUDENT_MODELS, shards=[shard]).filter(of_learner).select(days).sort("day").collect(),
        peers=peers["ability"],
        recommendations=_recommendations(lake, learner, shard),
        events=answers.collect(),
    )


def _recommendations(lake: Lake, learner: str, shard: int) -> pl.DataFrame:
    """The newest day's that name the learner."""
    given = lake.scan(RECOMMENDATIONS, shards=[shard]).filter(pl.col("learner") == learner)
    return given.filter(pl.col("day") == pl.col("day").max()).sort("rank").collect()


def _newest_day(lake: Lake) -> date:
    day = newest_filled(lake, STUDENT_MODELS)
    if day is None:
        raise ModelError(
            f"There are no student models in {lake.root} yet",
            fix="Make them: `aivo demo`, or `aivo run` on your own answers; they need a promoted main brain.",
        )
    return day


def _hint(lake: Lake, named: str) -> str:
    enrolled = lake.scan(ANONYMISED_LEARNERS).filter(pl.col("learner") == named).select("learner").collect()
    if enrolled.height:
        return "The learner is enrolled; the next student models, made within two hours, will have the learner."
    return (
        "Give a pseudonym as the lake has it (32 hex characters, or its first "
        f"{SHORTEST_BEGINNING} or more); for an identifier as the source has it, add --raw."
    )
