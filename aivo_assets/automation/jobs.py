"""The jobs of the contract: which assets each one makes. Belongs here: selections by name; no asset is defined here."""

import dagster as dg

from aivo_assets.automation._dagster import UnresolvedAssetJobDefinition
from aivo_assets.operations.jobs.causes import CAUSE_TAG, MODEL_TAG
from aivo_assets.operations.jobs.names import AGEING_JOB, EVERY_JOB, FORGET_JOB, TRAINING_JOBS, WEEKLY_JOB

__all__ = ["CAUSE_TAG", "EVERY_JOB", "MODEL_TAG", "TRAINING_JOBS", "build_jobs"]

EVENTS = dg.AssetSelection.groups("events", "privacy")
TRAINING = dg.AssetSelection.groups("features", "main_brain")
STUDENTS = dg.AssetSelection.groups("student_models", "recommendations") - dg.AssetSelection.assets("student_intervals")
ERASURE = dg.AssetSelection.groups("erasure")
AGEING = dg.AssetSelection.groups("ageing")
WEEKLY_ONLY = dg.AssetSelection.groups("evaluation", "upkeep")
PUBLISHED = dg.AssetSelection.groups("published")
"""The Delta tables, where AIVO_LAKE_DELTA asks for them; whatever makes a dataset of theirs publishes it."""
DRIFT = dg.AssetSelection.groups("drift") - dg.AssetSelection.assets("training_need")


def build_jobs() -> list[UnresolvedAssetJobDefinition]:
    """All jobs. Steps run in the run's own process: their work is already parallel inside polars and sklearn."""

    def job(name: str, selection: dg.AssetSelection, description: str) -> UnresolvedAssetJobDefinition:
        return dg.define_asset_job(
            name, selection=selection, description=description, executor_def=dg.in_process_executor
        )

    return [
        job(
            "main_brain_training",
            EVENTS | TRAINING | STUDENTS | PUBLISHED | dg.AssetSelection.assets("retention"),
            "Daily: the day's events, a challenger, its evaluation, the promotion, then every student model.",
        ),
        job(
            "drift_monitoring",
            EVENTS | dg.AssetSelection.assets("learner_states", "scored_events") | DRIFT | PUBLISHED,
            "Every six hours: the last days' events against what each model promised.",
        ),
        job(
            WEEKLY_JOB,
            dg.AssetSelection.all() - ERASURE,
            "Sundays: every model, mart, report and check again.",
        ),
        job(
            "adaptive_check",
            EVENTS | STUDENTS | PUBLISHED | dg.AssetSelection.assets("training_need"),
            "Every two hours: new events, student models, recommendations, and whether training is needed now.",
        ),
        job(
            "emergency_retrain",
            EVENTS | TRAINING | STUDENTS | PUBLISHED,
            "At any time, for a reason that is recorded: as main_brain_training, whatever the guards say.",
        ),
        job(
            "student_model_update",
            dg.AssetSelection.assets("student_models") | PUBLISHED,
            "When a recommendation changed a learner's level or plan: the models of these learners as of the day. "
            "Started by hand: also of everybody whose states have changed since.",
        ),
        job(
            "late_events",
            EVENTS | PUBLISHED,
            "When events arrived for past days: those days again.",
        ),
        job(
            "end_to_end",
            dg.AssetSelection.all() - WEEKLY_ONLY - ERASURE - AGEING,
            "From raw events to recommendations and drift report, for a range of days (`aivo run`, `aivo demo`).",
        ),
        job(
            AGEING_JOB,
            AGEING | PUBLISHED,
            "Daily: raw answers, names and the quarantine that were kept for long enough go.",
        ),
        job(
            FORGET_JOB,
            ERASURE | PUBLISHED,
            "Every quarter of an hour, where somebody is to be forgotten: removal, search, certificate.",
        ),
    ]
