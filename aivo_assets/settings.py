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
SourceKind = Literal["simulator", "assistments", "datashop", "parquet", "csv", "postgres"]
CalibrationKind = Literal["none", "platt", "beta", "isotonic"]


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
    learner_columns: dict[str, str] = Field(
        default_factory=dict, description='Column mapping of the learner table: {"learner_id": "id_student"}.'
    )
    skill_separator: str = Field(
        ";", min_length=1, description="What stands between several skills in one text value of a file or table."
    )
    attempts: Literal["first", "all"] = Field(
        "first", description="Which attempts at a DataShop step are events: the first, or each."
    )
    cursor_overlap: int = Field(
        1000,
        ge=0,
        description="Numbers (or seconds) before the cursor that are read again, for rows that were committed late.",
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
    dirt: Share = Field(
        0.001, description="Share of rows that go wrong on their way: repeated, impossible, incomplete."
    )


class PrivacySettings(Group):
    """What leaves the raw zone, and how coarse."""

    k_anonymity: int = Field(5, ge=1, description="Smallest group of learners alike in all published attributes.")
    time_resolution_seconds: int = Field(
        60, ge=1, le=86_400, description="Times past the raw zone are floored to this, counted from midnight UTC."
    )
    age_band_years: int = Field(3, ge=1, description="Width of an age band.")


class FeatureSettings(Group):
    """The fold."""

    half_lives: tuple[float, float, float, float] = Field(
        (1.0, 3.0, 10.0, 40.0), description="Half-lives, in events, of the weighted residuals."
    )
    residual_prior_events: float = Field(
        1.0, gt=0, description="Events of no surprise that shrink a weighted residual towards zero."
    )
    pace_half_life: float = Field(10.0, gt=0, description="Half-life, in events, of pace and hint use.")
    session_gap_minutes: int = Field(30, ge=1, description="A longer pause starts a new session.")
    difficulty_prior_events: float = Field(
        5.0, gt=0, description="Prior strength, in events, that shrinks an item's difficulty to its skill's."
    )
    difficulty_passes: int = Field(4, ge=1, description="Passes of the population fit of abilities and difficulties.")
    ability_sd: float = Field(1.0, gt=0, description="Spread of ability between learners, logit.")
    subject_sd: float = Field(0.3, gt=0, description="Spread of a learner's subjects around his ability, logit.")
    skill_sd: float = Field(0.5, gt=0, description="Spread of a learner's skills around his ability, logit.")
    ability_drift: float = Field(0.0005, ge=0, description="Growth of the variance of ability, logit² per day.")
    skill_drift: float = Field(0.001, ge=0, description="Growth of the variance of a skill or subject, logit² per day.")
    ability_growth: float = Field(0.0005, ge=0, description="Growth of the variance of ability, logit² per answer.")
    skill_growth: float = Field(
        0.005, ge=0, description="Growth of the variance of a skill or subject, logit² per answer on it."
    )
    factor_passes: int = Field(4, ge=1, description="Passes of the fit of item and skill factors.")
    factor_rate: float = Field(0.05, gt=0, description="Step of that fit.")
    factor_shrinkage: float = Field(0.02, ge=0, description="What draws item factors to zero, per answer.")
    factor_ability_step: float = Field(0.5, ge=0, description="First step of the ability beside the factors.")
    factor_ability_floor: float = Field(0.03, ge=0, description="Its lasting step.")
    factor_step: float = Field(0.5, ge=0, description="First step of a learner's factors.")
    factor_floor: float = Field(0.02, ge=0, description="Their lasting step.")
    factor_forgetting: float = Field(0.003, ge=0, lt=1, description="Share of a learner's factors lost per answer.")
    repeat_prior_events: float = Field(
        10.0, gt=0, description="Answers without surprise that draw an item's mean surprise at a repeat to zero."
    )
    transition_prior_events: float = Field(5.0, gt=0, description="The same of an item after another.")
    transition_minimum_events: int = Field(1, ge=1, description="Rarer pairs of an item and its previous are not kept.")


class TrainingSettings(Group):
    """Fitting the main brain."""

    seed: int = Field(0, ge=0, description="Seed of folds, sampling and boosting.")
    statistics_folds: int = Field(5, ge=2, description="Learner folds for out-of-fold item and skill statistics.")
    window_days: int = Field(400, ge=1, description="Days of events a training reads, counted back.")
    calibration_share: float = Field(0.1, gt=0, lt=0.5, description="Share of events, later in time, that calibrates.")
    evaluation_share: float = Field(0.1, gt=0, lt=0.5, description="Share of events, last in time, that evaluates.")
    minimum_events: int = Field(2000, ge=1, description="Fewer events than this train no model.")
    minimum_part_events: int = Field(100, ge=1, description="Fewest events that may calibrate, or evaluate.")
    models: int = Field(1, ge=1, le=20, description="Boosted models, of different seeds, whose logits are averaged.")
    max_iterations: int = Field(800, ge=1, description="Most boosting rounds; early stopping may end sooner.")
    learning_rate: float = Field(0.08, gt=0, description="Boosting step.")
    max_leaves: int = Field(63, ge=2, description="Leaves per tree.")
    min_samples_leaf: int = Field(100, ge=1, description="Fewest events in a leaf.")
    l2_regularization: float = Field(5.0, ge=0, description="L2 penalty of a leaf.")
    feature_share: float = Field(0.5, gt=0, le=1, description="Share of the features, at random, that a tree may use.")
    patience: int = Field(30, ge=1, description="Rounds without gain on held-out learners before boosting stops.")
    monotone: dict[str, Literal[-1, 1]] = Field(
        default_factory=dict, description='Features in which the probability only rises or falls: {"ability": 1}.'
    )
    calibration: CalibrationKind = Field("platt", description="What maps the model's logit to a probability.")
    minimum_hours_between: float = Field(20.0, ge=0, description="No second training of a model sooner than this.")


class TuningSettings(Group):
    """Searching for hyper-parameters of the main brain."""

    trials: int = Field(3, ge=0, description="Most trials of a day's search; 0: none, the training settings are taken.")
    seconds: float = Field(30.0, gt=0, description="No trial of a day's search begins later than this.")
    weekly_trials: int = Field(30, ge=0, description="Most trials of the weekly search.")
    weekly_seconds: float = Field(900.0, gt=0, description="No trial of the weekly search begins later than this.")
    most_rows: int = Field(60_000, ge=1000, description="Fit rows that are searched on; beyond, learners are sampled.")
    held_out_folds: int = Field(5, ge=2, description="One in so many learners is held out to score a trial.")
    first_share: float = Field(
        0.25, gt=0, lt=1, description="Share of learners in a trial's first fit; one below the median ends there."
    )
    earlier_trials: int = Field(100, ge=0, description="Most trials of earlier searches that a search starts from.")
    seed: int = Field(0, ge=0, description="Seed of the sample, of the learners held out and of the search.")


class PromotionSettings(Group):
    """When a challenger becomes the champion."""

    minimum_events: int = Field(1000, ge=1, description="Fewer evaluation events than this promote nothing.")
    minimum_learners: int = Field(20, ge=2, description="Fewer learners in the evaluation events promote nothing.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence of the paired bootstrap over learners.")
    bootstrap_samples: int = Field(1000, ge=100, description="Bootstrap resamples of learners.")
    bootstrap_seed: int = Field(0, ge=0, description="Seed of the bootstrap.")
    calibration_limit: float = Field(0.01, ge=0, description="Most a challenger's ECE may exceed the champion's.")
    slice_limit: float = Field(0.02, ge=0, description="Most a slice's log loss may exceed the champion's.")
    slice_minimum_events: int = Field(300, ge=1, description="Fewer events than this make no slice.")
    slice_minimum_learners: int = Field(20, ge=1, description="Fewer learners than this make no slice.")
    stale_days: int = Field(30, ge=0, description="A champion older gives way to an equal challenger; 0: never.")
    stale_margin: float = Field(0.001, ge=0, description="Log loss by which an equal challenger may be worse.")
    shadow_days: int = Field(
        7, ge=0, description="Days after a promotion on which the champion before is scored beside it; 0: none."
    )
    shadow_confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence, over all looks together, that rolls a promotion back."
    )
    shadow_minimum_events: int = Field(500, ge=1, description="Fewer events since the promotion roll nothing back.")
    shadow_minimum_learners: int = Field(20, ge=2, description="Fewer learners in them roll nothing back.")


