"""Every setting, its default and its environment variable. Belongs here: values people may change; no behaviour.

A group `privacy` with a field `k_anonymity` is the variable `AIVO_PRIVACY_K_ANONYMITY`. `aivo settings` prints them
all with their present values. Nothing here is read at import: call `load_settings()` and pass what it returns.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from aivo_assets.errors import SettingsError

Share = Annotated[float, Field(ge=0.0, le=1.0)]
SourceKind = Literal["simulator", "assistments", "datashop", "tabular", "postgres"]


class Group(BaseModel):
    """A group of settings: frozen, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LakeSettings(Group):
    """How the lake is laid out."""

    url: str | None = Field(None, description="Root of the lake; any fsspec URL. Default: AIVO_HOME/lake.")
    shards: int = Field(4, ge=1, le=4096, description="Shards per day; one per about 250,000 learners.")


class SourceSettings(Group):
    """Where events come from."""

    kind: SourceKind = Field("simulator", description="Which source the raw assets read.")
    path: str | None = Field(None, description="File or glob for the file sources.")
    url: SecretStr | None = Field(None, description="Database URL of the postgres source.")
    table: str = Field("interactions", description="Events table (schema-qualified) of the postgres source.")
    learner_table: str | None = Field(None, description="Learner table of the postgres source, if there is one.")
    cursor_column: str = Field("id", description="Ever-growing column by which the postgres source is read.")
    learner_path: str | None = Field(None, description="File with the learner table for the file sources.")
    columns: dict[str, str] = Field(
        default_factory=dict, description='Column mapping as JSON, ours to theirs: {"learner_id": "pupil"}.'
    )
    encoding: str = Field("utf-8", description="Text encoding of CSV and tab-separated files.")
    timezone: str = Field("UTC", description="Zone of times that carry none.")
    subject: str = Field("general", description="Subject of events that name none.")
    skill_model: str | None = Field(None, description="Which KC (…) column of a DataShop export gives the skills.")
    first_event_at: str | None = Field(
        None, description="Start of time for files that hold only an order (ISO date-time, UTC)."
    )


class SimulatorSettings(Group):
    """The seeded simulated school."""

    learners: int = Field(1500, ge=1, description="Learners enrolled.")
    days: int = Field(30, ge=1, description="Days of history made by `aivo demo`.")
    start: date | None = Field(None, description="First school day. Default: fixed at first use in AIVO_HOME.")
    seed: int = Field(20, description="Seed of everything random in the school.")


class PrivacySettings(Group):
    """What leaves the raw zone, and how coarse."""

    k_anonymity: int = Field(5, ge=1, description="Smallest group of learners alike in all published attributes.")
    time_resolution_seconds: int = Field(60, ge=1, description="Times past the raw zone are floored to this.")
    age_band_years: int = Field(3, ge=1, description="Width of an age band.")


class FeatureSettings(Group):
    """The fold."""

    half_lives: tuple[float, ...] = Field(
        (1.0, 3.0, 10.0, 40.0), description="Half-lives, in events, of the weighted residuals."
    )
    session_gap_minutes: int = Field(30, ge=1, description="A longer pause starts a new session.")
    difficulty_prior_events: float = Field(
        10.0, gt=0, description="Prior strength, in events, that shrinks an item's difficulty to its skill's."
    )


class TrainingSettings(Group):
    """Fitting the main brain."""

    seed: int = Field(0, description="Seed of folds, sampling and boosting.")
    statistics_folds: int = Field(5, ge=2, description="Learner folds for out-of-fold item and skill statistics.")
    window_days: int = Field(400, ge=1, description="Days of events a training reads, counted back.")
    calibration_share: Share = Field(0.1, description="Share of events, later in time, that calibrates.")
    evaluation_share: Share = Field(0.1, description="Share of events, last in time, that evaluates.")
    minimum_events: int = Field(2000, ge=1, description="Fewer events than this train no model.")
    max_iterations: int = Field(400, ge=1, description="Most boosting rounds; early stopping may end sooner.")
    learning_rate: float = Field(0.08, gt=0, description="Boosting step.")
    max_leaves: int = Field(31, ge=2, description="Leaves per tree.")
    min_samples_leaf: int = Field(200, ge=1, description="Fewest events in a leaf.")
    l2_regularization: float = Field(1.0, ge=0, description="L2 penalty of a leaf.")
    minimum_hours_between: float = Field(20.0, ge=0, description="No second training of a model sooner than this.")


