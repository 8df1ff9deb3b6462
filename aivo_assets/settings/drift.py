"""Settings of drift, and of the two-hourly question whether to train."""

from pydantic import Field, model_validator

from aivo_assets.settings.group import Group, Share
from aivo_assets.settings.kinds import in_order


class DriftSettings(Group):
    """When a model has drifted."""

    window_days: int = Field(7, ge=1, description="Days of events compared with the reference.")
    retrain_score: Share = Field(0.15, description="A score above this retrains the model.")
    alert_score: Share = Field(0.25, description="A score above this retrains at once and alerts.")
    minimum_events: int = Field(500, ge=1, description="Fewer events in the window give no verdict.")
    minimum_learners: int = Field(20, ge=2, description="Fewer learners in the window give no verdict.")
    confidence: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="One-sided confidence of distances that explain; of losses it is stricter.",
    )
    quick_days: tuple[int, ...] = Field(
        (1, 2),
        description="Shorter windows that end on the same day, so that a fresh loss is not diluted; () for none.",
    )
    false_alarms_a_year: float = Field(
        0.5,
        gt=0,
        description="Scores above 0 a year that chance alone may give to all windows and cohorts together.",
    )
    cohort_minimum_events: int = Field(500, ge=1, description="Fewer events of a cohort in a window are not scored.")
    cohort_minimum_learners: int = Field(20, ge=2, description="Fewer learners of a cohort are not scored.")
    new_learner_events: int = Field(50, ge=1, description="A learner with fewer earlier answers is a new one.")
    minimum_advantage: float = Field(
        0.02, gt=0, description="Advantage in nats a score divides by at least, so that a weak model does not alarm."
    )
    minimum_auc_advantage: float = Field(0.05, gt=0, le=0.5, description="The same for AUC above one half.")
    learner_block: int = Field(20, ge=5, description="Consecutive events of a learner judged together.")
    watch_distance: Share = Field(0.3, description="A column that moved further than this raises a watch.")
    breaches: int = Field(2, ge=1, description="Checks in a row above retrain_score that retrain.")
    cooldown_days: int = Field(3, ge=0, description="Days after a retrain verdict in which no second one is given.")
    report_rows: int = Field(4000, ge=100, description="Rows of window and reference each that a report samples.")
    report_seed: int = Field(0, description="Seed of that sample.")

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "DriftSettings":
        in_order(("AIVO_DRIFT_RETRAIN_SCORE", self.retrain_score), ("AIVO_DRIFT_ALERT_SCORE", self.alert_score))
        if any(days < 1 for days in self.quick_days):
            raise ValueError(f"AIVO_DRIFT_QUICK_DAYS {list(self.quick_days)}: a window has at least one day")
        return self


class AdaptiveSettings(Group):
    """When the two-hourly check asks for training before the night."""

    minimum_events: int = Field(500, ge=1, description="Fewer events on the day say nothing about today.")
    new_event_share: float = Field(0.2, gt=0, description="New events, as a share of those fitted, that ask for it.")
    unseen_item_share: Share = Field(0.2, description="Share of answers to items never seen that asks for it.")
    excess_log_loss: float = Field(0.05, gt=0, description="Log loss above the promised one, nats, that asks for it.")
    calibration_gap: float = Field(
        0.05, gt=0, description="Mean of answers minus predictions, beyond chance, that asks for it."
    )