class StudentSettings(Group):
    """Student models."""

    active_days: int = Field(28, ge=1, description="A learner with an event in so many days is active.")
    interval: float = Field(0.8, gt=0, lt=1, description="Nominal cover of the bands of ability and mastery.")
    starting_skills: int = Field(
        10, ge=1, description="Skills a subject, most practised first, for which a learner without events has answers."
    )
    rows_at_once: int = Field(200_000, ge=1000, description="Hypothetical exercises put to the main brain at once.")


class PolicySettings(Group):
    """Signals and recommendations; the contract's thresholds are the defaults."""

    success_zone: tuple[Share, Share] = Field(
        (0.70, 0.85),
        description="Wanted probability of success. Upper edge: the 85 % rule (Wilson et al. 2019); lower: contract.",
    )
    too_hard: Share = Field(
        0.60,
        description="Below this the level goes down. Under the zone on purpose: the dead band up to the zone's top "
        "is 1.3 logits, wider than any level step, so a move is never taken back at once.",
    )
    urgent_success: Share = Field(0.40, description="Remediation is urgent where even the band's top is below this.")
    recent_events: int = Field(10, ge=1, description="Events of a skill that count as recent (contract: last 10).")
    recent_confirms: Share = Field(
        0.75, description="Recent accuracy that a level_up or enrichment must show (contract: proficient)."
    )
    minimum_attempts: int = Field(10, ge=1, description="Attempts at a level before the level may move (contract).")
    early_attempts: int = Field(
        5,
        ge=1,
        description="Attempts that do where the whole band of success is past the threshold.",
    )
    cool_down_days: int = Field(3, ge=0, description="Days after a move of level in which the level stays.")
    followed_events: int = Field(3, ge=1, description="Events after a recommendation before it can count as followed.")
    level_tolerance: int = Field(
        1, ge=0, le=4, description="Items within so many levels of a learner's level count as practice at it."
    )
    low_focus: Share = Field(0.4, description="Focus below this suggests a break (contract).")
    long_session_minutes: float = Field(50.0, gt=0, description="A longer session suggests a break (contract).")
    tired_session_minutes: float = Field(15.0, ge=0, description="No tiredness is read from a shorter session.")
    tired_fall: Share = Field(
        0.25, description="Fall of success, item difficulty allowed for, from a session's first half to its second."
    )
    tired_fall_z: float = Field(
        1.64, ge=0, description="The fall must be so many standard errors (one-sided 5 %, normal approximation)."
    )
    tired_events: int = Field(10, ge=4, description="Fewest events of a session that is split in halves.")
    plateau_days: int = Field(7, ge=1, description="Days at a level without growth: change the approach (contract).")
    plateau_practice_days: int = Field(3, ge=1, description="Of those, days on which the learner did practise.")
    growth: float = Field(
        0.05, ge=0, description="Growth of success, difficulty allowed for, that counts as growth (contract: 0.05)."
    )
    hint_share: Share = Field(
        0.5, description="Hints on more than this share of recent tasks suggest another approach (Aleven et al. 2016)."
    )
    active_days: int = Field(28, ge=1, description="A learner's skill practised in so many days gets a recommendation.")
    history_days: int = Field(90, ge=1, description="Days of events that signals look back on: about a school term.")
    trend_days: int = Field(7, ge=2, description="Days of a trend, ending on the last day of practice (contract).")
    trend_late_days: int = Field(3, ge=1, description="Of those, the last days, compared with the earlier (contract).")
    trend_events: int = Field(3, ge=1, description="Fewest events on either side of a comparison.")
    stale_days: int = Field(7, ge=0, description="A skill left for longer than this loses one step of priority.")
    level_step: tuple[float, float] = Field(
        (0.35, 0.80),
        description="Least and most logits from level to level: below 0.35 success in the zone moves by less than 6 "
        "points, which nobody feels and no item bank resolves; above 0.885 a step could jump the success zone.",
    )
    level_quantiles: tuple[Share, Share] = Field(
        (0.05, 0.95),
        description="Quantiles of a subject's item difficulties that levels 2–9 span; 1 and 10 are open.",
    )
    rapid_guess_share: Share = Field(
        0.10,
        description="A faster answer than this share of the item's typical time is a rapid guess (Wise & Ma 2012).",
    )
    rapid_guess_cap_s: float = Field(10.0, gt=0, description="No slower answer is a rapid guess (Wise & Ma 2012).")
    rapid_guess_default_s: float = Field(
        3.0, gt=0, description="Rapid-guess threshold of an item without a typical time (Kong, Wise & Bhola 2007)."
    )
    steady_sd: float = Field(
        0.6, gt=0, description="Standard deviation of log response times of a steady worker (van der Linden 2006)."
    )
    unsteady_sd: float = Field(1.8, gt=0, description="Standard deviation of log response times that halves focus.")
    focus_events: int = Field(5, ge=2, description="Fewest timed answers of a session from which focus is derived.")
    expectation_attempts: int = Field(10, ge=1, description="Next exercises that an expectation is about.")
    learning_rate: float = Field(
        0.10, ge=0, description="Logits of success won by one well-placed exercise (Koedinger et al. 2023, PNAS)."
    )
    content_items: int = Field(5, ge=1, description="Most items that a recommendation lists.")


