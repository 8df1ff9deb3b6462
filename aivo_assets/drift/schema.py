"""What drift monitoring reads and writes. Belongs here: datasets and the sentence that describes each column.

`DESCRIPTIONS` holds one mapping (column to sentence) a dataset, for catalogues that show column metadata.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from aivo_assets.lake import Dataset

FEATURE_COLUMNS: Final = (
    "ability",
    "item_difficulty",
    "skill_opportunities",
    "learner_opportunities",
    "log_gap",
    "response_time_ms",
)
"""Numeric columns that explain a drift; none of them decides."""

_SCORED: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "learner": pl.String,
    "shard": pl.Int32,
    "day": pl.Date,
    "sequence": pl.Int32,
    "occurred_at": pl.Datetime("us", "UTC"),
    "item_id": pl.String,
    "subject": pl.String,
    "correct": pl.Int8,
    "probability": pl.Float64,
    "model_version": pl.String,
    **dict.fromkeys(FEATURE_COLUMNS, pl.Float32),
    "seen_item": pl.Boolean,
}

SCORED_EVENTS = Dataset("drift/scored_events", _SCORED, unit="day", sharded=True)
PAST_SCORED_EVENTS = Dataset("drift/past_scored_events", _SCORED, unit="day", sharded=True)
"""Of the window before the past day that was asked for last, as a champion of that time says."""
DRIFT_REFERENCE = Dataset("drift/reference", _SCORED)

DRIFT_SCORES = Dataset(
    "drift/scores",
    {
        "day": pl.Date,
        "model_id": pl.String,
        "model_version": pl.String,
        "window_first": pl.Date,
        "window_last": pl.Date,
        "events": pl.Int64,
        "learners": pl.Int64,
        "reference_events": pl.Int64,
        "reference_learners": pl.Int64,
        "measure": pl.String,
        "role": pl.Enum(["decides", "explains", "describes"]),
        "value": pl.Float64,
        "reference_value": pl.Float64,
        "effect": pl.Float64,
        "standard_error": pl.Float64,
        "lower": pl.Float64,
        "score": pl.Float64,
    },
    unit="day",
)

VERDICTS: Final = ("ok", "watch", "retrain", "alert", "too_few_events", "no_reference")
ASKS_FOR_TRAINING: Final = ("retrain", "alert")

DRIFT_VERDICTS = Dataset(
    "drift/verdicts",
    {
        "day": pl.Date,
        "model_id": pl.String,
        "model_version": pl.String,
        "verdict": pl.Enum(list(VERDICTS)),
        "score": pl.Float64,
        "measure": pl.String,
        "reason": pl.String,
        "breaches": pl.Int32,
        "explained_by": pl.String,
        "explained_distance": pl.Float64,
        "events": pl.Int64,
        "learners": pl.Int64,
        "reference_events": pl.Int64,
        "window_first": pl.Date,
        "window_last": pl.Date,
        "log_loss": pl.Float64,
        "reference_log_loss": pl.Float64,
        "auc": pl.Float64,
        "reference_auc": pl.Float64,
        "retrain_score": pl.Float64,
        "alert_score": pl.Float64,
    },
    unit="day",
)

_WINDOW: Final[Mapping[str, str]] = {
    "day": "UTC day as of which the model was checked; the last day of the window.",
    "model_id": "Which model: main_brain, student_models, or a cohort of one of them.",
    "model_version": "Version of the champion that made the probabilities.",
    "window_first": "First day of the window.",
    "window_last": "Last day of the window.",
    "events": "Events of the window that the model's measures rest on.",
    "learners": "Learners of the window that the model's measures rest on.",
    "reference_events": "Events of the champion's reference; 0 where there is none.",
}

_SCORED_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "learner": "Pseudonym of the learner.",
    "shard": "Shard of the learner.",
    "day": "UTC day of the event.",
    "sequence": "Order of the learner's events within the day.",
    "occurred_at": "When the event happened, coarsened.",
    "item_id": "Item answered.",
    "subject": "Subject of the item.",
    "correct": "1 when the answer was correct, else 0.",
    "probability": "Probability of a correct answer that the model gave before it saw the answer.",
    "model_version": "Version of the model that gave the probability.",
    "ability": "Online ability of the learner before the event, logits.",
    "item_difficulty": "Difficulty of the item, logits; higher is harder.",
    "skill_opportunities": "Earlier events of the learner with the item's skills.",
    "learner_opportunities": "Earlier events of the learner.",
    "log_gap": "log(1 + seconds) since the learner's event before; null for the first.",
    "response_time_ms": "Time taken to answer; null where unknown.",
    "seen_item": "Whether the learner had met the item before.",
}

DESCRIPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    SCORED_EVENTS.path: _SCORED_DESCRIPTIONS,
    PAST_SCORED_EVENTS.path: _SCORED_DESCRIPTIONS,
    DRIFT_REFERENCE.path: _SCORED_DESCRIPTIONS,
    DRIFT_SCORES.path: {
        **_WINDOW,
        "reference_learners": "Learners of the champion's reference.",
        "measure": "What was measured; drift/scores/measures.py says how.",
        "role": "decides: counts towards the verdict; explains: raises a watch at most; describes: for people.",
        "value": "The measure in the window.",
        "reference_value": "The measure in the reference.",
        "effect": "How much worse the window is than the reference, sampling noise taken off; positive is worse.",
        "standard_error": "Standard error of the effect, clustered by learner.",
        "lower": "One-sided lower confidence bound of the effect.",
        "score": "The lower bound as a score in [0, 1]; null for a measure that only describes.",
    },
    DRIFT_VERDICTS.path: {
        **_WINDOW,
        "verdict": "ok, watch, retrain, alert (retrain at once and tell people), too_few_events or no_reference.",
        "score": "Drift score in [0, 1]: the share of what the model knew that has been lost, with confidence.",
        "measure": "The measure that gives the score.",
        "reason": "The verdict in a sentence with its numbers.",
        "breaches": "Checks in a row, this one included, whose score was above the retrain threshold.",
        "explained_by": "The explaining measure that moved furthest.",
        "explained_distance": "How far it moved: a Jensen-Shannon distance in [0, 1], lower bound.",
        "log_loss": "Log loss in the window, nats.",
        "reference_log_loss": "Log loss in the reference, nats.",
        "auc": "AUC in the window.",
        "reference_auc": "AUC in the reference.",
        "retrain_score": "Threshold in force for retrain.",
        "alert_score": "Threshold in force for alert.",
    },
}
