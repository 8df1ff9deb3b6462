"""Names of jobs, schedules and models, for code that may not import Dagster. No job is defined here."""

from collections.abc import Collection, Mapping
from typing import Final, Literal

from aivo_assets.operations.jobs.causes import MODEL_TAG

WEEKLY_JOB: Final = "weekly_full_retraining"
"""Also the name of its schedule. What is done once a week, in whatever job, asks whether this is it."""

FORGET_JOB: Final = "forget_learners"
AGEING_JOB: Final = "keep_no_longer"

EVERY_JOB: Final = (
    "main_brain_training",
    "drift_monitoring",
    WEEKLY_JOB,
    "adaptive_check",
    "emergency_retrain",
    "student_model_update",
    "late_events",
    "end_to_end",
    FORGET_JOB,
    AGEING_JOB,
)
CHECKS: Final = ("adaptive_check", "drift_monitoring", "student_model_update")
"""Jobs that are a function of what arrived, the day and the models: a training is not among them."""
STUDENT_MODELS_JOB: Final = "adaptive_check"
"""Brings the student models up to date with all that has arrived, also for whoever asks; no model is fitted."""
FILLING_JOB: Final = "late_events"
"""Fills days with their answers, and makes nothing of them."""
UPDATE_JOB: Final = "student_model_update"
"""Brings the student models up to date with the levels and plans that are recommended."""
TRAINING_JOBS: Final = ("main_brain_training", WEEKLY_JOB, "emergency_retrain", "end_to_end")
TRAINING_STEPS: Final = frozenset(
    {
        "fold_training_events",
        "main_brain_hyperparameters",
        "main_brain_candidate",
        "main_brain_evaluation",
        "main_brain_promotion",
    }
)
"""Steps without which there is no new main brain: where another one fails, no training failed."""

PARTITION_TAG: Final = "dagster/partition"
RANGE_START_TAG: Final = "dagster/asset_partition_range_start"
RANGE_END_TAG: Final = "dagster/asset_partition_range_end"
PRIORITY_TAG: Final = "dagster/priority"  # a run of a higher one leaves the queue first; 0 where there is none

LOCATION: Final = "aivo"  # as workspace.yaml names it
REPOSITORY: Final = "__repository__"  # as Dagster names what is not put into a repository of its own

ModelId = Literal["main_brain", "student_models"]
MODELS: Final[tuple[ModelId, ...]] = ("main_brain", "student_models")

READ_AT: Final = "read_at"  # metadata of raw_interactions, UTC ISO time from the injected clock
TRAINED_AT: Final = "trained_at"  # metadata of main_brain_candidate, UTC ISO time from the injected clock
TRAINED_OF: Final = "trained_of"  # metadata of main_brain_candidate, version of the answers that were read for it

# A run says by this tag that its job trains the main brain as a rule, and that this run leaves that out.
WITHOUT_TRAINING_TAG: Final = "aivo/without_training"

BY_HAND: Final = "__ASSET_JOB"  # Dagster's own job, for what is materialised in the web UI
CANDIDATE: Final = "main_brain_candidate"


def model_trained(job: str, tags: Mapping[str, str], assets: Collection[str] | None) -> ModelId | None:
    """Which model a run trains.

    Args:
        job: Name of the run's job.
        tags: Tags of the run.
        assets: Assets that the run is narrowed to; None for all of its job.

    Returns:
        The model, or None where it trains none.
    """
    if WITHOUT_TRAINING_TAG not in tags and (job in TRAINING_JOBS or (job == BY_HAND and assets)):
        if not assets or CANDIDATE in assets:
            return "main_brain"
        return "student_models" if "student_models" in assets else None
    asked_for = job == STUDENT_MODELS_JOB and tags.get(MODEL_TAG) == "student_models"
    return "student_models" if asked_for or job == "student_model_update" else None
