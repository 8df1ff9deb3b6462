"""A replay from beginning to end: gather the events, drive the definitions, write down what came of it."""

import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from aivo_assets.automation.replay.driver import BuildDefinitions, Driver
from aivo_assets.benchmarks.machine import machine, peak_bytes
from aivo_assets.errors import SettingsError
from aivo_assets.events.sources.base import Source, Window
from aivo_assets.lake import calendar, open_lake
from aivo_assets.replay.choices import as_text, own_settings
from aivo_assets.replay.feed import Feed, Gathered, gather
from aivo_assets.replay.record import RECORD, Costs, Record, write
from aivo_assets.replay.ticks import Tick
from aivo_assets.settings import Settings

HOME = "home"
CHATTER = "chatter.log"


@dataclass(frozen=True)
class ReplayPlan:
    """What is to be replayed.

    Attributes:
        window: First and last day, both included.
        learners: Whole learners to keep; None for all.
        seed: Of their draw.
        out: Folder of everything that the replay makes.
        every_tick: Also make runs that could change nothing.
        documents: Also make the reports for people at each run.
    """

    window: Window
    out: Path
    learners: int | None = None
    seed: int = 0
    every_tick: bool = False
    documents: bool = False


def replay(
    build: BuildDefinitions, plan: ReplayPlan, settings: Settings, source: Source, *, say: Callable[[Tick], None]
) -> tuple[Record, Costs]:
    """Replay a stretch of time and write `replay.json` and `costs.json`.

    One that is interrupted writes down what was decided until then, and says that it was stopped.

    Args:
        build: Builds the definitions that are replayed.
        plan: What is to be replayed.
        settings: Of the platform; home, source, storage and where alerts go are the replay's own.
        source: Where events come from; read once.
        say: Told of each tick.

    Raises:
        SettingsError: The folder is in use.
        SourceError: The source cannot be read, or has nothing in these days.
    """
    began, cpu = time.perf_counter(), time.process_time()
    _refuse_used(plan.out)
    gathered = gather(source, plan.window, learners=plan.learners, seed=plan.seed)
    feed = Feed(gathered, plan.out / "feed")
    learners = gathered.events["learner_id"].n_unique()
    own = own_settings(settings, plan.out / HOME, feed, learners)
    if plan.every_tick:
        schedule = own.schedule.model_copy(update={"skip_unchanged": False})
        own = own.model_copy(update={"schedule": schedule})
    # The first night trains on the day before the first.
    calendar.extend(open_lake(own), plan.window.first - timedelta(days=1))
    with dg.DagsterInstance.ephemeral() as instance:
        driver = Driver(build, own, feed, instance, every_tick=plan.every_tick, documents=plan.documents)
        with (plan.out / CHATTER).open("w") as file, redirect_stdout(file):  # dbt prints every test
            stopped = _stopped(driver, plan, say)
    record = _record(plan, settings, source.name, gathered, driver, stopped)
    costs = Costs(
        machine=machine(),
        wall=time.perf_counter() - began,
        cpu=time.process_time() - cpu,
        peak_memory_bytes=peak_bytes(),
        runs=tuple(driver.costs),
    )
    write(plan.out, record, costs)
    return record, costs


def _stopped(driver: Driver, plan: ReplayPlan, say: Callable[[Tick], None]) -> date | None:
    """Let the time pass; the day that was reached where somebody interrupted it, else None."""
    try:
        driver.play(plan.window.start, plan.window.end, say)
    except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError):  # the latter where a sensor looked
        return driver.clock.now().date()
    return None


def _refuse_used(folder: Path) -> None:
    if (folder / HOME).exists() or (folder / RECORD).exists():
        raise SettingsError(
            f"{folder} holds a replay already, and a lake that is not empty would decide otherwise",
            fix="Name another folder with --out, or remove this one.",
        )


def _record(
    plan: ReplayPlan, settings: Settings, source: str, gathered: Gathered, driver: Driver, stopped: date | None
) -> Record:
    outcomes = driver.outcomes
    return Record(
        source=source,
        first=plan.window.first,
        last=stopped or plan.window.last,
        ended="stopped" if stopped else "whole",
        seed=plan.seed,
        learners=gathered.events["learner_id"].n_unique(),
        learners_found=gathered.learners_found,
        events=gathered.events.height,
        rows_read=gathered.rows_read,
        rows_without_time=gathered.without_time,
        every_tick=plan.every_tick,
        settings=as_text(settings),
        ticks=dict(sorted(driver.ticks.items())),
        runs=tuple(driver.runs),
        trainings=tuple(outcomes.trainings),
        moves=tuple(outcomes.moves),
        drift=tuple(outcomes.drift),
        needs=tuple(outcomes.needs),
        recommendations=tuple(outcomes.recommendations),
        scores=tuple(score for _, score in sorted(outcomes.scores.items())),
        alerts=tuple(driver.alerts),
    )
