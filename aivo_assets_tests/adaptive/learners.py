"""Hand-made frames: events, item banks, model answers and rows of signals, all of the real datasets' columns."""

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from aivo_assets.adaptive.policy.levels import item_bank, subject_levels
from aivo_assets.adaptive.schema import SIGNALS
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import PolicySettings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS

SETTINGS = PolicySettings()
TODAY = date(2024, 3, 20)
SUBJECT = "mathematics"
STEP = 0.5  # logits between the items of `ladder`: item-1 … item-10 are of levels 1 … 10


def day(back: int) -> date:
    return TODAY - timedelta(days=back)


def items(difficulties: Iterable[float], *, skill: str = "fractions", subject: str = SUBJECT) -> pl.DataFrame:
    values = list(difficulties)
    return pl.DataFrame(
        {
            "item_id": [f"{skill}-{place}" for place in range(1, len(values) + 1)],
            "subject": subject,
            "skill_ids": [[skill]] * len(values),
            "difficulty": values,
            "difficulty_sd": 0.1,
            "events": 100,
            "log_response_time": math.log(40_000),
        },
        schema_overrides={
            "item_id": pl.String,
            "subject": pl.String,
            "skill_ids": pl.List(pl.String),
            "difficulty": pl.Float64,
            "difficulty_sd": pl.Float64,
            "events": pl.Int64,
        },
    )


def ladder(*skills: str, per_level: int = 1) -> pl.DataFrame:
    """A bank in which `skill-1` … are of level 1, and so on up to 10."""
    names = skills or ("fractions",)
    difficulties = [STEP * (level - 5.5) for level in range(1, 11) for _ in range(per_level)]
    content = pl.concat([items(difficulties, skill=name) for name in names])
    settings = SETTINGS.model_copy(update={"level_step": (STEP, STEP)})
    return item_bank(content, subject_levels(content, day=TODAY, settings=settings), day=TODAY)


def answers(
    learner: str = "ada",
    *,
    back: int = 0,
    correct: Iterable[int],
    item: str | Iterable[str] = "fractions-5",
    skills: tuple[str, ...] = ("fractions",),
    gap_s: int | Iterable[int] = 60,
    hour: int = 9,
    **columns: Any,
) -> pl.DataFrame:
    """One learner's answers on one day, so many days back, `gap_s` seconds apart."""
    outcomes = list(correct)
    n = len(outcomes)
    gaps = [gap_s] * (n - 1) if isinstance(gap_s, int) else list(gap_s)
    at = datetime(day(back).year, day(back).month, day(back).day, hour, tzinfo=UTC)
    values: dict[str, Any] = {
        "event": [f"{learner}-{back}-{place}" for place in range(n)],
        "learner": learner,
        "shard": 1,
        "day": day(back),
        "occurred_at": [at + timedelta(seconds=sum(gaps[:place])) for place in range(n)],
        "sequence": range(n),
        "gap_s": [None, *gaps],
        "item_id": item if isinstance(item, str) else list(item),
        "skill_ids": [list(skills)] * n,
        "subject": SUBJECT,
        "correct": outcomes,
        **columns,
    }
    missing = {name: None for name in ANONYMISED_INTERACTIONS.schema if name not in values}
    return pl.DataFrame({**values, **missing}, schema=dict(ANONYMISED_INTERACTIONS.schema), strict=False)


def mastery(
    learner: str = "ada",
    *,
    skill: str = "fractions",
    probabilities: Iterable[float],
    band: tuple[float, float] = (0.6, 0.8),
) -> pl.DataFrame:
    row = {
        "learner": learner,
        "shard": 1,
        "day": TODAY,
        "subject": SUBJECT,
        "skill_id": skill,
        "mastery": sum(band) / 2,
        "mastery_lower": band[0],
        "mastery_upper": band[1],
        "level_probabilities": list(probabilities),
        "model_version": "brain-1",
    }
    return pl.DataFrame([row], schema=dict(SKILL_MASTERY.schema))


def student(learner: str = "ada", *, ability: float = 0.0) -> pl.DataFrame:
    row = {"learner": learner, "shard": 1, "day": TODAY, "ability": ability, "model_version": "brain-1"}
    return pl.DataFrame([row], schema=dict(STUDENT_MODELS.schema))


def signals(**known: Any) -> pl.DataFrame:
    """One row of signals: a learner at level 5 whom the level fits, but for what is given."""
    usual: dict[str, Any] = {
        "learner": "ada",
        "shard": 1,
        "day": TODAY,
        "subject": SUBJECT,
        "skill_id": "fractions",
        "last_practised_on": TODAY,
        "latest": True,
        "attempts": 24,
        "recent_attempts": 10,
        "recent_successes": 8,
        "recent_accuracy": 0.8,
        "overall_accuracy": 0.75,
        "session_minutes": 20.0,
        "working_minutes": 20.0,
        "session_events": 12,
        "session_current": True,
        "streak_days": 1,
        "pace": 2.0,
        "current_level": 5,
        "level_source": "practised",
        "attempts_since_move": 20,
        "attempts_at_level": 20,
        "successes_at_level": 16,
        "failures_at_level": 4,
        "days_at_level": 5,
        "practice_days_at_level": 4,
        "items_below": 3,
        "items_above": 3,
        "p_level": 0.78,
        "p_level_lower": 0.70,
        "p_level_upper": 0.84,
        "p_above": 0.70,
        "p_below": 0.85,
        "gain_easier": 0.07,
        "level_probabilities": [0.96, 0.93, 0.90, 0.85, 0.78, 0.70, 0.60, 0.50, 0.40, 0.30],
        "success_sd": 0.4,
        "mastery": 0.78,
        "mastery_lower": 0.70,
        "mastery_upper": 0.84,
        "ability": 0.2,
        "recent_items": [],
        "model_version": "brain-1",
    }
    unknown = known.keys() - SIGNALS.schema.keys()
    assert not unknown, f"no such signals: {unknown}"
    return pl.DataFrame([{**usual, **known}], schema=dict(SIGNALS.schema))