class PromotionSettings(Group):
    """When a challenger becomes the champion."""

    minimum_events: int = Field(1000, ge=1, description="Fewer evaluation events than this promote nothing.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence of the paired bootstrap over learners.")
    bootstrap_samples: int = Field(1000, ge=100, description="Bootstrap resamples of learners.")
    calibration_limit: float = Field(0.01, ge=0, description="Most a challenger's ECE may exceed the champion's.")


class StudentSettings(Group):
    """Student models."""

    active_days: int = Field(28, ge=1, description="A learner with an event in so many days is active.")
    interval: float = Field(0.8, gt=0, lt=1, description="Nominal cover of the bands of ability and mastery.")


class PolicySettings(Group):
    """Signals and recommendations; the contract's thresholds are the defaults."""

    success_zone: tuple[float, float] = Field((0.70, 0.85), description="Wanted probability of success.")
    recent_events: int = Field(10, ge=1, description="Events that count as recent.")
    minimum_attempts: int = Field(10, ge=1, description="Attempts at a level before the level may move.")
    low_focus: Share = Field(0.4, description="Focus below this suggests a break.")
    long_session_minutes: float = Field(50.0, gt=0, description="A session longer than this suggests a break.")
    plateau_days: int = Field(7, ge=1, description="Days at a level without growth before the approach changes.")


class DriftSettings(Group):
    """When a model has drifted."""

    window_days: int = Field(7, ge=1, description="Days of events compared with the reference.")
    retrain_score: Share = Field(0.15, description="A score above this retrains the model.")
    alert_score: Share = Field(0.25, description="A score above this retrains at once and alerts.")
    minimum_events: int = Field(500, ge=1, description="Fewer events in the window give no verdict.")


class ScheduleSettings(Group):
    """When things run by themselves."""

    timezone: str = Field("UTC", description="Zone in which the crons below are read.")
    main_brain_daily: str = Field("0 2 * * *", description="Cron of aivo_main_brain_daily.")
    drift_monitor: str = Field("0 */6 * * *", description="Cron of drift_monitor_6h.")
    weekly_full_retraining: str = Field("0 3 * * 0", description="Cron of weekly_full_retraining.")
    adaptive_training: str = Field("0 */2 * * *", description="Cron of adaptive_training_2h.")
    sensor_seconds: int = Field(60, ge=10, description="Seconds between two looks of a sensor.")


class AlertSettings(Group):
    """Where alerts go."""

    webhook_url: SecretStr | None = Field(None, description="Alerts are posted here as JSON, and always logged.")


class Settings(BaseSettings):
    """All settings, read from the environment (`AIVO_…`)."""

    model_config = SettingsConfigDict(
        env_prefix="AIVO_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="ignore",
    )

    home: Path = Field(Path(".aivo"), description="Everything the platform keeps.")
    pseudonym_key: SecretStr | None = Field(None, description="Secret of the pseudonyms, at least 32 characters.")
    postgres_url: SecretStr | None = Field(None, description="Dagster's storage. Default: an embedded server.")

    lake: LakeSettings = LakeSettings()
    source: SourceSettings = SourceSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    privacy: PrivacySettings = PrivacySettings()
    features: FeatureSettings = FeatureSettings()
    training: TrainingSettings = TrainingSettings()
    promotion: PromotionSettings = PromotionSettings()
    students: StudentSettings = StudentSettings()
    policy: PolicySettings = PolicySettings()
    drift: DriftSettings = DriftSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()

    @property
    def lake_url(self) -> str:
        """Root of the lake, as an fsspec URL or a local path."""
        return self.lake.url or str(self.home.absolute() / "lake")


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: A variable has a value that cannot be used; the message names each.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"AIVO_{'_'.join(str(part) for part in problem['loc']).upper()}={problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingsError(problems, fix="Correct the variable, or unset it for the default.") from error
