"""The assets, a module a stage, in the order of the data. Belongs here: a few lines around pure functions, no more."""

import dagster as dg

from aivo_assets.assets import (
    anonymised,
    drift,
    features,
    hyperparameters,
    intervals,
    learner_states,
    main_brain,
    model_card,
    overrides,
    policy_evaluation,
    privacy_audit,
    raw,
    recommendation_outcomes,
    recommendations,
    shadow,
    student_models,
    warehouse,
)
from aivo_assets.settings import Settings


def all_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Every asset, in the order of the data."""
    return [
        raw.ingest,
        raw.raw_learners,
        anonymised.anonymised_interactions,
        anonymised.anonymised_learners,
        overrides.raw_overrides,
        overrides.overrides,
        warehouse.warehouse_assets(settings),
        features.fold_training_events,
        hyperparameters.main_brain_hyperparameters,
        main_brain.main_brain_candidate,
        shadow.champion_shadow,
        main_brain.main_brain_evaluation,
        model_card.main_brain_card,
        main_brain.main_brain_promotion,
        student_models.item_bank,
        intervals.student_intervals,
        learner_states.fold_learners,
        student_models.student_models,
        recommendations.learning_signals,
        recommendation_outcomes.recommendation_outcomes,
        recommendations.recommendations,
        policy_evaluation.policy_evaluation,
        drift.drift_verdict,
        drift.drift_report,
        drift.training_need,
        privacy_audit.privacy_audit,
    ]
