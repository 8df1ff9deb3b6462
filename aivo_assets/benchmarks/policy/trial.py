"""The same learners under each policy, day by day. Belongs here: who lives, what is done and noted; no means.

A school without a platform (random, fixed, the oracle) just lives. A school with one is told each evening what to give
next. In the school that keeps everybody at the usual level both kinds of rules watch without being obeyed: so who
notices what, and when, is compared on the same answers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.adaptive.policy.policy import CHANGE_APPROACH, success_zone_policy
from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets.adaptive.policy.threshold_policy import threshold_policy
from aivo_assets.adaptive.signals.standing import logit
from aivo_assets.benchmarks.policy.content import Content, enrolled, events_of, learner_names
from aivo_assets.benchmarks.policy.given import GivenContent
from aivo_assets.benchmarks.policy.platform import Platform
from aivo_assets.benchmarks.policy.report import FIXED, ORACLE, OURS, RANDOM, THRESHOLD
from aivo_assets.benchmarks.policy.stability import noted
from aivo_assets.errors import SettingsError
from aivo_assets.settings import PolicySettings
from aivo_assets.simulation import Log, Simulation, World
from aivo_assets.simulation.policies.assigned import AssignedLevels, RandomItems, Shelf
from aivo_assets.simulation.policies.oracle import Oracle, true_successes
from aivo_assets.simulation.world.curriculum import SKILLS_PER_GRADE
from aivo_assets.simulation.world.timetable import DAY_MS, topic_of

UNFREED, TRUE_LEVELS = "oracle-unfreed", "true-levels"

Table = Callable[[PolicySettings], Policy]


@dataclass(frozen=True)
class Arm:
    """A policy in a trial.

    Attributes:
        table: Its rules; None: it has no platform.
        models: Whether its platform asks the main brain.
        places: Whether a new skill begins at the level that fits the learner by the main brain, or at the usual one.
        lists: Whether its learners take the content that a recommendation lists, or any items of the level.
    """

    table: Table | None = None
    models: bool = False
    places: bool = False
    lists: bool = False


def _threshold(_: PolicySettings) -> Policy:
    return threshold_policy()


ARMS: dict[str, Arm] = {
    OURS: Arm(success_zone_policy, models=True, places=True, lists=True),
    THRESHOLD: Arm(_threshold),
    RANDOM: Arm(),
    FIXED: Arm(),
    ORACLE: Arm(),
    # Which part of the difference is whose: the levels without the content; each with the other's way of beginning.
    "ours-levels": Arm(success_zone_policy, models=True, places=True),
    "ours-unplaced": Arm(success_zone_policy, models=True),
    "threshold-placed": Arm(_threshold, models=True, places=True),
    # What the oracle's lead is made of: it frees nobody; it knows success, and gives any items of the best level.
    UNFREED: Arm(),
    TRUE_LEVELS: Arm(),
}
POLICIES = (OURS, THRESHOLD, RANDOM, FIXED, ORACLE)
WATCHERS = (OURS, THRESHOLD)


@dataclass
class TrialSchool:
    """One seed's learners under one policy.

    Attributes:
        arm: Name of the policy.
        seed: Of the learners.
        simulation: Their lives.
        names: Their names on the platform.
        before: Float32 [n, S], true abilities on the first morning.
        zone: Answers given with effort at a first attempt, and those of them with a true chance in the success zone.
        answers: Answers in all.
        decisions: What was decided of moves, a frame an evening.
        advice: What was advised, by who advised it, a frame an evening; of a school of fixed levels by its watchers.
    """

    arm: str
    seed: int
    simulation: Simulation
    names: pl.Series
    before: npt.NDArray[np.float32]
    zone: list[int] = field(default_factory=lambda: [0, 0])
    answers: int = 0
    decisions: list[pl.DataFrame] = field(default_factory=list)
    advice: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    @property
    def policy(self) -> AssignedLevels:
        """Where levels are assigned."""
        assert isinstance(self.simulation.policy, AssignedLevels)
        return self.simulation.policy

    def note(self, log: Log, low: float, high: float) -> None:
        """Count a day's answers."""
        tried = ~log.answers.rapid & (log.answers.attempt_number == 1)
        chance = log.answers.success[tried]
        self.zone[0] += int(tried.sum())
        self.zone[1] += int(((chance >= low) & (chance <= high)).sum())
        self.answers += int(tried.size)


