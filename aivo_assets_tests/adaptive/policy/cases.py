"""Signals of learners, each of which one rule of a policy decides, and the rule's name."""

from typing import Any

from aivo_assets.adaptive.policy.policy import success_zone_policy
from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets_tests.adaptive.learners import SETTINGS, signals

POLICY = success_zone_policy(SETTINGS)


EASY = {"p_level": 0.90, "p_level_lower": 0.82, "p_level_upper": 0.95, "p_above": 0.84, "recent_accuracy": 0.9}


HARD = {"p_level": 0.55, "p_level_lower": 0.40, "p_level_upper": 0.68, "p_below": 0.64, "recent_accuracy": 0.5}


BASICS = {"p_level": 0.40, "p_level_lower": 0.30, "p_level_upper": 0.52, "p_below": 0.50, "recent_accuracy": 0.3}


FALL = {"session_fall": 0.4, "session_fall_z": 2.0, "working_minutes": 25.0}


FAILING = {"recent_accuracy": 0.1, "attempts_at_level": 2, "attempts_since_move": 10}


BELOW = {"p_level": 0.68, "p_level_lower": 0.55, "p_level_upper": 0.79, "p_below": 0.76, "recent_accuracy": 0.5}


# Rule, the learner made for it, kind, recommended level (the learner works at level 5).
CASES: list[tuple[str, dict[str, Any], str, int]] = [
    ("break_low_focus", {"focus": 0.39}, "break", 5),
    ("break_long_session", {"working_minutes": 50.5}, "break", 5),
    ("break_tired", FALL, "break", 5),
    ("maintain_settling", {**EASY, "days_since_move": 2}, "maintain", 5),
    ("remediation", BASICS, "remediation", 3),
    ("remediation_early", {**BASICS, "attempts_at_level": 5}, "remediation", 3),
    ("remediation_failing", {**BASICS, **FAILING}, "remediation", 3),
    ("level_down", HARD, "level_down", 4),
    ("level_down_early", {**HARD, "p_level_upper": 0.59, "attempts_at_level": 5}, "level_down", 4),
    ("level_down_failing", {**HARD, **FAILING}, "level_down", 4),
    ("level_down_first", {**BELOW, "never_moved": True, "attempts": 5, "attempts_at_level": 5}, "level_down", 4),
    (
        "change_approach_first",
        {**HARD, "never_moved": True, "attempts": 5, "attempts_at_level": 5, "items_below": 0},
        "change_approach",
        5,
    ),
    ("change_approach_no_gain", {**HARD, "gain_easier": 0.03}, "change_approach", 5),
    ("change_approach_no_easier", {**HARD, "items_below": 0}, "change_approach", 5),
    (
        "change_approach_plateau",
        {"p_level": 0.65, "recent_accuracy": 0.6, "practice_days_at_level": 5, "growth_at_level": 0.0},
        "change_approach",
        5,
    ),
    ("change_approach_hints", {"hint_rate": 0.6}, "change_approach", 5),
    ("level_up", EASY, "level_up", 6),
    ("level_up_early", {**EASY, "p_level_lower": 0.86, "attempts_at_level": 5}, "level_up", 6),
    ("enrichment_ceiling", {**EASY, "items_above": 0}, "enrichment", 5),
    ("enrichment_promising", {**EASY, "attempts_at_level": 9}, "enrichment", 5),
    ("enrichment_growing", {"ability_trend": 0.06}, "enrichment", 5),
    ("maintain_too_few", {"attempts_at_level": 9}, "maintain", 5),
    ("maintain_in_zone", {}, "maintain", 5),
    ("maintain_unproven", {**EASY, "recent_accuracy": 0.7}, "maintain", 5),
    ("maintain_doubtful", {**HARD, "recent_accuracy": 0.7}, "maintain", 5),
    ("maintain_stretch", {"p_level": 0.65}, "maintain", 5),
    ("maintain_unknown", {"p_level": None}, "maintain", 5),
]


def decide(policy: Policy = POLICY, **known: Any) -> dict[str, Any]:
    return policy.decide(signals(**known)).row(0, named=True)


# The threshold rules, each with the learner of the specification's own words.
THRESHOLD_CASES: list[tuple[str, dict[str, Any], str, int]] = [
    ("focus below 0.4", {"focus": 0.39, "failures_at_level": 9}, "break", 5),
    ("over 50 minutes", {"session_minutes": 51.0, "failures_at_level": 9}, "break", 5),
    ("five failures", {"failures_at_level": 5, "attempts_at_level": 6}, "level_down", 4),
    ("nine attempts", {"attempts_at_level": 9, "recent_accuracy": 1.0}, "maintain", 5),
    ("one day", {"days_at_level": 1, "recent_accuracy": 1.0}, "maintain", 5),
    ("mastered, eight successes", {"recent_accuracy": 0.9, "successes_at_level": 8}, "level_up", 6),
    ("mastered, seven successes", {"recent_accuracy": 0.9, "successes_at_level": 7}, "enrichment", 5),
    ("proficient, rising", {"recent_accuracy": 0.75, "accuracy_trend": 0.06}, "enrichment", 5),
    ("proficient", {"recent_accuracy": 0.75, "accuracy_trend": 0.05}, "maintain", 5),
    ("developing, eight days", {"recent_accuracy": 0.6, "days_at_level": 8}, "change_approach", 5),
    ("developing, seven days", {"recent_accuracy": 0.6, "days_at_level": 7}, "maintain", 5),
    ("struggling, sixteen attempts", {"recent_accuracy": 0.5, "attempts_at_level": 16}, "level_down", 4),
    ("struggling, fifteen attempts", {"recent_accuracy": 0.5, "attempts_at_level": 15}, "remediation", 3),
]
