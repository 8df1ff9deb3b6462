"""Hyper-parameters of the main brain: what is searched, on which rows, and what was found. Optuna's door is `studies`.

A trial is judged on learners it was not fitted on, all of them from the rows that may fit a model: the rows that
calibrate and evaluate take no part. Training begins with what was found, so a better answer found today is where
tomorrow begins. Deterministic given the studies so far and the number of trials; a search that ends by its *time* may
have made fewer trials on a slower machine, which is why an answer is stored and stands for its day.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.lake import Dataset
from aivo_assets.settings import TrainingSettings, TuningSettings
from aivo_assets.tracing.model.main_brain import MadeBy, fit_main_brain
from aivo_assets.tracing.model.scores import losses
from aivo_assets.tracing.model.search.sampling import Sample, sample_learners
from aivo_assets.tracing.model.search.studies import SETTINGS, Dimension, Studied, Studies, Values
from aivo_assets.tracing.model.splits import Rows, Split, learner_folds
from aivo_assets.tracing.model.training import TrainingSet

HYPERPARAMETERS = Dataset(
    "main_brain/hyperparameters",
    {"day": pl.Date, "parameter": pl.String, "value": pl.Float64, "setting": pl.Float64, "origin": pl.String},
    unit="day",
)
COLUMN_DESCRIPTIONS = {
    "day": "As of which day.",
    "parameter": "Field of the training settings.",
    "value": "What the main brain of this day is fitted with.",
    "setting": "What the settings say.",
    "origin": "Whose idea it was: settings, earlier search, this search.",
}

SPACE = (
    Dimension("learning_rate", 0.02, 0.3),
    Dimension("max_leaves", 8, 256, whole=True),
    Dimension("min_samples_leaf", 20, 1000, whole=True),
    Dimension("l2_regularization", 0.01, 100.0),
    Dimension("feature_share", 0.2, 1.0),
)
FEWEST_LEARNERS = 20  # with fewer, one learner's luck decides between two settings


@dataclass(frozen=True)
class Budget:
    """How long may be searched.

    Attributes:
        trials: Most trials; 0 switches the search off.
        seconds: No trial begins later than this.
    """

    trials: int
    seconds: float

    def covers(self, other: "Budget") -> bool:
        """Whether a search with this budget went at least as far as one with the other would."""
        return self.trials >= other.trials and self.seconds >= other.seconds


@dataclass(frozen=True)
class Answer:
    """What a search found.

    Attributes:
        values: By name of the parameter.
        origin: Whose idea they were (`studies.Tried.origin`).
        score: Their log loss as a share of a constant's, on learners held out; None where nothing was tried.
        settings_score: The same of the settings' own values; None where they were not tried in this search.
        sample: What was searched on.
        studied: What was tried; None where nothing was.
        reason: A sentence for a person.
    """

    values: Values
    origin: str
    score: float | None
    settings_score: float | None
    sample: Sample
    studied: Studied | None
    reason: str


def search(
    training: TrainingSet, settings: TrainingSettings, tuning: TuningSettings, budget: Budget,
    *, home: Path, day: date, inputs: str, database: str | None = None,
) -> Answer:  # fmt: skip
    """Search for parameters on the fit rows of a training set.

    Args:
        training: Features, split and statistics; only its `fit` rows are read.
        settings: What is not searched, and where the search begins.
        tuning: Rows, learners held out, seeds.
        budget: Trials and seconds.
        home: AIVO_HOME; studies lie in its folder `optuna`.
        day: Last day that the training set knows; later days' studies are not looked at.
        inputs: `inputs_of` the search; part of the study's name.
        database: PostgreSQL database of the studies. Default: a file in their folder.
    """
    keys = training.table.keys[training.split.fit]
    sample = sample_learners(keys.select("learner"), tuning.most_rows, tuning.seed)
    own = values_of(settings)
    if budget.trials == 0 or len(sample.learners) < FEWEST_LEARNERS:
        why = "The search is switched off" if budget.trials == 0 else f"Fewer than {FEWEST_LEARNERS} learners"
        return Answer(own, SETTINGS, None, None, sample, None, f"{why}: the settings are taken.")
    judge = _Judge.of(training, training.split.fit[sample.mask(keys)], settings, tuning)
    space = [dimension.reaching(own[dimension.name]) for dimension in SPACE]
    first = {dimension.name: max(own[dimension.name], dimension.low) for dimension in space}
    studied = Studies(home, database).run(
        f"main_brain {day} {inputs} {budget.trials} in {budget.seconds:g} s",
        judge.score,
        space,
        first,
        as_of=day,
        trials=budget.trials,
        seconds=budget.seconds,
        most_earlier=tuning.earlier_trials,
    )
    if not studied.tried:
        return Answer(own, SETTINGS, None, None, sample, studied, "No trial was finished: the settings are taken.")
    best = min(studied.tried, key=lambda tried: tried.score)  # of equals the first: what was known before
    own_score = next((tried.score for tried in studied.tried if tried.values == first), None)
    return Answer(
        best.values, best.origin, best.score, own_score, sample, studied,
        f"{best.origin.capitalize()} gave the best of {len(studied.tried)} finished trials ({studied.pruned} ended "
        f"early, {studied.failed} failed, {studied.earlier} known from earlier searches): {best.score:.2%} of a "
        f"constant's log loss on learners held out, on {sample.sentence}.",
    )  # fmt: skip


def inputs_of(settings: TrainingSettings, tuning: TuningSettings, *, data: str, code: str) -> str:
    """Hash of everything that an answer follows from, but for its budget and the studies before it."""
    budgets = {"trials", "seconds", "weekly_trials", "weekly_seconds"}
    made_of = {
        "training": settings.model_dump(mode="json", exclude={"memory_gib"}),
        "tuning": tuning.model_dump(mode="json", exclude=budgets),
        "space": [(each.name, each.low, each.high, each.whole) for each in SPACE],
        "data": data,
        "code": code,
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def values_of(settings: TrainingSettings) -> Values:
    """What the settings say of the parameters that are searched."""
    return {dimension.name: float(getattr(settings, dimension.name)) for dimension in SPACE}


def tuned(settings: TrainingSettings, best: pl.DataFrame) -> TrainingSettings:
    """The settings with what was found in place of their own; unchanged where nothing was.

    Args:
        settings: Of the training.
        best: HYPERPARAMETERS of one day, or an empty frame.
    """
    values: dict[str, Any] = dict(best.select("parameter", "value").iter_rows())  # a handful of parameters
    return TrainingSettings.model_validate({**settings.model_dump(), **values})


def to_frame(answer: Answer, settings: TrainingSettings, *, day: date) -> pl.DataFrame:
    """An answer as a frame of HYPERPARAMETERS."""
    own = values_of(settings)
    rows = [(day, name, value, own[name], answer.origin) for name, value in sorted(answer.values.items())]
    return pl.DataFrame(rows, schema=dict(HYPERPARAMETERS.schema), orient="row")


@dataclass(frozen=True)
class _Judge:
    """Scores values on held-out learners: fitted first on a few of the others, then, if that was promising, on all."""

    training: TrainingSet
    settings: TrainingSettings
    steps: tuple[Rows, ...]
    held_out: Rows

    @classmethod
    def of(cls, training: TrainingSet, rows: Rows, settings: TrainingSettings, tuning: TuningSettings) -> "_Judge":
        learners = training.table.keys["learner"][rows]
        held = learner_folds(learners, folds=tuning.held_out_folds, seed=tuning.seed + 1) == 0
        fitting = learners.filter(~held).to_frame()
        few = sample_learners(fitting, int(fitting.height * tuning.first_share), tuning.seed).mask(fitting)
        # The curve over seeds is the final training's business: one model tells two settings apart as well.
        plain = settings.model_copy(update={"models": 1, "calibration": "none"})
        return cls(training, plain, (rows[~held][few], rows[~held]), rows[held])

    def score(self, values: Values, stop: Callable[[int, float], bool]) -> float:
        """Log loss on the learners held out, as a share of a constant's; below 1 it is of use."""
        settings = TrainingSettings.model_validate({**self.settings.model_dump(), **values})
        score = 1.0
        for step, rows in enumerate(self.steps):
            score = self._share(rows, settings)
            if stop(step, score):
                break
        return score

    def _share(self, rows: Rows, settings: TrainingSettings) -> float:
        table = self.training.table
        target: NDArray[np.float64] = table.keys["correct"].cast(pl.Float64).to_numpy()
        correct = target[self.held_out]
        cut = self.training.split
        # The calibration is none, so what "calibrates" changes nothing; it must not be empty.
        split = Split(
            rows, self.held_out, self.held_out, cut.calibrate_from, cut.evaluate_from, cut.until, cut.by,
        )  # fmt: skip
        brain = fit_main_brain(
            table, split, settings,
            statistics=self.training.statistics, made_by=MadeBy(data_versions={}, code_version=""),
        )  # fmt: skip
        loss = losses(correct, brain.predict(table.take(self.held_out))).mean()
        return float(loss / losses(correct, np.full(correct.size, target[rows].mean())).mean())
