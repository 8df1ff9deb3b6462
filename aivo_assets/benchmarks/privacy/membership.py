"""Whether a model tells who was trained on. Belongs here: a likelihood-ratio attack (LiRA) over learners; no defence.

After Carlini et al., "Membership inference attacks from first principles" (2022), with learners instead of rows: shadow
models are trained on random halves of the learners; for each learner two normal distributions say what a model shows
that knew them and what one that did not; each shadow in turn is the victim and is left out of both. What a model shows
is its confidence in the learner's own answers, and the mastery vector of their page, made with the model's statistics.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict
from sklearn.metrics import roc_auc_score, roc_curve

from aivo_assets.arrays import Floats
from aivo_assets.settings import Settings, TrainingSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.model.main_brain import MadeBy, MainBrain, fit_main_brain
from aivo_assets.tracing.model.scores import Scores
from aivo_assets.tracing.model.training import training_set
from aivo_assets.tracing.students.student_models import Brain, build_student_models

FALSE_POSITIVES = 0.01
_LEAST_SIDE = 3  # shadows that knew a learner, and that did not, without the victim
_FLOOR = 1e-4


class Membership(BaseModel):
    """What an attack on the main brain achieves.

    Attributes:
        sees: What the attacker sees.
        shadows: Models trained.
        learners: Learners attacked on each.
        auc: Area under the ROC curve; 0.5 is a guess.
        auc_low, auc_high: 95 % interval, bootstrapped over learners.
        true_positives: Share of members found at 1 % false alarms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sees: str
    shadows: int
    learners: int
    auc: float
    auc_low: float
    auc_high: float
    true_positives: float


