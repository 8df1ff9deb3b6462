"""What a model card shows beyond an evaluation: the ROC curve, groups with intervals, the training curve. No words."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.arrays import Floats
from aivo_assets.settings import PromotionSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.judging.bootstrap import paired_bootstrap
from aivo_assets.tracing.judging.evaluation import Evaluation, Holdout, hold_out, score
from aivo_assets.tracing.model.importance import Importance, permutation_importance
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.model.scores import area_under_curve, losses
from aivo_assets.tracing.model.splits import Split
from aivo_assets.tracing.model.trees.boosting import Boosted

BOUND = 0.975  # of each bound, so that both together hold with 95 %
EVERYBODY = "everybody"
ROC_POINTS = 200


@dataclass(frozen=True)
class MeanInterval:
    """A mean over answers with a 95 % interval over learners."""

    mean: float
    lower: float
    upper: float


@dataclass(frozen=True)
class GroupMeasure:
    """How good a model is for one group.

    Attributes:
        kind: By what it is grouped; empty for everybody.
        value: Which group.
        events: Answers.
        learners: Who gave them.
        auc: None without both outcomes.
        log_loss: Lower is better.
        expected: Mean probability of a right answer.
        surprise: Share of right answers less the mean probability; above zero they did better than expected.
    """

    kind: str
    value: str
    events: int
    learners: int
    auc: float | None
    log_loss: MeanInterval
    expected: float
    surprise: MeanInterval

    @property
    def name(self) -> str:
        """For a table or a plot."""
        return f"{self.kind.replace('_', ' ')}: {self.value}" if self.kind else self.value


@dataclass(frozen=True)
class Roc:
    """Share of wrong answers and of right ones above each threshold, both ascending, float64 [≤ 201]."""

    wrong: Floats
    right: Floats


@dataclass(frozen=True)
class Curve:
    """Log loss of one boosted model after each round; empty where the estimator does not tell."""

    fitted: Floats
    held_out: Floats


@dataclass(frozen=True)
class CardMeasures:
    """Everything that a card shows."""

    evaluation: Evaluation
    roc: dict[str, Roc]
    groups: tuple[GroupMeasure, ...]
    importance: Importance
    curves: tuple[Curve, ...]
    kinds_without_group: tuple[str, ...]


def measure(
    brain: MainBrain,
    table: FeatureTable,
    split: Split,
    settings: PromotionSettings,
    *,
    attributes: pl.DataFrame | None,
    seed: int,
) -> CardMeasures:
    """Measure a model on the evaluation rows of the split that it was fitted with.

    Args:
        brain: The model.
        table: Features of all rows of the split.
        split: Cut by time.
        settings: Sizes of groups, resamples.
        attributes: Learner attributes to group by (see `find_slices`).
        seed: Of the importance's sample.
    """
    holdout = hold_out(table.keys, split, brain.statistics, settings, attributes=attributes)
    unseen = table.take(split.evaluate)
    predicted = brain.predict(unseen)
    groups = _groups(holdout, predicted, settings)
    kinds = [] if attributes is None else [name for name in attributes.columns if name not in ("learner", "shard")]
    return CardMeasures(
        evaluation=score(holdout, predicted, model=brain.fingerprint),
        roc={
            "main brain": roc(holdout.correct, predicted),
            "item difficulty alone": roc(holdout.correct, holdout.baselines["item_difficulty"]),
        },
        groups=groups,
        importance=permutation_importance(brain, unseen, seed=seed),
        curves=tuple(_curve(boosted) for boosted in brain.summary.boosted),
        kinds_without_group=tuple(kind for kind in kinds if kind not in {group.kind for group in groups}),
    )


def roc(correct: Floats, probability: Floats) -> Roc:
    """The ROC curve, thinned to at most 201 points; a straight line without both outcomes."""
    order = np.argsort(-probability, kind="stable")
    happened, predicted = correct[order], probability[order]
    ends = np.flatnonzero(np.append(np.diff(predicted) != 0, True))
    right, wrong = np.cumsum(happened)[ends], np.cumsum(1 - happened)[ends]
    if not right[-1] or not wrong[-1]:
        return Roc(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    points = np.unique(np.linspace(0, ends.size - 1, min(ROC_POINTS, ends.size)).round().astype(np.intp))
    return Roc(np.append(0.0, wrong[points] / wrong[-1]), np.append(0.0, right[points] / right[-1]))


def _groups(holdout: Holdout, predicted: Floats, settings: PromotionSettings) -> tuple[GroupMeasure, ...]:
    everybody = ("", EVERYBODY, np.ones(predicted.size, dtype=np.bool_))
    chosen = [everybody, *((part.kind, part.value, part.rows) for part in holdout.slices)]
    return tuple(_group(kind, value, rows, holdout, predicted, settings) for kind, value, rows in chosen)


def _group(
    kind: str, value: str, rows: NDArray[np.bool_], holdout: Holdout, predicted: Floats, settings: PromotionSettings
) -> GroupMeasure:
    correct, learners, probability = holdout.correct[rows], holdout.learners[rows], predicted[rows]

    def estimate(values: Floats) -> MeanInterval:
        interval = paired_bootstrap(
            values, learners, samples=settings.bootstrap_samples, confidence=BOUND, seed=settings.bootstrap_seed
        )
        return MeanInterval(interval.mean, interval.lower, interval.upper)

    return GroupMeasure(
        kind=kind,
        value=value,
        events=correct.size,
        learners=int(np.unique(learners).size),
        auc=area_under_curve(correct, probability),
        log_loss=estimate(losses(correct, probability)),
        expected=float(probability.mean()),
        surprise=estimate(correct - probability),
    )


def _curve(boosted: Boosted) -> Curve:
    return Curve(np.array(boosted.fit_curve), np.array(boosted.held_out_curve))
