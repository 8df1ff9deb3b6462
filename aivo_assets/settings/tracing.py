"""Settings of knowledge tracing: features, training, tuning, promotion, student models."""

from typing import Literal

from pydantic import Field

from aivo_assets.settings.group import Group

CalibrationKind = Literal["none", "platt", "beta", "isotonic"]


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
    subject_sd: float = Field(0.3, gt=0, description="Spread of a learner's subjects around their ability, logit.")
    skill_sd: float = Field(0.5, gt=0, description="Spread of a learner's skills around their ability, logit.")
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
    statistics_folds: int = Field(16, ge=2, description="Learner folds for out-of-fold item and skill statistics.")
    window_days: int = Field(400, ge=1, description="Days of events a training reads, counted back.")
    memory_gib: float = Field(
        8.0,
        gt=1.0,
        description="Memory that a training may take, GiB. What does not fit is left out, learners whole: 1 GiB and 36 "
        "bytes an event and feature are reckoned with (8 GiB: 2.8 million events of 74 features).",
    )
    calibration_share: float = Field(0.1, gt=0, lt=0.5, description="Share of events, later in time, that calibrates.")
    evaluation_share: float = Field(0.1, gt=0, lt=0.5, description="Share of events, last in time, that evaluates.")
    minimum_events: int = Field(2000, ge=1, description="Fewer events than this train no model.")
    minimum_part_events: int = Field(100, ge=1, description="Fewest events that may calibrate, or evaluate.")
    models: int = Field(1, ge=1, le=20, description="Boosted models, of different seeds, whose logits are averaged.")
    max_iterations: int = Field(900, ge=1, description="Most boosting rounds; early stopping may end sooner.")
    learning_rate: float = Field(0.06, gt=0, description="Boosting step.")
    max_leaves: int = Field(127, ge=2, description="Leaves per tree.")
    min_samples_leaf: int = Field(100, ge=1, description="Fewest events in a leaf.")
    l2_regularization: float = Field(20.0, ge=0, description="L2 penalty of a leaf.")
    feature_share: float = Field(0.3, gt=0, le=1, description="Share of the features, at random, that a tree may use.")
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
    minimum_of_each_outcome: int = Field(
        20, ge=1, description="Fewer right or fewer wrong answers in the evaluation events promote nothing."
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence of the paired bootstrap over learners.")
    bootstrap_samples: int = Field(1000, ge=100, description="Bootstrap resamples of learners.")
    bootstrap_seed: int = Field(0, ge=0, description="Seed of the bootstrap.")
    calibration_limit: float = Field(
        0.01, ge=0, description="Most a challenger's ECE may exceed the champion's, unless that may be chance."
    )
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
    interval_folds: int = Field(
        5, ge=2, description="Learner folds for fitting the width of the bands; one is stopped, the others know items."
    )
    interval_learners: int = Field(
        2000, ge=1, description="No further fold is begun for it once so many learners were stopped."
    )
    interval_seed: int = Field(0, ge=0, description="Seed of these folds and of where learners are stopped.")
    starting_skills: int = Field(
        10, ge=1, description="Skills a subject, most practised first, for which a learner without events has answers."
    )
    rows_at_once: int = Field(200_000, ge=1000, description="Hypothetical exercises put to the main brain at once.")
    events_at_once: int = Field(
        500_000, ge=1, description="Events folded at once; learners stay whole, so the memory is that of about so many."
    )
    layer_share: float = Field(
        0.5,
        gt=0,
        description="Layers of states beyond this share of their base are merged into it, a shard a run.",
    )
    most_layers: int = Field(60, ge=1, description="So are more layers than this.")
