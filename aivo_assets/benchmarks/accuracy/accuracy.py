"""How accurate the main brain is on any file. Belongs here: training and scoring part by part; no printing, no files.

The model is the pipeline's own: statistics, fold and boosting are the functions that serve every day, with the settings
of the caller. Learners: group k-fold, a test learner's rows are predicted one after another from their own past only.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.arrays import Floats
from aivo_assets.benchmarks.accuracy.audit import Said, audit
from aivo_assets.benchmarks.accuracy.baselines import BEST_LR, predict_baselines
from aivo_assets.benchmarks.accuracy.best_lr import predict_best_lr
from aivo_assets.benchmarks.accuracy.peers import predict_peer
from aivo_assets.benchmarks.accuracy.report import AccuracyReport, MachineUse, ModelScores, PartScores
from aivo_assets.benchmarks.machine import peak_bytes
from aivo_assets.benchmarks.partitions import Part
from aivo_assets.errors import ModelError
from aivo_assets.settings import FeatureSettings, TrainingSettings
from aivo_assets.tracing.fold.catalogue import NAMES
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.statistics import OutOfFold, Statistics, fit_statistics, out_of_fold
from aivo_assets.tracing.model.scores import Scores, clipped
from aivo_assets.tracing.model.splits import learner_folds
from aivo_assets.tracing.model.trees.boosting import Boosted
from aivo_assets.tracing.model.trees.ensemble import Ensemble, fit_ensemble

COLD_START_EVENTS = 10
CALIBRATION_FOLDS = 20  # one in so many training learners calibrates and fits no tree
MAIN_BRAIN = "main brain"
_INNER_SEED = 1009  # folds of the statistics dealt as the parts are would leave one of them empty

Fold = Callable[[pl.DataFrame, Statistics | OutOfFold, FeatureSettings], FeatureTable]
Say = Callable[[str], None]


def fold_features(events: pl.DataFrame, statistics: Statistics | OutOfFold, settings: FeatureSettings) -> FeatureTable:
    """The features of the pipeline."""
    return fold(events, statistics, None, settings).features


def without(names: Sequence[str]) -> Fold:
    """The features of the pipeline, some of them unknown in every row: how much the model loses is what they are worth.

    Raises:
        ModelError: A name is no feature.
    """
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise ModelError(f"No features: {', '.join(unknown)}", fix=f"Name some of {', '.join(NAMES)}.")
    columns = [NAMES.index(name) for name in names]

    def blanked(events: pl.DataFrame, statistics: Statistics | OutOfFold, settings: FeatureSettings) -> FeatureTable:
        table = fold_features(events, statistics, settings)
        table.values[:, columns] = np.nan
        return table

    return blanked


@dataclass(frozen=True)
class Contest:
    """Who is measured, and how.

    Attributes:
        features: Settings of statistics and fold.
        training: Settings of the main brain.
        best_lr: Whether Best-LR is fitted, which takes longest of the baselines.
        peers: Other libraries to run where they are installed; "pybkt" is known.
        peer_python: Interpreter that has them.
        fold: What computes features: all of them, `without` some, or a test's leaky ones for the audit to find.
    """

    features: FeatureSettings = field(default_factory=FeatureSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    best_lr: bool = True
    peers: tuple[str, ...] = ()
    peer_python: str = sys.executable
    fold: Fold = fold_features


def measure_accuracy(parts: Sequence[Part], contest: Contest, *, say: Say = lambda _: None) -> AccuracyReport:
    """Train on each part's training events, predict its test events, score, and audit.

    Args:
        parts: Of one file; see `partitions`.
        contest: Who is measured.
        say: Told each step.

    Raises:
        ModelError: The audit failed, or the events cannot fit a model.
    """
    return AccuracyReport(parts=tuple(_measure(part, contest, say) for part in parts))


def _measure(part: Part, contest: Contest, say: Say) -> PartScores:
    say(f"{part.name}: {part.train.height:,} events train, {part.test.height:,} are predicted")
    started = time.perf_counter()
    statistics = fit_statistics(part.train, contest.features)
    of_others = out_of_fold(
        part.train, contest.features, folds=contest.training.statistics_folds, seed=contest.training.seed + _INNER_SEED
    )
    train = contest.fold(part.train, of_others, contest.features)
    test = _folded_test(part, statistics, contest)
    feature_seconds = time.perf_counter() - started
    say(f"{part.name}: {len(train.names)} features in {feature_seconds:.0f} s")
    started = time.perf_counter()
    ensemble, boosted = _fit(train, contest.training)
    fit_seconds = time.perf_counter() - started
    say(f"{part.name}: boosting of {[made.rounds for made in boosted]} rounds in {fit_seconds:.0f} s")
    probability = ensemble.predict(test.values)
    peak = peak_bytes()

    def again(events: pl.DataFrame) -> Said:
        table = contest.fold(events, statistics, contest.features)
        return Said(ensemble.predict(table.values), table)

    audited = audit(part, statistics, of_others, again, seed=contest.training.seed)
    say(f"{part.name}: audit passed")
    predictions = {MAIN_BRAIN: probability, **_baselines(part, train, test, contest, say)}
    slices = _slices(part, test.keys)
    return PartScores(
        name=part.name,
        train_events=part.train.height,
        train_learners=part.train["learner"].n_unique(),
        test_events=test.height,
        test_learners=test.keys["learner"].n_unique(),
        features=len(test.names),
        rounds=tuple(made.rounds for made in boosted),
        models=tuple(_scored(name, test.target, predicted, slices) for name, predicted in predictions.items()),
        use=MachineUse(feature_seconds=feature_seconds, fit_seconds=fit_seconds, peak_bytes=peak),
        audit=audited,
    )


def _fit(train: FeatureTable, settings: TrainingSettings) -> tuple[Ensemble, tuple[Boosted, ...]]:
    """Trees on most training learners, calibration on the others: no test learner takes part."""
    calibrates = learner_folds(train.keys["learner"], folds=CALIBRATION_FOLDS, seed=settings.seed + 1) == 0
    return fit_ensemble(train, np.flatnonzero(~calibrates), np.flatnonzero(calibrates), settings)


def _folded_test(part: Part, statistics: Statistics, contest: Contest) -> FeatureTable:
    """Features of the test events, ascending by learner, day, sequence; their learners' past is folded before them."""
    table = contest.fold(pl.concat([part.past, part.test]), statistics, contest.features)
    if part.past.is_empty():
        return table
    asked = part.test.select("event", _asked=pl.lit(value=True))
    mask = table.keys.select("event").join(asked, on="event", how="left", maintain_order="left")["_asked"]
    return table.take(mask.fill_null(value=False).to_numpy())


