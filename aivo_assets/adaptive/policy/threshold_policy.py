"""The threshold rules that the policy has to beat, kept for comparison. Belongs here: this one table and its numbers.

Its numbers are no settings: a baseline that moves is none. They read raw accuracy and counts only, no model answer.
"""

from typing import Final

from aivo_assets.adaptive.policy.policy import (
    BREAK,
    CHANGE_APPROACH,
    ENRICHMENT,
    LEVEL_DOWN,
    LEVEL_UP,
    MAINTAIN,
    REMEDIATION,
)
from aivo_assets.adaptive.policy.rules import Criterion, Policy, Rule

_MASTERED: Final = Criterion(
    "recent_accuracy", ">=", 0.90
)  # 0.95 and under 30 s a task is "advanced": the same decision
_PROFICIENT: Final = Criterion("recent_accuracy", ">=", 0.75)
_DEVELOPING: Final = Criterion("recent_accuracy", ">=", 0.60)
_AT_LEAST: Final = 0.70
_STANDS_FOR: Final = 3  # a recommendation stands until so many answers have come since, as ours does


def threshold_policy() -> Policy:
    """Accuracy over the last 10, attempts and days at the level, session length, focus."""
    table = (
        ("break_low_focus", BREAK, (Criterion("focus", "<", 0.4),), "high"),
        ("threshold_long_session", BREAK, (Criterion("session_minutes", ">", 50),), "high"),
        ("threshold_failures", LEVEL_DOWN, (Criterion("failures_at_level", ">=", 5),), "high"),
        ("threshold_few_attempts", MAINTAIN, (Criterion("attempts_at_level", "<", 10),), "low"),
        ("threshold_few_days", MAINTAIN, (Criterion("days_at_level", "<", 2),), "low"),
        ("threshold_level_up", LEVEL_UP, (_MASTERED, Criterion("successes_at_level", ">=", 8)), "medium"),
        ("threshold_mastered", ENRICHMENT, (_MASTERED,), "medium"),
        ("threshold_growing", ENRICHMENT, (_PROFICIENT, Criterion("accuracy_trend", ">", 0.05)), "low"),
        ("threshold_proficient", MAINTAIN, (_PROFICIENT,), "low"),
        ("threshold_plateau", CHANGE_APPROACH, (_DEVELOPING, Criterion("days_at_level", ">", 7)), "medium"),
        ("threshold_developing", MAINTAIN, (_DEVELOPING,), "low"),
        ("threshold_level_down", LEVEL_DOWN, (Criterion("attempts_at_level", ">", 15),), "high"),
        ("threshold_struggling", REMEDIATION, (), "high"),
    )
    rules = tuple(Rule(name, kind, tests, priority, _AT_LEAST) for name, kind, tests, priority in table)
    return Policy("threshold", rules, passing=frozenset({BREAK.name}), stands_for=_STANDS_FOR)
