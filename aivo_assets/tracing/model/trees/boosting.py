"""One boosted model, stopped early on learners it does not see. Belongs here: its fitting; no calibration, no files."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from aivo_assets.errors import ModelError
from aivo_assets.settings import TrainingSettings
from aivo_assets.tracing.fold.catalogue import CATEGORIES
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.model.splits import Rows, learner_folds
from aivo_assets.tracing.model.trees.trees import Trees, grow

HELD_OUT_FOLDS = 10
FEWEST_LEARNERS = 20
SECONDS_BETWEEN_REPORTS = 1.0
_CATEGORY_SHRINKAGE = {"cat_smooth": 50.0, "cat_l2": 50.0, "min_data_per_group": 300}  # a rare skill is as the others


class Boosted(BaseModel):
    """How one boosted model came to be.

    Attributes:
        seed: Of the features that each tree may use.
        rounds: Trees it has.
        held_out: Who ended the boosting: learners it does not see, or, of too few learners, its latest events.
        held_out_events: Number of those events.
        fit_log_loss: Log loss on what it was fitted on.
        held_out_log_loss: Log loss on `held_out`, before calibration.
        ignored: Features that too few events know to be of use.
        fit_curve: Log loss after each round on what it was fitted on.
        held_out_curve: The same on `held_out`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    rounds: int
    held_out: str
    held_out_events: int
    fit_log_loss: float
    held_out_log_loss: float
    ignored: tuple[str, ...]
    fit_curve: tuple[float, ...] = ()
    held_out_curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Where a running fit stands.

    Attributes:
        model: Which of the `models`, from 1.
        models: How many are fitted.
        rounds: Rounds done of this one.
        most_rounds: It ends there at the latest.
        held_out_log_loss: Present log loss on held-out learners.
    """

    model: int
    models: int
    rounds: int
    most_rounds: int
    held_out_log_loss: float


Report = Callable[[Progress], None]


def fit_boosted(
    table: FeatureTable, rows: Rows, settings: TrainingSettings, *, model: int, report: Report | None = None
) -> tuple[Trees, Boosted]:
    """Fit the `model`-th (from 0) boosted model on the rows of a table; each holds out other learners.

    Args:
        table: Features and answers.
        rows: Rows that may be used.
        settings: Of the boosting.
        model: Which one; decides its seed and the learners held out.
        report: Called about once a second while boosting runs.

    Raises:
        ModelError: The rows have one outcome only, or `settings.monotone` names no feature.
    """
    held, held_out = _held_out(table.keys[rows], settings, model)
    target = table.target
    fitting, stopping = rows[~held], rows[held]
    for part, name in ((fitting, "fit"), (stopping, "end")):
        if np.unique(target[part]).size < 2:
            raise ModelError(
                f"The {part.size} events that would {name} the boosting are all right or all wrong",
                fix="Train on more days or more learners.",
            )
    seed = settings.seed + model
    values, unseen = table.values[fitting], table.values[stopping]
    ignored = _rarely_known(values, settings)
    values[:, ignored] = unseen[:, ignored] = 0.0
    grown = grow(
        (values, target[fitting]),
        (unseen, target[stopping]),
        _parameters(table.names, settings, seed),
        most_rounds=settings.max_iterations,
        patience=settings.patience,
        categories=tuple(table.names.index(name) for name in CATEGORIES if name in table.names),
        report=_reporter(model, settings, report),
    )
    return grown.trees, Boosted(
        seed=seed,
        rounds=grown.trees.rounds,
        held_out=held_out,
        held_out_events=int(held.sum()),
        fit_log_loss=grown.fit_curve[-1],
        held_out_log_loss=grown.held_out_curve[-1],
        ignored=tuple(np.array(table.names)[ignored].tolist()),
        fit_curve=grown.fit_curve,
        held_out_curve=grown.held_out_curve,
    )


def _parameters(names: tuple[str, ...], settings: TrainingSettings, seed: int) -> dict[str, object]:
    """As LightGBM names them; row-wise and deterministic, so that the number of threads changes no bit."""
    return {
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.max_leaves,
        "min_data_in_leaf": settings.min_samples_leaf,
        "lambda_l2": settings.l2_regularization,
        "feature_fraction": settings.feature_share,
        "monotone_constraints": _monotone(names, settings),
        **_CATEGORY_SHRINKAGE,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
    }


def _held_out(keys: pl.DataFrame, settings: TrainingSettings, model: int) -> tuple[NDArray[np.bool_], str]:
    """Which rows end the boosting: a tenth of the learners, or the latest tenth of events where learners are few."""
    if keys["learner"].n_unique() >= FEWEST_LEARNERS:
        dealt = learner_folds(keys["learner"], folds=HELD_OUT_FOLDS, seed=settings.seed)
        return dealt == model % HELD_OUT_FOLDS, "learners"
    times = keys["occurred_at"].to_physical().to_numpy()
    return times > np.quantile(times, 1 - 1 / HELD_OUT_FOLDS), "latest events"


def _rarely_known(values: NDArray[np.float32], settings: TrainingSettings) -> NDArray[np.bool_]:
    """Features known in fewer rows than a leaf needs, or than one in 10,000: what a tree made of them would be luck."""
    known = values.shape[0] - np.isnan(values).sum(axis=0)
    fewest: NDArray[np.bool_] = known < max(settings.min_samples_leaf, values.shape[0] // 10_000)
    return fewest


def _monotone(names: tuple[str, ...], settings: TrainingSettings) -> list[int] | None:
    unknown = sorted(settings.monotone.keys() - set(names))
    if unknown:
        raise ModelError(
            f"AIVO_TRAINING_MONOTONE names what is no feature: {', '.join(unknown)}",
            fix=f"Name features of {', '.join(names)}.",
        )
    if not settings.monotone:
        return None
    return [settings.monotone.get(name, 0) for name in names]


def _reporter(model: int, settings: TrainingSettings, report: Report | None) -> Callable[[int, float], None] | None:
    """Report at most once in `SECONDS_BETWEEN_REPORTS`."""
    if report is None:
        return None
    last = time.monotonic()

    def tell(rounds: int, held_out: float) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_REPORTS:
            last = time.monotonic()
            report(Progress(model + 1, settings.models, rounds, settings.max_iterations, held_out))

    return tell