def _baselines(part: Part, train: FeatureTable, test: FeatureTable, contest: Contest, say: Say) -> dict[str, Floats]:
    predictions = predict_baselines(train, test)
    if contest.best_lr:
        started = time.perf_counter()
        predictions[BEST_LR] = clipped(predict_best_lr(part))
        say(f"{part.name}: Best-LR in {time.perf_counter() - started:.0f} s")
    for peer in contest.peers:
        started = time.perf_counter()
        predictions[peer] = clipped(predict_peer(peer, part, python=contest.peer_python))
        say(f"{part.name}: {peer} in {time.perf_counter() - started:.0f} s")
    return predictions


def _slices(part: Part, keys: pl.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Cold start and unseen items among the test rows."""
    order = pl.concat([part.past, part.test]).sort("learner", "day", "sequence")
    place = order.select("event", _place=pl.int_range(pl.len()).over("learner"))
    placed = keys.select("event").join(place, on="event", how="left", maintain_order="left")["_place"]
    known = part.train["item_id"].unique()
    return {
        "cold start": (placed < COLD_START_EVENTS).to_numpy(),
        "unseen items": (~keys["item_id"].is_in(known.implode())).to_numpy(),
    }


def _scored(name: str, correct: Floats, predicted: Floats, slices: dict[str, NDArray[np.bool_]]) -> ModelScores:
    return ModelScores(
        name=name,
        scores=Scores.of(correct, predicted),
        slices={part: Scores.of(correct[rows], predicted[rows]) for part, rows in slices.items() if rows.any()},
    )
