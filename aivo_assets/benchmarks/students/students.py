"""What a two-hourly check costs, by size of the lake. Belongs here: making, measuring and the record; no printing.

Measured is what the job's assets do (`learner_states`, `scored_events`, `student_models`; then `learning_signals`) by
the same functions, in processes of their own, without Dagster around them. The past is folded and laid in place before,
by the same functions too; only the student models of the day before are filled with the filter's ability and a
constant, for the check reads no more of them than whose they are.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets.adaptive.schema import SIGNALS
from aivo_assets.adaptive.signals.signals_by_shard import assignments_of, signals_of
from aivo_assets.benchmarks.child import in_own_process
from aivo_assets.benchmarks.machine import peak_bytes
from aivo_assets.benchmarks.students.lake_steps import (
    BRAIN,
    LEARNERS_A_SHARD,
    fit_champion,
    land_late,
    land_today,
    make_events,
)
from aivo_assets.benchmarks.students.student_lake import SchoolLake, Size
from aivo_assets.drift.scores.scored_window import ScoredWindow
from aivo_assets.lake import Lake
from aivo_assets.lake.shards import SHARDS_OF_A_NEW_LAKE
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.model import artefact
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.students.model_store import ModelBuilder, update_models
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets.tracing.students.state_update import Folder, update
from aivo_assets.tracing.students.student_models import Brain, StudentModels, build_student_models

TARGET_SECONDS, TARGET_GIB = 60.0, 4.0


class CheckCost(BaseModel):
    """One check.

    Attributes:
        name: Which.
        find_seconds: Loading the champion and finding out from manifests which days changed.
        fold_seconds: Reading new events and states, folding, scoring, committing.
        models_seconds: Student models of the learners concerned.
        cpu_seconds: Of all threads together, all of it.
        peak_bytes: Most memory of the process that did it.
        events: Events folded.
        learners: Learners whose states were written.
        late: Of them, those folded from nothing.
        skills: Rows of mastery made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    find_seconds: float
    fold_seconds: float
    models_seconds: float
    cpu_seconds: float
    peak_bytes: int
    events: int
    learners: int
    late: int
    skills: int

    @property
    def seconds(self) -> float:
        """From beginning to end."""
        return self.find_seconds + self.fold_seconds + self.models_seconds


class SignalsCost(BaseModel):
    """The learning signals of everybody who was active lately.

    Attributes:
        seconds: From beginning to end.
        cpu_seconds: Of all threads together.
        peak_bytes: Most memory of the process that did it.
        rows: Learner x skills.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    rows: int


class LakeCost(BaseModel):
    """One lake and its checks.

    Attributes:
        learners: With a past.
        events: Of the past.
        event_bytes: Of the past on disk.
        state_bytes: Of the states on disk, before the checks.
        trees: Of the champion.
        prepare_seconds: By step, not part of a check.
        checks: One after the other.
        signals: What the last check computes after them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learners: int
    events: int
    event_bytes: int
    state_bytes: int
    trees: int
    prepare_seconds: dict[str, float]
    checks: tuple[CheckCost, ...]
    signals: SignalsCost