@dataclass(frozen=True)
class Trial:
    """What a trial of some seeds left.

    Attributes:
        content: On which it ran.
        schools: Each seed under each policy.
        watched: What the watchers said in the school of fixed levels, one row a pair and evening: watcher,
            seed, learner, skill, day (Int32), alarm (Boolean: the rules say that it goes badly), doubt (Float64: how
            sure the main brain is of that; null without one), p_true (Float64: true success at the level).
    """

    content: Content
    schools: list[TrialSchool]
    watched: pl.DataFrame


def run_trial(
    content: Content, world: World, seeds: list[int], *, policies: tuple[str, ...], learners: int, days: int
) -> Trial:
    """Let the learners of some seeds live under each policy.

    Args:
        content: What the platforms know.
        world: The content's world; its learners are not used.
        seeds: Of the learners.
        policies: Names of `ARMS`.
        learners: Of each seed.
        days: How long.

    Raises:
        SettingsError: There is no such policy.
    """
    unknown = [name for name in policies if name not in ARMS]
    if unknown:
        raise SettingsError(f"There is no policy {unknown[0]!r}", fix=f"Name some of {', '.join(ARMS)}.")
    schools = [_school(name, seed, content, enrolled(world, seed, learners)) for name in policies for seed in seeds]
    settings = content.settings.policy
    platforms = {
        name: Platform(content, table(settings), ARMS[name].models)
        for name in ARMS
        if (table := ARMS[name].table) is not None and (name in policies or (name in WATCHERS and FIXED in policies))
    }
    watched = []
    for day in range(days):
        for school in schools:
            if school.arm == TRUE_LEVELS:
                school.policy.levels[:] = _true_levels(school, content, day)
        logs = {id(school): school.simulation.live_one_day() for school in schools}
        for school in schools:
            school.note(logs[id(school)], *settings.success_zone)
        for name, platform in platforms.items():
            observed = [
                school for school in schools if school.arm == name or (school.arm == FIXED and name in WATCHERS)
            ]
            today = world.date_of(day)
            events = pl.concat([events_of(logs[id(s)], s.simulation.world, s.names) for s in observed])
            decided = _coded(platform.evening(events, today), content)
            for school in observed:
                mine = decided.filter(pl.col("learner").is_in(school.names.implode()))
                school.advice.setdefault(name, []).append(noted(mine, day))
                if school.arm == FIXED:
                    watched.append(_watched(mine, school, content, name, day, settings))
                else:
                    _obey(mine, school, content, day)
                _prepare_tomorrow(mine, school, platform, content, day)
    return Trial(content, schools, pl.concat(watched) if watched else pl.DataFrame())


def _school(name: str, seed: int, content: Content, world: World) -> TrialSchool:
    size = world.roster.size
    usual = np.tile(content.usual_levels, (size, 1))
    longest = content.settings.policy.content_items
    makers = {
        RANDOM: lambda _: RandomItems(content.curriculum, content.shelf, size),
        ORACLE: lambda simulation: Oracle(simulation, content.shelf),
        UNFREED: lambda simulation: _unfreed(simulation, content.shelf),
    }
    if ARMS[name].lists:
        makers[name] = lambda _: GivenContent(content.curriculum, content.shelf, usual, longest)
    simulation = Simulation(world, makers.get(name, lambda _: AssignedLevels(content.curriculum, content.shelf, usual)))
    return TrialSchool(name, seed, simulation, learner_names(f"{name}-{seed:06d}", size), simulation.abilities(0))


def _unfreed(simulation: Simulation, shelf: Shelf) -> Oracle:
    oracle = Oracle(simulation, shelf)
    simulation.taught_otherwise[:] = False
    return oracle


def _true_levels(school: TrialSchool, content: Content, day: int) -> npt.NDArray[np.int8]:
    """The level of each skill at which each learner truly succeeds nearest to the zone's middle, as a day begins."""
    middle = sum(content.settings.policy.success_zone) / 2
    away = np.abs(_success(school, content, day - 1) - middle)
    levels: npt.NDArray[np.int8] = (away.argmin(axis=2) + 1).astype(np.int8)
    return levels


def _coded(decided: pl.DataFrame, content: Content) -> pl.DataFrame:
    """Decisions with the place of learner (`row`) and skill in the school; a break passes, and nothing moves by it."""
    row = pl.col("learner").str.split("-").list.last().cast(pl.Int64)
    return decided.join(content.skills.select("skill_id", "skill"), on="skill_id", how="left").with_columns(row=row)


