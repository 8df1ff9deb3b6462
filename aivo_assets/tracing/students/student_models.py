"""Student models: the main brain made personal, for all learners at once. Not here: what a learner should do next.

Ability and mastery are the filter's, read through `query`, so that they are those which the main brain sees. Levels are
the main brain's answer to "and if this learner met an exercise of this level now?". At which of them a learner is to
work, and on which plan, is given: it was recommended, or a teacher said so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.errors import ModelError
from aivo_assets.settings import FeatureSettings, StudentSettings
from aivo_assets.tracing.fold.features import query
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS, FeatureTable
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.fold.statistics import Statistics
from aivo_assets.tracing.students.intervals import Intervals
from aivo_assets.tracing.students.mastery import half_width, non_increasing, success, unmoderated

Predict = Callable[[FeatureTable], npt.NDArray[np.float64]]
LEVELS_PER_SUBJECT = 10
PLANS: dict[str, pl.DataType | type[pl.DataType]] = {
    "learner": pl.String,
    "subject": pl.String,
    "skill_id": pl.String,
    "level": pl.Int8,
    "plan": pl.String,
}
"""Columns of the levels and plans in force: one row a learner x skill."""
_OF_LOGIT = ("logit", "logit_sd", "item_difficulty", "item_difficulty_sd", "skill_difficulty")


@dataclass(frozen=True)
class StudentModels:
    """All student models of a day.

    Attributes:
        learners: STUDENT_MODELS, ascending by learner.
        skills: SKILL_MASTERY, ascending by learner, subject, skill_id.
    """

    learners: pl.DataFrame
    skills: pl.DataFrame


@dataclass(frozen=True)
class Brain:
    """The champion, as far as student models need it.

    Attributes:
        predict: Features to P(right), float64 [n].
        statistics: Those that its features and the states are made with.
        fold_settings: Likewise.
        version: Its version in the registry.
        intervals: What makes the bands of ability and mastery honest; the default leaves the filter's own.
    """

    predict: Predict
    statistics: Statistics
    fold_settings: FeatureSettings
    version: str
    intervals: Intervals = field(default_factory=Intervals)


@dataclass(frozen=True)
class ModelsAsOf:
    """Builds student models as of one instant; called with states, and learner and shard of learners without any.

    Attributes:
        brain: The champion.
        levels: As for `build_student_models`.
        as_of: As for `build_student_models`.
        settings: As for `build_student_models`.
        day: As for `build_student_models`.
        plans: As for `build_student_models`.
    """

    brain: Brain
    levels: pl.DataFrame
    as_of: datetime
    settings: StudentSettings
    day: date
    plans: pl.DataFrame | None = None

    def __call__(self, states: LearnerStates, strangers: pl.DataFrame) -> StudentModels:
        """Build the models of these learners."""
        return build_student_models(
            states,
            self.brain,
            self.levels,
            self.as_of,
            self.settings,
            day=self.day,
            learners=strangers,
            plans=self.plans,
        )


@dataclass(frozen=True)
class _Question:
    brain: Brain
    levels: pl.DataFrame
    as_of: datetime
    settings: StudentSettings


def active_learners(states: LearnerStates, as_of: datetime, settings: StudentSettings) -> pl.Series:
    """Learners with an event in the last `active_days` before `as_of`, ascending."""
    since = pl.lit(as_of).dt.offset_by(f"-{settings.active_days}d")
    return states.learners.filter(pl.col("last_event_at") >= since)["learner"]


def build_student_models(
    states: LearnerStates,
    brain: Brain,
    levels: pl.DataFrame,
    as_of: datetime,
    settings: StudentSettings,
    *,
    day: date,
    learners: pl.DataFrame | None = None,
    plans: pl.DataFrame | None = None,
) -> StudentModels:
    """Build the student models of all learners of the states, and of those without events.

    Args:
        states: Of the learners to build for (`states.of(active_learners(…))` for the active ones).
        brain: The champion.
        levels: subject, level 1 … 10, difficulty (logit): an exercise of the level.
        as_of: The instant at which the next exercise would be met; uncertainty grows until then.
        settings: Cover of the bands, size of a chunk, skills of a learner without events.
        day: Partition that the rows belong to.
        learners: learner, shard of all learners; who has no state gets the main brain's answer for a learner of whom
            nothing is known, on each subject's most practised skills.
        plans: `PLANS` in force, of whoever has any. None: nothing is in force.

    Raises:
        ModelError: A subject has no levels, or the states are of another fold version.
    """
    ask = _Question(brain, levels, as_of, settings)
    pairs = states.skills.select("learner", "shard", "subject", "skill_id", "events", "wins", "last_event_at")
    _refuse_missing_levels(pairs, ask)
    answers = [_answers(part, chunk, ask) for part, chunk in _chunks(states, pairs, settings.rows_at_once)]
    strangers = _strangers(states, learners)
    if strangers.height or not answers:
        answers.append(_without_events(strangers, ask))
    answered = pl.concat(answers)
    stamped = answered.with_columns(day=pl.lit(day), model_version=pl.lit(brain.version))
    planned = _with_plans(stamped, pl.DataFrame(schema=PLANS) if plans is None else plans)
    skills = planned.select(list(SKILL_MASTERY.schema)).cast(dict(SKILL_MASTERY.schema))  # type: ignore[arg-type]
    return StudentModels(
        learners=_learners(stamped, states).sort("learner"),
        skills=skills.sort("learner", "subject", "skill_id"),
    )


def _with_plans(answered: pl.DataFrame, plans: pl.DataFrame) -> pl.DataFrame:
    """Add level, plan and success_at_level."""
    rows = answered.join(plans.select(list(PLANS)), on=["learner", "subject", "skill_id"], how="left")
    return rows.with_columns(success_at_level=pl.col("level_probabilities").list.get(pl.col("level") - 1))


def _refuse_missing_levels(pairs: pl.DataFrame, ask: _Question) -> None:
    counted = ask.levels.group_by("subject").agg(pl.col("level").sort())
    whole = counted.filter(pl.col("level").cast(pl.List(pl.Int64)) == list(range(1, LEVELS_PER_SUBJECT + 1)))
    wanted = pl.concat([pairs["subject"], ask.brain.statistics.skills["subject"]]).unique().sort()
    missing = [subject for subject in wanted if subject not in set(whole["subject"])]
    if missing:
        raise ModelError(
            f"{len(missing)} subjects have no {LEVELS_PER_SUBJECT} levels, the first {missing[0]!r}",
            fix="Materialise the item bank with the statistics of the champion.",
        )


def _chunks(states: LearnerStates, pairs: pl.DataFrame, rows: int) -> Iterator[tuple[pl.DataFrame, LearnerStates]]:
    """Pairs of some learners with those learners' states; all frames are ascending by learner, so cuts are cheap."""
    start, most = 0, max(rows // LEVELS_PER_SUBJECT, 1)
    while start < pairs.height:
        last = pairs["learner"][min(start + most, pairs.height) - 1]
        stop = int(pairs["learner"].search_sorted(last, side="right"))
        yield pairs[start:stop], states.between(pairs["learner"][start], last)
        start = stop


def _answers(pairs: pl.DataFrame, states: LearnerStates, ask: _Question) -> pl.DataFrame:
    """The pairs with ability, mastery and level_probabilities."""
    ordered = ask.levels.sort("subject", "level").group_by("subject", maintain_order=True).agg("difficulty")
    grid = pairs.join(ordered, on="subject", how="left", maintain_order="left")
    queries = grid.select(
        "learner", "subject", pl.concat_list("skill_id").alias("skill_ids"), pl.lit(ask.as_of).alias("at"), "difficulty"
    ).explode("difficulty")
    table = query(queries, ask.brain.statistics, states, ask.brain.fold_settings)
    probabilities = non_increasing(ask.brain.predict(table).reshape(-1, LEVELS_PER_SUBJECT))
    one = table.take(np.arange(0, table.height, LEVELS_PER_SUBJECT))
    logit, sd = skill_logit(one)
    wider = ask.brain.intervals
    mastery = success(logit, sd * wider.factor("mastery", pairs["events"].to_numpy()), ask.settings.interval)
    events = one.column("learner_opportunities").astype(np.int64)
    return pairs.rename({"events": "opportunities", "last_event_at": "last_practised_at"}).with_columns(
        pl.Series("ability", one.column("ability").astype(np.float64)),
        pl.Series("ability_sd", one.column("ability_sd") * wider.factor("ability", events)),
        pl.Series("mastery", mastery.mean),
        pl.Series("mastery_sd", mastery.sd),
        pl.Series("mastery_lower", mastery.lower),
        pl.Series("mastery_upper", mastery.upper),
        pl.Series("level_probabilities", probabilities.astype(np.float32)).arr.to_list(),
        pl.lit(half_width(ask.settings.interval)).alias("reach"),
    )


def skill_logit(table: FeatureTable) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Logit of success on a typical item of the skills, and the filter's standard deviation of it, float64 [n] each.

    Args:
        table: Features of hypothetical exercises; whatever their difficulty, it is taken out.
    """
    value = {name: table.column(name).astype(np.float64) for name in _OF_LOGIT}
    logit = unmoderated(value["logit"], value["logit_sd"]) + value["item_difficulty"] - value["skill_difficulty"]
    # Of the logit's uncertainty the item's own part is not the learner's.
    return logit, np.sqrt(np.maximum(value["logit_sd"] ** 2 - value["item_difficulty_sd"] ** 2, 0.0))


def _strangers(states: LearnerStates, learners: pl.DataFrame | None) -> pl.DataFrame:
    """learner, shard of those who have no state."""
    if learners is None:
        return pl.DataFrame(schema={"learner": pl.String, "shard": pl.Int32})
    known = learners.select("learner", pl.col("shard").cast(pl.Int32))
    return known.join(states.learners, on="learner", how="anti")


def _without_events(strangers: pl.DataFrame, ask: _Question) -> pl.DataFrame:
    """The population's answer, once, for every one of them."""
    nobody = pl.lit("", pl.String)
    common = (
        ask.brain.statistics.skills.sort("subject", "events", "skill_id", descending=[False, True, False])
        .group_by("subject", maintain_order=True)
        .head(ask.settings.starting_skills)
        .select(
            nobody.alias("learner"),
            pl.lit(0, pl.Int32).alias("shard"),
            "subject",
            "skill_id",
            pl.lit(0, pl.Int64).alias("events"),
            pl.lit(0, pl.Int64).alias("wins"),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("last_event_at"),
        )
    )
    answer = _answers(common, LearnerStates.empty(), ask)
    return strangers.join(answer.drop("learner", "shard"), how="cross").select(answer.columns)


def _learners(answered: pl.DataFrame, states: LearnerStates) -> pl.DataFrame:
    """One row a learner; ability is the same on each of their skills."""
    seen = states.learners.select("learner", "events", "last_event_at")
    reach = pl.col("reach") * pl.col("ability_sd")
    return (
        answered.unique("learner", keep="first", maintain_order=True)
        .join(seen, on="learner", how="left")
        .with_columns(
            pl.col("events").fill_null(0),
            ability_lower=pl.col("ability") - reach,
            ability_upper=pl.col("ability") + reach,
        )
        .select(list(STUDENT_MODELS.schema))
        .cast(dict(STUDENT_MODELS.schema))  # type: ignore[arg-type]
    )
