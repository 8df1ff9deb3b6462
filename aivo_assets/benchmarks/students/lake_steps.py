"""The steps that make a benchmark's lake: past, champion, new and late answers. Belongs here: making; no measuring.

Each is a function of plain arguments, so that it can run in a process of its own.
"""

from datetime import timedelta
from pathlib import Path

import polars as pl

from aivo_assets.benchmarks.students.student_lake import SchoolLake, Size, land
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.model import artefact
from aivo_assets.tracing.model.main_brain import MadeBy, fit_main_brain
from aivo_assets.tracing.model.training import training_set

BRAIN = "brain"
LEARNERS_A_SHARD = 250_000


def make_events(size: Size, _settings: Settings, folder: Path, shards: int) -> None:
    """Write all days of the past."""
    lake = Lake(folder, shards=shards)
    for day, events in SchoolLake(size, shards).past():
        lake.write(ANONYMISED_INTERACTIONS, events, day=day)


def fit_champion(size: Size, settings: Settings, folder: Path, shards: int) -> None:
    """On the answers of some learners: how many it was fitted on decides nothing of what a check costs."""
    lake = Lake(folder, shards=shards)
    sample = SchoolLake(size, shards).roll["learner"].sample(min(size.learners, 4000), seed=size.seed)
    events = lake.scan(ANONYMISED_INTERACTIONS).filter(pl.col("learner").is_in(sample.implode())).collect()
    training = training_set(events, settings.features, settings.training)
    made_by = MadeBy(data_versions={}, code_version="benchmark")
    brain = fit_main_brain(
        training.table, training.split, settings.training, statistics=training.statistics, made_by=made_by
    )
    artefact.save(brain, folder / BRAIN)


def land_today(size: Size, folder: Path, shards: int, check: int) -> None:
    """Add the new answers of a check to the day after the past."""
    land(Lake(folder, shards=shards), size.today, SchoolLake(size, shards).today(check))


def land_late(size: Size, folder: Path, shards: int, learners: int) -> None:
    """Give so many learners of a day in the middle of the past one answer more."""
    lake, day = Lake(folder, shards=shards), size.today - timedelta(days=size.days // 2)
    events = lake.scan(ANONYMISED_INTERACTIONS, days=[day]).collect()
    late = min(learners, events["learner"].n_unique())
    lake.write(ANONYMISED_INTERACTIONS, SchoolLake(size, shards).one_more(day, events, late), day=day)
