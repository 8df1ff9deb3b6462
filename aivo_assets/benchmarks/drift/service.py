"""A champion in service, day by day. Belongs here: training, scoring through the serving path, the platform's verdicts.

What scores and judges here is the platform's own: `training_set`, `fit_main_brain`, `fold`, `check_models`, `judge`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from aivo_assets.drift.schema import ASKS_FOR_TRAINING, DRIFT_VERDICTS
from aivo_assets.drift.scores.sample import Sample, read_sample
from aivo_assets.drift.scores.scored_events import scored_events
from aivo_assets.drift.scores.scores import Worth
from aivo_assets.drift.verdicts.checks import check_models
from aivo_assets.drift.verdicts.verdict import judge
from aivo_assets.settings import DriftSettings, FeatureSettings, TrainingSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.model.main_brain import MadeBy, MainBrain, fit_main_brain
from aivo_assets.tracing.model.training import training_set


@dataclass(frozen=True)
class Champion:
    """A trained main brain and what it promised.

    Attributes:
        brain: The model.
        reference: DRIFT_REFERENCE: its own hold-out.
        as_of: Last day that it was trained with.
        settings: Settings of the fold.
    """

    brain: MainBrain
    reference: pl.DataFrame
    as_of: date
    settings: FeatureSettings

    @property
    def version(self) -> str:
        """Names it in scored events."""
        return self.as_of.isoformat()

    @cached_property
    def promised(self) -> Sample:
        """The reference, read once."""
        return read_sample(self.reference)

    @cached_property
    def worth(self) -> Worth:
        """What it knew."""
        return Worth.of(self.promised, DriftSettings())


@dataclass(frozen=True)
class Scored:
    """Events as the champion saw them: SCORED_EVENTS and their features, row by row."""

    events: pl.DataFrame
    table: FeatureTable


def train_champion(
    events: pl.DataFrame, as_of: date, features: FeatureSettings, training: TrainingSettings
) -> Champion:
    """Train on everything up to a day, as the nightly training does.

    Raises:
        ModelError: There are too few events.
    """
    first = as_of - timedelta(days=training.window_days - 1)
    made = training_set(events.filter(pl.col("day").is_between(first, as_of)), features, training)
    brain = fit_main_brain(
        made.table,
        made.split,
        training,
        statistics=made.statistics,
        made_by=MadeBy(data_versions={}, code_version="benchmark"),
    )
    held_out = made.table.take(made.split.evaluate)
    reference = scored_events(held_out, brain.predict(held_out), model_version=as_of.isoformat())
    return Champion(brain, reference, as_of, features)


def score_days(champion: Champion, events: pl.DataFrame, first: date, last: date) -> Scored:
    """What the champion says of each answer from `first` to `last` before it sees it, states folded up to there."""
    active = events.filter(pl.col("day").is_between(first, last))["learner"].unique()
    known = events.filter(pl.col("day") <= last, pl.col("learner").is_in(active.implode()))
    table = fold(known, champion.brain.statistics, None, champion.settings).features
    asked = table.take((table.keys["day"] >= first).to_numpy())
    scored = scored_events(asked, champion.brain.predict(asked), model_version=champion.version)
    return Scored(scored, asked)


@dataclass(frozen=True)
class Checked:
    """One day's check.

    Attributes:
        day: As-of day.
        verdicts: DRIFT_VERDICTS of the day.
        window: Scored events of the longest window.
    """

    day: date
    verdicts: pl.DataFrame
    window: pl.DataFrame

    @property
    def asks(self) -> bool:
        """Whether a training was asked for."""
        return bool(self.verdicts["verdict"].cast(pl.String).is_in(ASKS_FOR_TRAINING).any())

    @property
    def judged(self) -> bool:
        """Whether there was a sample to judge."""
        return not self.verdicts["verdict"].cast(pl.String).is_in(["too_few_events", "no_reference"]).all()

    @property
    def watched(self) -> bool:
        """Whether anything was reported."""
        return bool((self.verdicts["verdict"].cast(pl.String) != "ok").any()) and self.judged


def checks(
    champion: Champion,
    scored: pl.DataFrame,
    days: Sequence[date],
    attributes: pl.DataFrame | None,
    settings: DriftSettings,
    *,
    before: pl.DataFrame | None = None,
) -> Iterator[Checked]:
    """Check the champion at the end of each day, each knowing the verdicts before.

    Args:
        champion: In service.
        scored: SCORED_EVENTS of the days and of the windows before them.
        days: Ascending.
        attributes: Published attributes.
        settings: Of drift.
        before: DRIFT_VERDICTS of earlier days.
    """
    history = DRIFT_VERDICTS.empty() if before is None else before
    for day in days:
        window = scored.filter(pl.col("day").is_between(day - timedelta(days=settings.window_days - 1), day))
        scores = check_models(window, champion.promised, attributes, day=day, settings=settings, explain=False)
        verdicts = judge(scores, history, settings)
        history = pl.concat([history, verdicts])
        yield Checked(day, verdicts, window)
