"""The stages that are measured, each as the asset of its name does it. Belongs here: doing them; no engine is chosen.

The same functions run as in a step of the platform: work on shards by an engine, one commit by the driver. Dagster,
registry and warehouse are not in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from aivo_assets.adaptive.advice.plans import plans_before
from aivo_assets.adaptive.advice.recommendations_by_shard import (
    RecommendTask,
    known_to_all,
    provenance,
    stage_recommendations,
)
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.adaptive.signals.signals_by_shard import SignalsTask, assignments_of, stage_signals
from aivo_assets.benchmarks.scale.metered import Meter
from aivo_assets.benchmarks.scale.report import CHECK, MODELS_OF_ALL, TRAINING
from aivo_assets.benchmarks.students.lake_steps import land_late, land_today
from aivo_assets.benchmarks.students.student_lake import Size
from aivo_assets.drift.schema import SCORED_EVENTS
from aivo_assets.drift.scores.folding import FoldTask, commit_shard, fold_shard
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import FEATURES
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.model.main_brain import MadeBy, MainBrain, fit_main_brain
from aivo_assets.tracing.model.search.sampling import events_within, sample_learners
from aivo_assets.tracing.model.training import training_set
from aivo_assets.tracing.students.model_store import ModelsTask, make_models
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets.tracing.students.student_models import Brain, ModelsAsOf


@dataclass(frozen=True)
class School:
    """What every stage works on.

    Attributes:
        lake: With the past.
        folder: Where the lake is.
        champion: Folds and scores.
        enrolled: learner, shard of everybody.
        size: Of the lake.
        settings: Of the installation.
    """

    lake: Lake
    folder: Path
    champion: MainBrain
    enrolled: pl.DataFrame
    size: Size
    settings: Settings

    @property
    def yesterday(self) -> date:
        """The last day of the past."""
        return self.size.today - timedelta(days=1)

    def bank(self, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Levels and item bank of a day."""
        items = self.champion.statistics.items
        levels = subject_levels(items, day=day, settings=self.settings.policy)
        return levels, item_bank(items, levels, day=day)


Done = tuple[int, str]
"""Rows, and the version of what was left in the lake."""
Stage = Callable[[School, Meter], Done]


def fold(school: School, meter: Meter, day: date) -> Done:
    """Fold and score what the states have not seen."""
    task = FoldTask(
        lake=school.lake,
        store=StateStore(school.lake),
        champion=school.champion,
        number=1,
        parts=school.lake.parts(ANONYMISED_INTERACTIONS, until=day),
        day=day,
        window_days=school.settings.drift.window_days,
        features=school.settings.features,
        events_at_once=school.settings.students.events_at_once,
    )
    staged = meter.map(fold_shard, task, range(school.lake.shards))
    done = [commit_shard(task, each) for each in staged]
    return sum(each.update.events for each in done), school.lake.version(SCORED_EVENTS, until=day)


def models(school: School, meter: Meter, day: date, *, whole: bool) -> Done:
    """Make the student models of who has new answers, or of everybody."""
    levels, _ = school.bank(day)
    brain = Brain(school.champion.predict, school.champion.statistics, school.settings.features, version="1")
    as_of = datetime.fromisoformat(f"{day + timedelta(days=1)}T00:00:00+00:00")
    task = ModelsTask(
        lake=school.lake,
        store=StateStore(school.lake),
        build=ModelsAsOf(brain, levels, as_of, school.settings.students, day),
        version="1",
        plans=plans_before,
        enrolled=school.enrolled,
        day=day,
        whole=whole,
    )
    made = meter.map(make_models, task, range(school.lake.shards))
    school.lake.commit(staged for each in made for staged in each.staged)
    versions = [school.lake.version(dataset, until=day) for dataset in (STUDENT_MODELS, SKILL_MASTERY)]
    return sum(each.learners for each in made), "-".join(versions)


def signals(school: School, meter: Meter) -> Done:
    """Compute the signals of everybody active."""
    day = school.size.today
    _, bank = school.bank(day)
    assignments = assignments_of(school.lake, day=day, settings=school.settings)
    task = SignalsTask(school.lake, bank, assignments, day, school.settings)
    made = meter.map(stage_signals, task, range(school.lake.shards))
    written = school.lake.commit([staged for staged, _ in made], whole=True)[SIGNALS.folder(day=day)]
    return written.rows, written.version


def recommendations(school: School, meter: Meter) -> Done:
    """Decide what should happen next for everybody with signals."""
    day, policy = school.size.today, school.settings.policy
    wording = load_wording(policy)
    made_by = provenance(school.lake, day=day, wording=wording)
    _, bank = school.bank(day)
    task = RecommendTask(
        school.lake, bank, known_to_all(school.lake, bank, None, policy), day, policy, wording, made_by
    )
    made = meter.map(stage_recommendations, task, range(school.lake.shards))
    written = school.lake.commit([staged for staged, _ in made], whole=True)[RECOMMENDATIONS.folder(day=day)]
    return written.rows, written.version


def train(school: School, _meter: Meter) -> Done:
    """Sample whole learners, fold their answers and fit a main brain; the driver does it, whatever the engine."""
    settings = school.settings
    answers = school.lake.scan(ANONYMISED_INTERACTIONS)
    most = events_within(settings.training.memory_gib, len(FEATURES))
    sample = sample_learners(answers.select("learner"), most, settings.training.seed)
    events = (answers if sample.is_all else sample.filter(answers)).collect()
    made = training_set(events, settings.features, settings.training)
    made_by = MadeBy(data_versions={}, code_version="benchmark")
    fit_main_brain(made.table, made.split, settings.training, statistics=made.statistics, made_by=made_by)
    return events.height, made.statistics.version


def stages(school: School, late: int, *, training: bool) -> list[tuple[str, Callable[[], None], Stage]]:
    """Name, what happens before without being measured, and the stage itself; in their order."""
    size, today = school.size, school.size.today
    folder, shards = school.folder, school.lake.shards
    states, of_some, of_signals, of_advice = CHECK
    order: list[tuple[str, Callable[[], None], Stage]] = [
        ("full refold", _nothing, lambda here, meter: fold(here, meter, here.yesterday)),
        (MODELS_OF_ALL, _nothing, lambda here, meter: models(here, meter, here.yesterday, whole=True)),
        (states, lambda: land_today(size, folder, shards, 0), lambda here, meter: fold(here, meter, today)),
        (of_some, _nothing, lambda here, meter: models(here, meter, today, whole=False)),
        (of_signals, _nothing, signals),
        (of_advice, _nothing, recommendations),
        ("late answers", lambda: land_late(size, folder, shards, late), lambda here, meter: fold(here, meter, today)),
    ]
    return [*order, (TRAINING, _nothing, train)] if training else order


def _nothing() -> None:
    """Nothing has to happen before."""
