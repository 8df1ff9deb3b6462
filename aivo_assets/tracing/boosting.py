"""One boosted model, stopped early on learners it does not see. Belongs here: its fitting; no calibration, no files."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from sklearn.ensemble import HistGradientBoostingClassifier

from aivo_assets.errors import ModelError
from aivo_assets.settings import TrainingSettings
from aivo_assets.tracing.schema import FeatureTable
from aivo_assets.tracing.splits import Rows, learner_folds

HELD_OUT_FOLDS = 10
FEWEST_LEARNERS = 20
SECONDS_BETWEEN_REPORTS = 1.0


class Boosted(BaseModel):
    """How one boosted model came to be.

    Attributes:
        seed: Of the bins' sample.
        rounds: Trees it has.
        held_out: Who ended the boosting: learners it does not see, or, of too few learners, its latest events.
        held_out_events: Number of those events.
        fit_log_loss: Log loss on what it was fitted on.
        held_out_log_loss: Log loss on `held_out`, before calibration.
        ignored: Features that too few events know to be of use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    rounds: int
    held_out: str
    held_out_events: int
    fit_log_loss: float
    held_out_log_loss: float
    ignored: tuple[str, ...]


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
) -> tuple[HistGradientBoostingClassifier, Boosted]:
    """Fit the `model`-th (from 0) boosted model on the rows of a table; each holds out other learners.

    Args:
        table: Features and answers.
        rows: Rows that may be used.
        settings: Of the boosting.
        model: Which one; decides its seed and the learners held out.
        report: Called about once a second, from another thread, while boosting runs.

    Raises:
        ModelError: The rows have one outcome only, or `settings.monotone` names no feature.
    """
    held, held_out = _held_out(table.keys[rows], settings, model)
    target = table.keys["correct"].to_numpy()
    kept, stopping = rows[~held], rows[held]
    for part, name in ((kept, "fit"), (stopping, "end")):
        if np.unique(target[part]).size < 2:
            raise ModelError(
                f"The {part.size} events that would {name} the boosting are all right or all wrong",
                fix="Train on more days or more learners.",
            )
    seed = settings.seed + model
    estimator = HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate,
        max_iter=settings.max_iterations,
        max_leaf_nodes=settings.max_leaves,
        min_samples_leaf=settings.min_samples_leaf,
        l2_regularization=settings.l2_regularization,
        monotonic_cst=_monotone(table.names, settings),
        early_stopping=True,
        n_iter_no_change=settings.patience,
        random_state=seed,
    )
    values, unseen = table.values[kept], table.values[stopping]
    ignored = _rarely_known(values, settings)
    values[:, ignored] = unseen[:, ignored] = 0.0
    with _reporting(estimator, model, settings, report):
        estimator.fit(values, target[kept], X_val=unseen, y_val=target[stopping])
    return estimator, Boosted(
        seed=seed,
        rounds=int(estimator.n_iter_),
        held_out=held_out,
        held_out_events=int(held.sum()),
        fit_log_loss=-float(estimator.train_score_[-1]),
        held_out_log_loss=-float(estimator.validation_score_[-1]),
        ignored=tuple(np.array(table.names)[ignored].tolist()),
    )


def _held_out(keys: pl.DataFrame, settings: TrainingSettings, model: int) -> tuple[NDArray[np.bool_], str]:
    """Which rows end the boosting: a tenth of the learners, or the latest tenth of events where learners are few."""
    if keys["learner"].n_unique() >= FEWEST_LEARNERS:
        dealt = learner_folds(keys["learner"], folds=HELD_OUT_FOLDS, seed=settings.seed)
        return dealt == model % HELD_OUT_FOLDS, "learners"
    times = keys["occurred_at"].to_physical().to_numpy()
    return times > np.quantile(times, 1 - 1 / HELD_OUT_FOLDS), "latest events"


def _rarely_known(values: NDArray[np.float32], settings: TrainingSettings) -> NDArray[np.bool_]:
    """Features known in fewer rows than a leaf needs: no tree could split them.

    scikit-learn 1.9 fails on a feature that is missing in every row of the 200,000 that it samples for its bins; what
    one row in 10,000 knows is in there.
    """
    known = values.shape[0] - np.isnan(values).sum(axis=0)
    fewest: NDArray[np.bool_] = known < max(settings.min_samples_leaf, values.shape[0] // 10_000)
    return fewest


def _monotone(names: tuple[str, ...], settings: TrainingSettings) -> NDArray[np.int8] | None:
    unknown = sorted(settings.monotone.keys() - set(names))
    if unknown:
        raise ModelError(
            f"AIVO_TRAINING_MONOTONE names what is no feature: {', '.join(unknown)}",
            fix=f"Name features of {', '.join(names)}.",
        )
    if not settings.monotone:
        return None
    return np.array([settings.monotone.get(name, 0) for name in names], dtype=np.int8)


@contextmanager
def _reporting(
    estimator: HistGradientBoostingClassifier, model: int, settings: TrainingSettings, report: Report | None
) -> Iterator[None]:
    """Report from beside while the body fits: scikit-learn has no callback here, but its scores grow as it goes."""
    if report is None:
        yield
        return
    done = threading.Event()
    failures: list[Exception] = []

    def look() -> None:
        seen = 0
        while not done.wait(SECONDS_BETWEEN_REPORTS):
            held_out = list(getattr(estimator, "validation_score_", ()))
            rounds = len(held_out) - 1  # the first score is the one before any tree
            if rounds > seen:
                seen = rounds
                try:
                    report(Progress(model + 1, settings.models, rounds, settings.max_iterations, -float(held_out[-1])))
                except Exception as error:
                    failures.append(error)
                    return

    watcher = threading.Thread(target=look, name="boosting progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    if failures:
        raise failures[0]