class MembershipAttack(BaseModel):
    """An attack with one way of training.

    Attributes:
        training: How the models were trained, in words.
        accuracy: Mean AUC of the shadows on later answers of their own learners.
        log_loss: The same.
        figures: By what the attacker sees.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: str
    accuracy: float
    log_loss: float
    figures: tuple[Membership, ...]


@dataclass(frozen=True)
class _Shown:
    confidence: Floats  # [learners]
    mastery: Floats  # [learners, skills], NaN where never practised
    scores: Scores


def attack_main_brain(
    events: pl.DataFrame,
    settings: Settings,
    training: TrainingSettings,
    *,
    shadows: int,
    seed: int,
    named: str,
    say: Callable[[str], None] = lambda _: None,
) -> MembershipAttack:
    """Train shadows and attack each.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS.
        settings: Of fold and student models.
        training: Of the models.
        shadows: How many.
        seed: Of the halves.
        named: What the report calls this way of training.
        say: Told of progress.
    """
    learners = events["learner"].unique().sort()
    knew = _halves(learners.len(), shadows, seed)
    shown = []
    for shadow in range(shadows):
        members = learners.filter(pl.Series(knew[shadow]))
        shown.append(_shadow(events, learners, members, settings, training))
        say(f"{named}: shadow {shadow + 1} of {shadows}")
    confidence = np.stack([each.confidence for each in shown])
    mastery = np.stack([each.mastery for each in shown])
    of_answers = likelihood_ratios(confidence[:, :, None], knew)
    of_pages = likelihood_ratios(mastery, knew)
    ratios = {
        "confidence in own answers": of_answers,
        "mastery vector of the page": of_pages,
        "both": of_answers + of_pages,
    }
    return MembershipAttack(
        training=named,
        accuracy=float(np.mean([each.scores.auc or np.nan for each in shown])),
        log_loss=float(np.mean([each.scores.log_loss for each in shown])),
        figures=tuple(_figures(sees, ratio, knew, seed) for sees, ratio in ratios.items()),
    )


def likelihood_ratios(shown: npt.NDArray[np.float64], knew: npt.NDArray[np.bool_]) -> Floats:
    """Log-likelihood ratios of "knew this learner" for each model as the victim, from the others.

    Args:
        shown: What model s shows of learner l in dimension d, float64 [s, l, d]; NaN: nothing.
        knew: Whether model s was trained on learner l, bool [s, l].

    Returns:
        float64 [s, l], the mean over the dimensions that are known; 0 where too few other models are on either side.
    """
    ratios = np.zeros(knew.shape)
    for victim in range(knew.shape[0]):
        others = np.arange(knew.shape[0]) != victim
        inside, outside = knew[others][:, :, None], ~knew[others][:, :, None]
        values = shown[others]
        mean_in, mean_out = _mean(values, inside), _mean(values, outside)
        # One variance for both sides and all learners of a dimension: of few shadows a learner's own would be noise.
        centred = np.where(inside, values - mean_in, values - mean_out)
        variance = np.maximum(np.nanmean(centred**2, axis=(0, 1)), _FLOOR**2)
        seen = shown[victim]
        ratio = ((seen - mean_out) ** 2 - (seen - mean_in) ** 2) / (2 * variance)
        enough = (inside.sum(axis=0)[:, 0] >= _LEAST_SIDE) & (outside.sum(axis=0)[:, 0] >= _LEAST_SIDE)
        known = np.isfinite(ratio)
        ratios[victim] = np.where(enough, np.where(known, ratio, 0.0).sum(1) / np.maximum(known.sum(1), 1), 0.0)
    return ratios


def _mean(values: npt.NDArray[np.float64], where: npt.NDArray[np.bool_]) -> Floats:
    held = where & np.isfinite(values)
    count = held.sum(axis=0)
    return np.asarray(np.where(held, values, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan))


def _figures(sees: str, ratios: Floats, knew: npt.NDArray[np.bool_], seed: int) -> Membership:
    draw = np.random.default_rng(seed)
    areas = []
    for _ in range(200):
        picked = draw.integers(0, knew.shape[1], knew.shape[1])
        areas.append(roc_auc_score(knew[:, picked].ravel(), ratios[:, picked].ravel()))
    false, true, _ = roc_curve(knew.ravel(), ratios.ravel())
    return Membership(
        sees=sees,
        shadows=knew.shape[0],
        learners=knew.shape[1],
        auc=float(roc_auc_score(knew.ravel(), ratios.ravel())),
        auc_low=float(np.quantile(areas, 0.025)),
        auc_high=float(np.quantile(areas, 0.975)),
        true_positives=float(true[false <= FALSE_POSITIVES].max()),
    )


def _halves(learners: int, shadows: int, seed: int) -> npt.NDArray[np.bool_]:
    """Of every pair of models exactly one knows a learner, so that each is known to half of them."""
    draw = np.random.default_rng(seed)
    knew = np.zeros((shadows, learners), dtype=np.bool_)
    for pair in range(0, shadows, 2):
        first = draw.random(learners) < 0.5
        knew[pair] = first
        if pair + 1 < shadows:
            knew[pair + 1] = ~first
    return knew


def _shadow(
    events: pl.DataFrame, learners: pl.Series, members: pl.Series, settings: Settings, training: TrainingSettings
) -> _Shown:
    """Train on some learners' answers as the platform trains, and look at everybody with what came of it."""
    prepared = training_set(events.filter(pl.col("learner").is_in(members.implode())), settings.features, training)
    brain = fit_main_brain(
        prepared.table,
        prepared.split,
        training,
        statistics=prepared.statistics,
        made_by=MadeBy(data_versions={}, code_version="shadow"),
    )
    held_out = prepared.split.evaluate
    scores = Scores.of(prepared.table.target[held_out], brain.predict(prepared.table.take(held_out)))
    # The same answers are looked at on every shadow: about those that fit, whose share the settings say.
    last = events["occurred_at"].sort()[int(events.height * (1 - 2 * training.calibration_share))]
    fitted = events.filter(pl.col("occurred_at") < last)
    folded = fold(fitted, brain.statistics, None, settings.features)
    probability = brain.predict(folded.features)
    target = folded.features.target.astype(np.float64)
    confidence = np.log(probability / (1 - probability)) * (2 * target - 1)
    by_learner = (
        pl.DataFrame({"learner": folded.features.keys["learner"], "confidence": confidence})
        .group_by("learner")
        .agg(pl.col("confidence").mean())
    )
    of_each = learners.to_frame().join(by_learner, on="learner", how="left", maintain_order="left")
    mastery = _mastery(brain, folded.states, fitted, learners, settings)
    return _Shown(of_each["confidence"].fill_null(np.nan).to_numpy(), mastery, scores)


def _mastery(brain: MainBrain, states: object, events: pl.DataFrame, learners: pl.Series, settings: Settings) -> Floats:
    """Mastery of every skill as a learner's page shows it, float64 [learners, skills]."""
    last = events["occurred_at"].max()
    assert isinstance(last, datetime)
    at = last + timedelta(hours=1)
    levels = _levels(events["subject"].unique().sort())
    personal = Brain(brain.predict, brain.statistics, settings.features, "shadow")
    models = build_student_models(
        states,  # type: ignore[arg-type]
        personal,
        levels,
        at,
        settings.students,
        day=at.date(),
    )
    wide = models.skills.pivot("skill_id", index="learner", values="mastery", aggregate_function="first")
    skills = events.select(pl.col("skill_ids").explode().unique().sort()).to_series().to_list()
    placed = learners.to_frame().join(wide, on="learner", how="left", maintain_order="left").select(skills)
    return np.asarray(placed.cast(pl.Float64).fill_null(np.nan).to_numpy(), dtype=np.float64)


def _levels(subjects: pl.Series) -> pl.DataFrame:
    """Ten levels a subject, two logits to either side of a typical exercise."""
    ten = pl.DataFrame({"level": range(1, 11), "difficulty": np.linspace(-2.0, 2.0, 10)})
    return subjects.to_frame("subject").join(ten.with_columns(pl.col("level").cast(pl.Int8)), how="cross")
