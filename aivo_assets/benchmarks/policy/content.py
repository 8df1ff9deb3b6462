"""What a platform knew before the learners of a trial came: content, brain, bank. Belongs here: last year's school.

The brain, the bank and the levels are made from the log of other learners, taught by a teacher on the same content; so
no learner of a trial, and no truth, has a part in them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets.adaptive.signals.standing import fitting_level
from aivo_assets.settings import Settings
from aivo_assets.simulation import PARAMETERS, Log, Parameters, Simulation, World, build_world
from aivo_assets.simulation.draws import Draws
from aivo_assets.simulation.policies.assigned import LEVELS, Shelf
from aivo_assets.simulation.world.curriculum import Curriculum
from aivo_assets.simulation.world.roster import SCHOOL_SIZE, build_roster
from aivo_assets.tracing.fold.features import query
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.model.main_brain import MadeBy, fit_main_brain
from aivo_assets.tracing.model.training import training_set
from aivo_assets.tracing.students.intervals import fit_intervals
from aivo_assets.tracing.students.later_answers import later_answers
from aivo_assets.tracing.students.mastery import non_increasing
from aivo_assets.tracing.students.student_models import Brain

Names = Callable[[npt.NDArray[np.int64]], pl.Series]

FIRST_DAY = date(2026, 9, 7)  # a Monday
SCHOOL_BEFORE_SEED = 7_000_000  # the learners of last year's school are of a seed that no trial has


@dataclass(frozen=True)
class Content:
    """Content, and what is known of it.

    Attributes:
        curriculum: Items and skills with their truth.
        brain: Fitted on last year's log.
        bank: `ITEM_BANK`.
        levels: `LEVELS`.
        shelf: The items by level, as they are given.
        items: Names of items, skills and subjects by item index.
        settings: Of the platform.
    """

    curriculum: Curriculum
    brain: Brain
    bank: pl.DataFrame
    levels: pl.DataFrame
    shelf: Shelf
    settings: Settings

    @cached_property
    def skills(self) -> pl.DataFrame:
        """skill_id, subject, skill (Int64, index): one row a skill."""
        curriculum = self.curriculum
        names = pl.Series("subject", curriculum.subjects).gather(curriculum.skill_subject)
        return pl.DataFrame({"skill_id": curriculum.skill_ids, "subject": names}).with_row_index("skill")

    @cached_property
    def item_numbers(self) -> dict[str, int]:
        """Item index by name."""
        return {name: number for number, name in enumerate(self.curriculum.item_ids)}

    @cached_property
    def usual_levels(self) -> npt.NDArray[np.int8]:
        """The level of each skill that fits a learner of whom nothing is known, Int8 [S]."""
        nobody = self.skills.select(pl.lit("").alias("learner"), "subject", "skill_id")
        at = datetime.combine(FIRST_DAY, datetime.min.time())
        usual: npt.NDArray[np.int8] = self.placed(nobody, LearnerStates.empty(), at)["recommended_level"].to_numpy()
        return usual

    def placed(self, pairs: pl.DataFrame, states: LearnerStates, at: datetime) -> pl.DataFrame:
        """The level at which the main brain sees each learner in the middle of the success zone.

        Args:
            pairs: learner, subject, skill_id.
            states: Where the learners stand; who has none begins from nothing.
            at: When the exercise would be met, UTC.

        Returns:
            The pairs with level_probabilities (List of ten) and recommended_level (Int8).
        """
        ordered = self.levels.sort("subject", "level").group_by("subject", maintain_order=True).agg("difficulty")
        grid = pairs.join(ordered, on="subject", how="left", maintain_order="left").select(
            "learner",
            "subject",
            pl.concat_list("skill_id").alias("skill_ids"),
            pl.lit(at).dt.replace_time_zone("UTC").alias("at"),
            "difficulty",
        )
        table = query(grid.explode("difficulty"), self.brain.statistics, states, self.settings.features)
        success = non_increasing(self.brain.predict(table).reshape(-1, LEVELS)).astype(np.float32)
        probabilities = pl.Series("level_probabilities", success).arr.to_list()
        return pairs.with_columns(probabilities).with_columns(recommended_level=fitting_level(self.settings.policy))


def prepare(
    seed: int,
    *,
    settings: Settings,
    learners: int,
    days: int,
    items_per_skill: int,
    parameters: Parameters = PARAMETERS,
) -> Content:
    """Let last year's school live, and make of its log what a platform makes.

    Args:
        seed: Of the content.
        settings: Of the platform.
        learners: Enrolled last year.
        days: How long they were taught.
        items_per_skill: Size of the bank.
        parameters: What is true of learning.
    """
    world = build_world(seed=seed, learners=1, start=FIRST_DAY, items_per_skill=items_per_skill, parameters=parameters)
    before = enrolled(world, SCHOOL_BEFORE_SEED + seed, learners)
    school = Simulation(replace(before, start=FIRST_DAY - timedelta(days=364)))
    names = learner_names(f"before-{seed}", learners)
    events = pl.concat([events_of(school.live_one_day(), school.world, names) for _ in range(days)])
    training = training_set(events, settings.features, settings.training)
    made_by = MadeBy(data_versions={"school before": str(seed)}, code_version="benchmark")
    brain = fit_main_brain(
        training.table, training.split, settings.training, statistics=training.statistics, made_by=made_by
    )
    items = training.statistics.items
    levels = subject_levels(items, day=FIRST_DAY, settings=settings.policy)
    bank = item_bank(items, levels, day=FIRST_DAY)
    known = world.curriculum.items.join(
        bank.select("item_id", "level"), on="item_id", how="left", maintain_order="left"
    )
    return Content(
        curriculum=world.curriculum,
        brain=Brain(
            brain.predict,
            training.statistics,
            settings.features,
            version=f"before-{seed}",
            intervals=fit_intervals(later_answers(events, settings.features, settings.students)),
        ),
        bank=bank,
        levels=levels,
        shelf=Shelf.of(world.curriculum, known["level"].fill_null(0).cast(pl.Int64).to_numpy()),
        settings=settings,
    )


def enrolled(world: World, seed: int, learners: int) -> World:
    """Other learners on the content of a world, of all grades alike."""
    draws = Draws(seed)
    whole = -(-learners // SCHOOL_SIZE) * SCHOOL_SIZE
    roster = build_roster(draws, range(whole), world.curriculum, world.parameters)
    return replace(world, draws=draws, roster=roster.of(np.arange(learners) * whole // learners))


def learner_names(prefix: str, learners: int) -> pl.Series:
    """Names by row, ascending like the rows."""
    return pl.Series("learner", [f"{prefix}-{row:06d}" for row in range(learners)])


def events_of(log: Log, world: World, names: pl.Series) -> pl.DataFrame:
    """A day as the platform has it past the raw zone: the columns of `ANONYMISED_INTERACTIONS` that it reads.

    Args:
        log: The day.
        world: Whose.
        names: Name of the learner of each row of the roster.
    """
    order = np.lexsort((log.position, log.session, log.rows))
    rows, items = log.rows[order], log.items[order]
    answers = log.answers
    seconds = answers.at[order] // 1000
    first = np.diff(rows, prepend=-1) != 0
    place = np.arange(rows.size)
    shelf = world.curriculum.items
    day = world.date_of(log.day)
    return (
        pl.DataFrame(
            {
                "learner": names.gather(rows),
                "sequence": (place - np.maximum.accumulate(np.where(first, place, 0))).astype(np.int32),
                "gap_s": pl.Series(np.diff(seconds, prepend=0)).cast(pl.Int32),
                "item_id": shelf["item_id"].gather(items),
                "skill_ids": shelf["skill_ids"].gather(items),
                "subject": shelf["subject"].gather(items),
                "correct": answers.correct[order],
                "response_time_ms": answers.response_time_ms[order],
                "hint_count": answers.hint_count[order],
                "attempt_number": answers.attempt_number[order],
                "focus": pl.Series(answers.focus[order]).fill_nan(None),
                "_at": answers.at[order] // 60_000 * 60_000,
                "_first": first,
                "_session": log.session[order],
            }
        )
        .with_columns(
            day=pl.lit(day),
            shard=pl.lit(0, pl.Int32),
            assignment=pl.lit(None, pl.String),
            gap_s=pl.when(~pl.col("_first")).then("gap_s"),
            occurred_at=pl.lit(world.midnight) + pl.duration(milliseconds="_at"),
            session=pl.concat_str("learner", pl.lit(f"-{log.day}-"), "_session"),
        )
        .drop("_at", "_first", "_session")
    )
