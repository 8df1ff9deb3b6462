"""The assets, one module a stage, in the order of the data. Belongs here: a few lines around plain functions."""

import dagster as dg

from aivo_assets.assets import ageing, delta_tables, forgetting, retention
from aivo_assets.assets.advice import overrides, policy_evaluation, recommendation_outcomes, recommendations
from aivo_assets.assets.brain import features, hyperparameters, main_brain, model_card, shadow
from aivo_assets.assets.drift import verdict
from aivo_assets.assets.intake import anonymised, privacy_audit, raw, warehouse
from aivo_assets.assets.students import intervals, learner_states, student_models
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
        verdict.drift_verdict,
        verdict.drift_report,
        verdict.training_need,
        privacy_audit.privacy_audit,
        retention.retention,
        ageing.personal_retention,
        forgetting.forget_requests,
        forgetting.forgotten_in_lake,
        forgetting.forgetting_certificates,
        *([delta_tables.delta_tables] if settings.lake.delta else []),
    ]
