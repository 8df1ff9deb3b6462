"""The main brain: the probability that a learner's next answer is correct. Belongs here: fitting and predicting.

Boosted trees read what the fold knows of a learner; their logits, averaged over seeds, are mapped to probabilities on
events later than any the trees were fitted on. Storing is in `artefact`, judging in `evaluation` and `promotion`.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.errors import ModelError
from aivo_assets.settings import TrainingSettings
from aivo_assets.tracing.fold.schema import FeatureSchema, FeatureTable
from aivo_assets.tracing.fold.statistics import Statistics
from aivo_assets.tracing.model.calibration import Calibration
from aivo_assets.tracing.model.scores import Scores, clipped
from aivo_assets.tracing.model.splits import Split
from aivo_assets.tracing.model.trees.boosting import Boosted, Report
from aivo_assets.tracing.model.trees.ensemble import Ensemble, fit_ensemble, mean_logits
from aivo_assets.tracing.model.trees.trees import Trees

# What decides when or whether a training runs, or on which data (whose version counts), not what comes out of these.
NOT_PARAMETERS = frozenset({"minimum_hours_between", "minimum_events", "minimum_part_events", "memory_gib"})


class MadeBy(BaseModel):
    """What a model was made of.

    Attributes:
        data_versions: Version of every dataset that was read, by its path in the lake.
        code_version: Version of the code that made it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_versions: dict[str, str]
    code_version: str


class Summary(BaseModel):
    """What happened while a model was fitted.

    Attributes:
        features: Number of features.
        learners: Distinct learners of the fit rows.
        fit_events: Rows that fitted the trees.
        calibrate_events: Rows that calibrated.
        evaluate_events: Rows left for evaluation.
        first_event: Time of the earliest fit row, UTC.
        calibrate_from: Time of the earliest row that calibrated, UTC.
        unseen_from: From here on the model has seen nothing, UTC.
        cut_by: Whether the rows were cut between days, or within one.
        share_correct: Share of right answers of the fit rows.
        boosted: The boosted models, one a seed.
        before_calibration: Scores on the `calibrate` rows as the trees say it.
        after_calibration: The same with the calibration that was fitted on those rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: int
    learners: int
    fit_events: int
    calibrate_events: int
    evaluate_events: int
    first_event: datetime
    calibrate_from: datetime
    unseen_from: datetime
    cut_by: Literal["day", "time"]
    share_correct: float
    boosted: tuple[Boosted, ...]
    before_calibration: Scores
    after_calibration: Scores


@dataclass(frozen=True)
class MainBrain:
    """A fitted main brain, and everything that says what it is.

    Attributes:
        schema: Features that it reads; it refuses others.
        estimators: Boosted models; their logits are averaged.
        calibration: From the mean logit to a probability.
        statistics: Of items and skills; the features of what it predicts must be folded with these.
        parameters: Settings that it was fitted with.
        made_by: Data and code.
        summary: What happened while it was fitted.
    """

    schema: FeatureSchema
    estimators: tuple[Trees, ...]
    calibration: Calibration
    statistics: Statistics
    parameters: dict[str, Any]
    made_by: MadeBy
    summary: Summary

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what made it; see `fingerprint`."""
        return _fingerprint(self.schema, self.statistics, self.parameters, self.made_by)

    def predict(self, table: FeatureTable) -> Floats:
        """Probability of a right answer for each row, float64 [n] in [1e-6, 1 - 1e-6].

        Raises:
            ModelError: The table has another feature schema; the message lists every mismatch.

        Example:
            >>> probability = brain.predict(table)  # brain = load_champion(settings), table = fold(…).features
            >>> probability.shape == (table.height,), probability.dtype
            (True, dtype('float64'))
            >>> bool(((probability > 0) & (probability < 1)).all())
            True
        """
        self.refuse_other_features(table.schema)
        return Ensemble(self.estimators, self.calibration).predict(table.values)

    def refuse_other_features(self, offered: FeatureSchema) -> None:
        """Refuse features that are not the ones it was fitted with.

        Raises:
            ModelError: They differ; the message lists every feature that is missing, unexpected or moved.
        """
        mismatches = _mismatches(self.schema, offered)
        if mismatches:
            raise ModelError(
                f"The model {self.fingerprint} was fitted on other features: {'; '.join(mismatches)}",
                fix="Train a new main brain with this code and these settings, or fold with those of the model.",
            )