class StudentsReport(BaseModel):
    """What was measured, and of what.

    Attributes:
        asked: Sizes, seed, versions and machine.
        lakes: Smallest first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: dict[str, str]
    lakes: tuple[LakeCost, ...]

    def text(self) -> str:
        """The record as plain text."""
        head = f"{'learners':>10} {'past events':>12}  {'check':<22}{'find':>6}{'fold':>7}{'models':>8}{'all':>7}"
        lines = [f"{name}: {value}" for name, value in self.asked.items()]
        lines += ["", head + f"{'core s':>8}{'GiB':>6}{'events':>9}{'learners':>10}{'late':>6}  within"]
        for lake in self.lakes:
            for check in lake.checks:
                gib = check.peak_bytes / 2**30
                within = "yes" if check.seconds <= TARGET_SECONDS and gib <= TARGET_GIB else "no"
                lines.append(
                    f"{lake.learners:>10,} {lake.events:>12,}  {check.name:<22}{check.find_seconds:>6.1f}"
                    f"{check.fold_seconds:>7.1f}{check.models_seconds:>8.1f}{check.seconds:>7.1f}"
                    f"{check.cpu_seconds:>8.1f}{gib:>6.2f}{check.events:>9,}{check.learners:>10,}{check.late:>6,}"
                    f"  {within}"
                )
        lines += ["", f"target: {TARGET_SECONDS:.0f} s and {TARGET_GIB:g} GiB"]
        for lake in self.lakes:
            prepared = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in lake.prepare_seconds.items())
            lines.append(
                f"{lake.learners:,} learners: events {lake.event_bytes / 2**30:.2f} GiB, states "
                f"{lake.state_bytes / 2**30:.2f} GiB, {lake.trees} trees; made before: {prepared}"
            )
            cost = lake.signals
            lines.append(
                f"{lake.learners:,} learners: {cost.rows:,} signals in {cost.seconds:.1f} s, "
                f"{cost.cpu_seconds:.1f} core s, {cost.peak_bytes / 2**30:.2f} GiB"
            )
        return "\n".join(lines)


def measure_students(
    size: Size, settings: Settings, folder: Path, *, checks: int, late: int, say: Callable[[str], None]
) -> LakeCost:
    """Make a lake, bring new answers again and again, and measure each check in a process of its own.

    Args:
        size: How large.
        settings: Of the installation; shards are as many as so many learners want.
        folder: Where the lake is made; it is removed afterwards.
        checks: Checks with new answers, one after the other on the same day.
        late: Learners of whom an answer of a past day arrives before a last check; 0: no such check.
        say: Is told what begins.
    """
    shards = max(settings.lake.shards or SHARDS_OF_A_NEW_LAKE, -(-size.learners // LEARNERS_A_SHARD))
    prepared: dict[str, float] = {}
    costs = []
    try:
        for step in (make_events, fit_champion, _fold_past):
            say(f"{size.learners:,} learners: {step.__name__.strip('_').replace('_', ' ')}")
            started = time.perf_counter()
            in_own_process(step, size, settings, folder, shards)
            prepared[step.__name__.strip("_").replace("_", " ")] = time.perf_counter() - started
        event_bytes, state_bytes = _bytes(folder / "anonymised"), _bytes(folder / "states")
        for check in range(checks):
            in_own_process(land_today, size, folder, shards, check)
            say(f"{size.learners:,} learners: check {check + 1}")
            costs.append(in_own_process(_check, size, settings, folder, shards, f"check {check + 1} of the day"))
        if late:
            in_own_process(land_late, size, folder, shards, late)
            say(f"{size.learners:,} learners: late events")
            costs.append(in_own_process(_check, size, settings, folder, shards, f"{late:,} late learners"))
        say(f"{size.learners:,} learners: signals")
        signals = in_own_process(_signals, size, settings, folder, shards)
        trees = _trees(artefact.load(folder / BRAIN))
    finally:
        rmtree(folder, ignore_errors=True)
    return LakeCost(
        learners=size.learners,
        events=size.learners * size.sessions * -(-size.events_per_learner // size.sessions),
        event_bytes=event_bytes,
        state_bytes=state_bytes,
        trees=trees,
        prepare_seconds=prepared,
        checks=tuple(costs),
        signals=signals,
    )


def _fold_past(size: Size, settings: Settings, folder: Path, shards: int) -> None:
    """States by the functions of every day; in place of the student models of the day before, their outline."""
    lake, brain = Lake(folder, shards=shards), artefact.load(folder / BRAIN)
    store, yesterday = StateStore(lake), size.today - timedelta(days=1)
    parts = lake.parts(ANONYMISED_INTERACTIONS)
    roll = SchoolLake(size, shards).roll
    maker = _maker(brain, settings, size)
    outlines = ModelBuilder(lambda states, _: _outline(states, size), maker.version, maker.levels)
    for shard in range(shards):
        update(lake, store, shard, parts[shard], _folder(brain, settings), _window(lake, shard, brain, settings, size))
        here = roll.filter(pl.col("shard") == shard)
        update_models(lake, store, shard, outlines, here, day=yesterday)


def _check(size: Size, settings: Settings, folder: Path, shards: int, name: str) -> CheckCost:
    """What a run does between the privacy line and the recommendations."""
    roll = SchoolLake(size, shards).roll  # the learner table, which the real asset reads from the lake
    started, cpu = time.perf_counter(), time.process_time()
    lake, brain = Lake(folder, shards=shards), artefact.load(folder / BRAIN)
    store, parts = StateStore(lake), lake.parts(ANONYMISED_INTERACTIONS)
    opened = time.perf_counter()
    folder_ = _folder(brain, settings)
    done = [
        update(lake, store, shard, parts[shard], folder_, _window(lake, shard, brain, settings, size))
        for shard in range(shards)
    ]
    folded = time.perf_counter()
    maker = _maker(brain, settings, size)
    made = [
        update_models(lake, store, shard, maker, roll.filter(pl.col("shard") == shard), day=size.today)
        for shard in range(shards)
    ]
    ended = time.perf_counter()
    if any(one.whole for one in done) or any(one.whole for one in made):
        raise AssertionError("a check rebuilt everything: it measures something else")
    return CheckCost(
        name=name,
        find_seconds=opened - started,
        fold_seconds=folded - opened,
        models_seconds=ended - folded,
        cpu_seconds=time.process_time() - cpu,
        peak_bytes=peak_bytes(),
        events=sum(one.events for one in done),
        learners=sum(one.learners for one in done),
        late=sum(one.late for one in done),
        skills=sum(one.skills for one in made),
    )


def _signals(size: Size, settings: Settings, folder: Path, shards: int) -> SignalsCost:
    """What the asset `learning_signals` does."""
    started, cpu = time.perf_counter(), time.process_time()
    lake, items = Lake(folder, shards=shards), artefact.load(folder / BRAIN).statistics.items
    day = size.today
    bank = item_bank(items, subject_levels(items, day=day, settings=settings.policy), day=day)
    assignments = assignments_of(lake, day=day, settings=settings)
    made = ((shard, signals_of(lake, shard, bank, assignments, day=day, settings=settings)) for shard in range(shards))
    rows = lake.write_by_shard(SIGNALS, made, day=day).rows
    return SignalsCost(
        seconds=time.perf_counter() - started,
        cpu_seconds=time.process_time() - cpu,
        peak_bytes=peak_bytes(),
        rows=rows,
    )


def _folder(brain: MainBrain, settings: Settings) -> Folder:
    return Folder(brain.statistics, settings.features, "1", settings.students.events_at_once)


def _window(lake: Lake, shard: int, brain: MainBrain, settings: Settings, size: Size) -> ScoredWindow:
    days = settings.drift.window_days
    return ScoredWindow(lake, shard, brain.predict, model_version="1", day=size.today, days=days)


def _maker(brain: MainBrain, settings: Settings, size: Size) -> ModelBuilder:
    levels = subject_levels(brain.statistics.items, day=size.today, settings=settings.policy)
    champion = Brain(brain.predict, brain.statistics, settings.features, version="1")
    as_of = datetime.fromisoformat(f"{size.today + timedelta(days=1)}T00:00:00+00:00")

    def build(states: LearnerStates, strangers: pl.DataFrame) -> StudentModels:
        return build_student_models(
            states, champion, levels, as_of, settings.students, day=size.today, learners=strangers
        )

    return ModelBuilder(build, champion.version, levels)


def _outline(states: LearnerStates, size: Size) -> StudentModels:
    """A row where a student model stands, with what the state says without asking the main brain."""
    day, sd = pl.lit(size.today - timedelta(days=1)), pl.col("ability_variance").sqrt()
    own = states.learners.with_columns(day=day, ability_sd=sd, model_version=pl.lit("1")).with_columns(
        ability_lower=pl.col("ability") - sd, ability_upper=pl.col("ability") + sd
    )
    level = pl.concat_list([pl.lit(0.7, pl.Float32)] * 10)
    skills = states.skills.rename({"events": "opportunities", "last_event_at": "last_practised_at"}).with_columns(
        day=day,
        model_version=pl.lit("1"),
        mastery=pl.col("offset"),
        mastery_sd=pl.col("offset_variance").sqrt(),
        mastery_lower=pl.col("offset"),
        mastery_upper=pl.col("offset"),
        level_probabilities=level,
        level=pl.lit(None),
        plan=pl.lit(None),
        success_at_level=pl.lit(None),
    )
    return StudentModels(
        own.select(list(STUDENT_MODELS.schema)).cast(dict(STUDENT_MODELS.schema)),  # type: ignore[arg-type]
        skills.select(list(SKILL_MASTERY.schema)).cast(dict(SKILL_MASTERY.schema)),  # type: ignore[arg-type]
    )


def _trees(brain: MainBrain) -> int:
    return int(np.sum([one.rounds for one in brain.summary.boosted]))


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