class DriftSettings(Group):
    """When a model has drifted."""

    window_days: int = Field(7, ge=1, description="Days of events compared with the reference.")
    retrain_score: Share = Field(0.15, description="A score above this retrains the model.")
    alert_score: Share = Field(0.25, description="A score above this retrains at once and alerts.")
    minimum_events: int = Field(500, ge=1, description="Fewer events in the window give no verdict.")
    minimum_learners: int = Field(20, ge=2, description="Fewer learners in the window give no verdict.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="One-sided confidence of the losses a score counts.")
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


class AdaptiveSettings(Group):
    """When the two-hourly check asks for training before the night."""

    minimum_events: int = Field(500, ge=1, description="Fewer events on the day say nothing about today.")
    new_event_share: float = Field(0.2, gt=0, description="New events, as a share of those fitted, that ask for it.")
    unseen_item_share: Share = Field(0.2, description="Share of answers to items never seen that asks for it.")
    excess_log_loss: float = Field(0.05, gt=0, description="Log loss above the promised one, nats, that asks for it.")
    calibration_gap: float = Field(0.05, gt=0, description="Answers minus predictions, on average, that ask for it.")


class ScheduleSettings(Group):
    """When things run by themselves."""

    timezone: str = Field("UTC", description="Zone in which the crons below are read.")
    main_brain_daily: str = Field("0 2 * * *", description="Cron of aivo_main_brain_daily.")
    drift_monitor: str = Field("0 */6 * * *", description="Cron of drift_monitor_6h.")
    weekly_full_retraining: str = Field("0 3 * * 0", description="Cron of weekly_full_retraining.")
    adaptive_training: str = Field("0 */2 * * *", description="Cron of adaptive_training_2h.")
    sensor_seconds: int = Field(60, ge=10, description="Seconds between two looks of a sensor.")


class ApiSettings(Group):
    """The HTTP service."""

    host: str = Field("127.0.0.1", description="Address that it listens on.")
    port: int = Field(8009, ge=1, le=65535, description="Its port.")


class AlertSettings(Group):
    """Where alerts go."""

    webhook_url: SecretStr | None = Field(None, description="Alerts are posted here as JSON, and always logged.")
    timeout_seconds: float = Field(5.0, gt=0, description="Longest wait for one request to the webhook.")
    attempts: int = Field(3, ge=1, le=10, description="Requests at most before an alert counts as undelivered.")


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
    tuning: TuningSettings = TuningSettings()
    promotion: PromotionSettings = PromotionSettings()
    students: StudentSettings = StudentSettings()
    policy: PolicySettings = PolicySettings()
    drift: DriftSettings = DriftSettings()
    adaptive: AdaptiveSettings = AdaptiveSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    api: ApiSettings = ApiSettings()
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