def fingerprint(schema: FeatureSchema, statistics: Statistics, settings: TrainingSettings, made_by: MadeBy) -> str:
    """Fingerprint of the model that `fit_main_brain` would make of these.

    The same data, statistics, parameters, seed, features and code make the same model, so it need not be fitted again.
    """
    return _fingerprint(schema, statistics, _parameters(settings), made_by)


def fit_main_brain(
    table: FeatureTable,
    split: Split,
    settings: TrainingSettings,
    *,
    statistics: Statistics,
    made_by: MadeBy,
    report: Report | None = None,
) -> MainBrain:
    """Fit the trees on the `fit` rows, and the calibration on the `calibrate` rows, of a split of a table.

    The same arguments give the same predictions to the last bit on one machine, however many threads it has.

    Args:
        table: Features and answers of all rows of the split.
        split: Cut by time.
        settings: Of the training.
        statistics: Which the table was folded with.
        made_by: Data and code.
        report: Called about once a second while boosting runs.

    Raises:
        ModelError: The rows cannot fit a model: one outcome only, or constraints on what is no feature.
    """
    ensemble, boosted = fit_ensemble(table, split.fit, split.calibrate, settings, report=report)
    logits = mean_logits(ensemble.estimators, table.values[split.calibrate])
    correct = table.target[split.calibrate]
    return MainBrain(
        schema=table.schema,
        estimators=ensemble.estimators,
        calibration=ensemble.calibration,
        statistics=statistics,
        parameters=_parameters(settings),
        made_by=made_by,
        summary=_summary(
            table,
            split,
            boosted=boosted,
            before=Scores.of(correct, clipped(Calibration().apply(logits))),
            after=Scores.of(correct, clipped(ensemble.calibration.apply(logits))),
        ),
    )


def _parameters(settings: TrainingSettings) -> dict[str, Any]:
    return settings.model_dump(mode="json", exclude=set(NOT_PARAMETERS))


def _fingerprint(schema: FeatureSchema, statistics: Statistics, parameters: dict[str, Any], made_by: MadeBy) -> str:
    made_of = {
        "made_by": made_by.model_dump(),
        "parameters": parameters,
        "features": schema.hash,
        "statistics": statistics.version,
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]


def _summary(
    table: FeatureTable, split: Split, *, boosted: tuple[Boosted, ...], before: Scores, after: Scores
) -> Summary:
    first_event = table.keys["occurred_at"][split.fit].min()
    assert isinstance(first_event, datetime)
    return Summary(
        features=len(table.names),
        learners=table.keys["learner"][split.fit].n_unique(),
        fit_events=split.fit.size,
        calibrate_events=split.calibrate.size,
        evaluate_events=split.evaluate.size,
        first_event=first_event,
        calibrate_from=split.calibrate_from,
        unseen_from=split.evaluate_from,
        cut_by=split.by,
        share_correct=float(table.target[split.fit].mean()),
        boosted=boosted,
        before_calibration=before,
        after_calibration=after,
    )


def _mismatches(expected: FeatureSchema, offered: FeatureSchema) -> list[str]:
    missing = [f"{name} is missing" for name in expected.names if name not in offered.names]
    unexpected = [f"{name} is unexpected" for name in offered.names if name not in expected.names]
    # Only the order among the shared ones counts as moved: one missing feature shifts all that follow.
    shared = [name for name in expected.names if name in offered.names]
    shared_there = [name for name in offered.names if name in expected.names]
    moved = [
        f"{name} moved from column {expected.names.index(name)} to {offered.names.index(name)}"
        for name, offered_name in zip(shared, shared_there, strict=True)
        if name != offered_name
    ]
    if not missing + unexpected + moved and expected.hash != offered.hash:
        return [f"the names are the same, but what they mean has changed (from {expected.hash} to {offered.hash})"]
    return missing + unexpected + moved
