"""Settings of signals and recommendations."""

from pydantic import Field, model_validator

from aivo_assets.settings.group import Group, Share
from aivo_assets.settings.kinds import in_order


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
    first_attempts: int = Field(
        5,
        ge=1,
        description="Answers on a skill that do before its first move, where they agree with the main brain that "
        "success is below the zone. On simulated learners (seeds 101 to 103) 2, 4 and 6 gain the same, 2 flaps most.",
    )
    failing: Share = Field(
        0.30,
        description="At most this share of the recent answers right is clear failure, whatever their level: of 3 in "
        "10 the one-sided 95 % Wilson bound is 0.56, below `too_hard`.",
    )
    least_gain: Share = Field(
        0.06,
        description="A move down must win so much success: what the least level step (0.35 logits) wins in the zone.",
    )
    most_levels: int = Field(3, ge=1, le=9, description="Most levels that a move goes at once.")
    cool_down_days: int = Field(3, ge=0, description="Days after a move of level in which the level stays.")
    followed_events: int = Field(3, ge=1, description="Events after a recommendation before it can count as followed.")
    level_tolerance: int = Field(
        1, ge=0, le=4, description="Items within so many levels of a learner's level count as practice at it."
    )
    low_focus: Share = Field(0.4, description="Focus below this suggests a break (contract).")
    long_session_minutes: float = Field(
        50.0, gt=0, description="More minutes of work in a session suggest a break (contract: 50 of session)."
    )
    work_times_typical: float = Field(
        5.0,
        gt=1,
        description="A pause longer than so many times the item's typical time is not all work: beyond the 99th "
        "percentile of a steady worker (lognormal times of standard deviation 0.6, van der Linden 2006).",
    )
    work_pause_minutes: tuple[float, float] = Field(
        (2.0, 10.0),
        description="That limit is never under the first (reading, feedback) nor over the second, which serves where "
        "no typical time is known: ten minutes, the strictest usual limit of idleness (Kovanović et al. 2015).",
    )
    tired_session_minutes: float = Field(15.0, ge=0, description="No tiredness is read from a shorter session.")
    tired_fall: Share = Field(
        0.25, description="Fall of success, item difficulty allowed for, from a session's first half to its second."
    )
    tired_fall_z: float = Field(
        1.64, ge=0, description="The fall must be so many standard errors (one-sided 5 %, normal approximation)."
    )
    tired_events: int = Field(10, ge=4, description="Fewest events of a session that is split in halves.")
    plateau_practice_days: int = Field(
        5,
        ge=1,
        description="Days of practice at a level without growth: change the approach (contract: 7 days, which have "
        "five school days; days without practice do not count).",
    )
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
    language: str = Field("en", description="Language of recommendations and dates: `en`, `de`, or another catalogue.")
    prerequisites: str | None = Field(
        None, description="Skill graph, CSV or Parquet with columns skill and prerequisite. Default: none is known."
    )
    outcome_days: int = Field(180, ge=2, description="Days back from which outcomes calibrate the confidence.")
    outcome_learners: int = Field(20_000, ge=1, description="Most learners whose outcomes are judged for that.")
    confidence_minimum: int = Field(
        100, ge=1, description="Judged learner x skills before outcomes correct the model's confidence."
    )
    pin_days: int = Field(28, ge=1, description="Days that a level is pinned for where a teacher names no last day.")
    reject_days: int = Field(14, ge=0, description="Days in which a kind that a teacher rejected is not repeated.")
    evaluation_seeds: int = Field(3, ge=1, description="Seeds of the weekly policy_evaluation.")
    evaluation_learners: int = Field(60, ge=10, description="Simulated learners of each of them.")
    evaluation_weeks: int = Field(4, ge=1, description="Weeks that they learn; `aivo benchmark policy` takes 8.")
    evaluation_school: int = Field(
        300, ge=25, description="Learners of last year's school, on whose log its main brain is fitted."
    )

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> "PolicySettings":
        low, high = self.success_zone
        in_order(
            ("AIVO_POLICY_URGENT_SUCCESS", self.urgent_success),
            ("AIVO_POLICY_TOO_HARD", self.too_hard),
            ("the lower edge of AIVO_POLICY_SUCCESS_ZONE", low),
            ("its upper edge", high),
            strictly=False,
        )
        for name, (least, most) in (("LEVEL_STEP", self.level_step), ("LEVEL_QUANTILES", self.level_quantiles)):
            in_order((f"the first of AIVO_POLICY_{name}", least), ("the second", most))
        in_order(("AIVO_POLICY_STEADY_SD", self.steady_sd), ("AIVO_POLICY_UNSTEADY_SD", self.unsteady_sd))
        in_order(("AIVO_POLICY_TREND_LATE_DAYS", self.trend_late_days), ("AIVO_POLICY_TREND_DAYS", self.trend_days))
        return self