def _success(school: TrialSchool, content: Content, day: int) -> npt.NDArray[np.float64]:
    """True success of every learner at every level of every skill, Float64 [n, S, 10], at the end of a day."""
    return content.shelf.means(true_successes(school.simulation, (day + 1) * DAY_MS))


def _obey(decided: pl.DataFrame, school: TrialSchool, content: Content, day: int) -> None:
    """Do what was recommended, and write the moves down with their truth."""
    row, skill = decided["row"].to_numpy(), decided["skill"].to_numpy()
    old, new = school.policy.levels[row, skill], decided["recommended_level"].to_numpy()
    moved = np.flatnonzero(old != new)
    if moved.size:
        success = _success(school, content, day)
        at = row[moved], skill[moved]
        school.decisions.append(
            pl.DataFrame(
                {
                    "day": np.full(moved.size, day, np.int32),
                    "row": at[0],
                    "skill": at[1],
                    "kind": decided["kind"].gather(moved),
                    "rule": decided["rule"].gather(moved),
                    "old": old[moved],
                    "new": new[moved],
                    "p_old": success[*at, old[moved] - 1],
                    "p_new": success[*at, new[moved] - 1],
                }
            )
        )
    school.policy.levels[row, skill] = new
    other = (decided["kind"] == CHANGE_APPROACH.name).to_numpy()
    school.simulation.taught_otherwise[row[other], content.curriculum.skill_subject[skill[other]]] = True


def _watched(
    decided: pl.DataFrame, school: TrialSchool, content: Content, name: str, day: int, settings: PolicySettings
) -> pl.DataFrame:
    row, skill = decided["row"].to_numpy(), decided["skill"].to_numpy()
    success = _success(school, content, day)[row, skill, content.usual_levels[skill].astype(np.int64) - 1]
    troubled = pl.col("kind_beneath").is_in(["level_down", "remediation", "change_approach"])
    return decided.select(
        watcher=pl.lit(name),
        seed=pl.lit(school.seed),
        learner=pl.col("row"),
        skill=pl.col("skill"),
        day=pl.lit(day, pl.Int32),
        alarm=troubled,
        doubt=_doubt(settings),
        p_true=pl.Series(success),
    )


def _doubt(settings: PolicySettings) -> pl.Expr:
    return (logit(pl.lit(settings.too_hard)) - logit(pl.col("p_level"))) / pl.col("success_sd")


def _prepare_tomorrow(
    decided: pl.DataFrame, school: TrialSchool, platform: Platform, content: Content, day: int
) -> None:
    """Say at which level skills begin that may come tomorrow for the first time, and list content for tomorrow."""
    row, skill = _to_come(school, day + 1)
    pairs = content.skills.select("subject", "skill_id")[skill].with_columns(
        learner=school.names.gather(row), row=pl.Series(row), skill=pl.Series(skill)
    )
    new, today = school.simulation.state.opportunities[row, skill] == 0, school.simulation.world.date_of(day)
    usual = pl.Series("recommended_level", school.policy.levels[row, skill])
    placed = pairs.with_columns(usual).filter(pl.Series(new))
    if ARMS[school.arm].places and placed.height:
        placed = platform.place(placed.drop("recommended_level"), today)
        school.policy.levels[row[new], skill[new]] = placed["recommended_level"].to_numpy()
    platform.begin(placed, today)
    if isinstance(school.policy, GivenContent):
        known = decided.join(pairs.filter(pl.Series(~new)), on=["row", "skill"], how="semi")
        for rows in (known, placed):
            listed = platform.listed(rows) if rows.height else pl.Series([], dtype=pl.List(pl.String))
            items = listed.explode(keep_nulls=False, empty_as_null=False).replace_strict(content.item_numbers)
            lengths = listed.list.len().cast(pl.Int64)
            school.policy.give(*(part.to_numpy() for part in (rows["row"], rows["skill"], items, lengths)))


def _to_come(school: TrialSchool, day: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and skills among the topics of a day and what is revised with them."""
    world = school.simulation.world
    subjects = np.tile(np.arange(len(world.curriculum.subjects))[:, None], (1, world.roster.size))
    topics = topic_of(world.roster, subjects, day)
    back = np.arange(SKILLS_PER_GRADE + 1)
    skill = np.maximum(topics[:, :, None] - back, topics[:, :, None] - topics[:, :, None] % SKILLS_PER_GRADE - 1)
    row = np.broadcast_to(np.arange(world.roster.size)[None, :, None], skill.shape)
    flat = np.unique(np.stack([row.ravel(), np.maximum(skill, 0).ravel()]), axis=1)
    return flat[0], flat[1]
