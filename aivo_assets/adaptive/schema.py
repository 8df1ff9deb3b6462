"""Datasets of the adaptive stage. Belongs here: their columns and one sentence on each; no computation.

Each dataset is declared from one table of columns, so that a column without a description cannot exist. The assets
show the descriptions as column metadata.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from aivo_assets.lake import Dataset

Column = tuple[pl.DataType | type[pl.DataType], str]

LEVEL_COUNT: Final = 10

EVIDENCE = pl.Struct({"signal": pl.String, "value": pl.Float64, "threshold": pl.Float64, "direction": pl.String})
CHANGE = pl.Struct({"signal": pl.String, "value": pl.Float64, "instead": pl.Float64})

SKILL_KEYS: Final = ["learner", "subject", "skill_id"]
"""What names a skill of a learner: what is decided is decided for each of them."""

_KEYS: Final[dict[str, Column]] = {
    "learner": (pl.String, "Pseudonym of the learner."),
    "shard": (pl.Int32, "Shard of the learner."),
    "day": (pl.Date, "As-of day: everything up to its end (UTC) is known, nothing after it."),
    "subject": (pl.String, "Subject of the skill."),
    "skill_id": (pl.String, "The skill."),
}

_ITEM_BANK: Final[dict[str, Column]] = {
    "day": (pl.Date, "As-of day of the bank."),
    "item_id": (pl.String, "The item."),
    "subject": (pl.String, "Subject of the item; levels are comparable within a subject."),
    "skill_ids": (pl.List(pl.String), "Skills that the item practises."),
    "difficulty": (pl.Float64, "Calibrated difficulty in logits; higher is harder."),
    "difficulty_sd": (pl.Float64, "Standard deviation of the difficulty, logits."),
    "level": (pl.Int8, "Level 1 (easiest) to 10 (hardest) within the subject."),
    "level_lower": (pl.Int8, "Lowest level within one and a quarter standard deviations: an 80 % band."),
    "level_upper": (pl.Int8, "Highest level of the same 80 % band."),
    "level_certainty": (pl.Float64, "Probability that the item is really of its level, given its uncertainty."),
    "events": (pl.Int64, "Answers that the difficulty rests on."),
    "typical_time_s": (pl.Float64, "Median seconds for an answer; null where too few answers were timed."),
}

_LEVELS: Final[dict[str, Column]] = {
    "day": (pl.Date, "As-of day of the levels."),
    "subject": (pl.String, "The subject."),
    "level": (pl.Int8, "Level 1 (easiest) to 10 (hardest)."),
    "lower": (pl.Float64, "Least difficulty of the level, logits, inclusive; null for level 1, which is open below."),
    "upper": (pl.Float64, "End of the level, logits, exclusive; null for level 10, which is open above."),
    "difficulty": (
        pl.Float64,
        "Difficulty that stands for the level: mean of its items, its middle where it has none.",
    ),
    "items": (pl.Int32, "Items of the level; 0 for a level that the content does not offer."),
}

_SIGNALS: Final[dict[str, Column]] = {
    **_KEYS,
    "last_practised_on": (pl.Date, "Day on which the learner last practised the skill."),
    "latest": (pl.Boolean, "Whether the learner's last event practised this skill."),
    "attempts": (pl.Int32, "Answers on the skill within the history."),
    "recent_attempts": (pl.Int32, "Answers that recent accuracy rests on, 10 at most."),
    "recent_successes": (pl.Int32, "Correct ones among the recent answers."),
    "recent_accuracy": (pl.Float64, "Share correct of the last 10 answers on the skill."),
    "overall_accuracy": (pl.Float64, "Share correct of all answers on the skill within the history."),
    "accuracy_trend": (pl.Float64, "Accuracy of the last 3 days of practice week minus that of its 4 days before."),
    "ability_trend": (
        pl.Float64,
        "The same of success minus expected success, so that harder items do not count as a fall.",
    ),
    "completion": (pl.Float64, "Mean share of tasks done in the assignments that the learner began; null without any."),
    "time_per_task_s": (pl.Float64, "Median seconds for each of the recent answers."),
    "time_source": (
        pl.String,
        "`response` where answers were timed, `gap` where only the pause between answers is known.",
    ),
    "focus": (pl.Float64, "Focus in the last session, 0 to 1; null where nothing tells."),
    "focus_source": (
        pl.String,
        "`given` by the source or `derived` from rapid guessing and response-time variability.",
    ),
    "hint_rate": (pl.Float64, "Share of the recent answers that took a hint; null where hints are not recorded."),
    "session_minutes": (pl.Float64, "Length of the learner's last session, all skills."),
    "working_minutes": (pl.Float64, "Of that, minutes of work: of a pause too long for an exercise only its answer."),
    "session_events": (pl.Int32, "Answers in that session."),
    "session_current": (pl.Boolean, "Whether that session ended on the as-of day."),
    "session_first_half": (pl.Float64, "Accuracy in the first half of that session."),
    "session_second_half": (pl.Float64, "Accuracy in the second half of that session."),
    "session_fall": (pl.Float64, "Fall of success from first to second half, item difficulty allowed for."),
    "session_fall_z": (pl.Float64, "That fall in standard errors."),
    "streak_days": (pl.Int32, "Days in a row with practice, up to the as-of day or the day before."),
    "pace": (pl.Float64, "Answers on the skill a calendar day, over the days of activity that count."),
    "current_level": (pl.Int8, "Level at which the learner works, 1 to 10."),
    "level_source": (
        pl.String,
        "Where that comes from: `standing`, `followed`, `kept`, `practised`, `model` or `middle`.",
    ),
    "level_since": (
        pl.Date,
        "Day of the last recommendation that saw the learner at another level; null where none did.",
    ),
    "days_since_move": (pl.Int32, "Days since `level_since`."),
    "never_moved": (pl.Boolean, "Whether the learner was never seen at another level of this skill."),
    "attempts_since_move": (pl.Int32, "Answers on the skill at any level since the move; all of them without one."),
    "attempts_at_level": (pl.Int32, "Answers on the skill at the level, give or take the tolerance, since the move."),
    "successes_at_level": (pl.Int32, "Correct ones among them."),
    "failures_at_level": (pl.Int32, "Wrong ones among them."),
    "days_at_level": (pl.Int32, "Calendar days from the first of them to the last."),
    "practice_days_at_level": (pl.Int32, "Days with at least one of them."),
    "growth_at_level": (pl.Float64, "Success minus expected success, second half of them minus first half."),
    "items_below": (pl.Int32, "Items of the skill below the level, as far as a move goes."),
    "items_above": (pl.Int32, "Items of the skill one level above."),
    "p_level": (pl.Float64, "Main brain's probability of success at the current level."),
    "p_level_lower": (pl.Float64, "Lower end of its band."),
    "p_level_upper": (pl.Float64, "Upper end of its band."),
    "p_above": (pl.Float64, "Probability of success one level above; at level 10 that of level 10."),
    "p_below": (pl.Float64, "Probability of success one level below; at level 1 that of level 1."),
    "gain_easier": (pl.Float64, "Success at the level that a move down would go to, less that at the current one."),
    "level_probabilities": (pl.List(pl.Float32), "Probability of success at levels 1 to 10."),
    "success_sd": (pl.Float64, "Uncertainty of those probabilities: standard deviation in logits."),
    "mastery": (pl.Float64, "Mastery of the skill, 0 to 1."),
    "mastery_lower": (pl.Float64, "Lower end of its band."),
    "mastery_upper": (pl.Float64, "Upper end of its band."),
    "ability": (pl.Float64, "Ability of the learner, logits."),
    "previous_day": (pl.Date, "As-of day of the recommendation before this one, breaks left out; null without one."),
    "previous_kind": (pl.String, "Its kind."),
    "previous_plan": (pl.String, "The plan it set."),
    "previous_current_level": (pl.Int8, "The current level it saw."),
    "previous_level": (pl.Int8, "The level it recommended."),
    "previous_rule": (pl.String, "The rule by which the policy itself had decided it."),
    "previous_policy_level": (pl.Int8, "The level that the policy itself had recommended."),
    "previous_priority": (pl.String, "The priority by that rule."),
    "decided_on": (pl.Date, "Day on which it was decided, which may be days before the last time that it was told."),
    "answers_since": (pl.Int32, "Answers on the skill after that day; null where there was no recommendation."),
    "answers_new": (pl.Int32, "Of them, answers after `previous_day`."),
    "recent_items": (pl.List(pl.String), "Items of the recent answers, so that they are not offered again."),
    "model_version": (pl.String, "Version of the main brain that answered; null where none did."),
}

_RECOMMENDATIONS: Final[dict[str, Column]] = {
    **_KEYS,
    "rank": (pl.Int32, "Order of importance for the learner; rank 1 is the learner's recommendation."),
    "kind": (pl.String, "One of the seven kinds."),
    "rule": (pl.String, "Rule of the policy that decided."),
    "policy": (pl.String, "Policy that decided."),
    "current_level": (pl.Int8, "Level at which the learner works, 1 to 10."),
    "recommended_level": (pl.Int8, "Level to work at next, 1 to 10."),
    "priority": (pl.String, "`low`, `medium`, `high` or `urgent`."),
    "confidence": (pl.Float64, "Probability that the expectation holds, calibrated on what became of earlier ones."),
    "confidence_model": (pl.Float64, "The same as the main brain alone would have it."),
    "confidence_outcomes": (pl.Int32, "Judged expectations that the calibration rests on; 0: the model's answer."),
    "expectation": (pl.String, "What is expected, in words that the next answers can prove wrong."),
    "expected_successes": (pl.Int32, "The expectation: at least so many correct …"),
    "expected_attempts": (pl.Int32, "… of the next so many answers at the recommended level, give or take a level."),
    "headline": (pl.String, "What to do, in a line for the teacher."),
    "reasoning": (pl.String, "Why, in plain words for the teacher."),
    "reasoning_learner": (pl.String, "Why, in plain words for the learner."),
    "reasoning_parent": (pl.String, "Why, in plain words for parents."),
    "evidence": (pl.List(EVIDENCE), "The signals that decided, each with its threshold."),
    "counterfactual": (pl.String, "What would have made it another recommendation."),
    "counterfactual_kind": (pl.String, "Which kind that would be; null where nothing near makes another."),
    "counterfactual_changes": (pl.List(CHANGE), "The signals, as they would then be, that make the policy say so."),
    "suggested_actions": (pl.List(pl.String), "What a teacher can do now."),
    "content": (pl.List(pl.String), "Items of the skill that fit best, not among the recent ones, best first."),
    "content_skill": (pl.String, "Skill of that content: the skill itself, or its weakest prerequisite."),
    "content_level": (pl.Int8, "Level nearest to the fitting one among the items that fit best."),
    "prerequisite_mastery": (pl.Float64, "Mastery of that prerequisite; null where it is none or was not practised."),
    "expected_impact": (pl.Float64, "Expected change of the probability that `impact_of` names, 0 to 1."),
    "impact_of": (pl.String, "What changes: `success_at_current_level`, or `success_in_session` for a break."),
    "time_to_effect_days": (pl.Int32, "Days until the expectation can be judged, at the learner's own pace."),
    "plan": (pl.String, "What the learner is on: `practice`, `remediation`, `enrichment` or `change_approach`."),
    "override": (pl.String, "Teacher's word in force: `accept`, `reject` or `pin`; null without one."),
    "policy_kind": (pl.String, "What the policy itself would have said."),
    "policy_level": (pl.Int8, "The level that the policy itself would have recommended."),
    "policy_rule": (pl.String, "The rule by which it would have."),
    "policy_priority": (pl.String, "The priority by that rule, whatever the learner is at now."),
    "passes": (pl.Boolean, "Whether it ends with the session that called for it, as a break does."),
    "decided_on": (pl.Date, "Day on which this was decided: it stands until practice of the skill says more."),
    "changed": (pl.Boolean, "Whether level or plan differ from the learner's recommendation before, for this skill."),
    "level_since": (
        pl.Date,
        "Day of the last recommendation that saw the learner at another level; null where none did.",
    ),
    "model_version": (pl.String, "Version of the main brain that answered; null where none did."),
    "made_by": (pl.String, "What made it: code, policy and wording version, as the caller names them."),
}

_OUTCOMES: Final[dict[str, Column]] = {
    **_KEYS,
    "recommended_on": (pl.Date, "As-of day of the recommendation."),
    "rank": (pl.Int32, "Its rank for the learner."),
    "kind": (pl.String, "Its kind."),
    "policy_kind": (pl.String, "What the policy itself would have said."),
    "override": (pl.String, "Teacher's word that it obeyed: `accept`, `reject` or `pin`; null without one."),
    "answered": (pl.String, "What a teacher said of it afterwards; null where none did."),
    "recommended_level": (pl.Int8, "Level that it recommended."),
    "confidence_model": (pl.Float64, "Model's probability that its expectation holds."),
    "confidence": (pl.Float64, "Calibrated probability that it was given."),
    "expected_successes": (pl.Int32, "At least so many correct were expected …"),
    "expected_attempts": (pl.Int32, "… of so many answers."),
    "successes": (pl.Int32, "Correct ones of those answers."),
    "held": (pl.Boolean, "Whether the expectation held."),
    "judged_on": (pl.Date, "Day of the last of those answers."),
}


def _schema(columns: Mapping[str, Column]) -> dict[str, pl.DataType | type[pl.DataType]]:
    return {name: dtype for name, (dtype, _) in columns.items()}


ITEM_BANK = Dataset("item_bank/items", _schema(_ITEM_BANK), unit="day")
LEVELS = Dataset("item_bank/levels", _schema(_LEVELS), unit="day")
SIGNALS = Dataset("signals", _schema(_SIGNALS), unit="day", sharded=True)
RECOMMENDATIONS = Dataset("recommendations", _schema(_RECOMMENDATIONS), unit="day", sharded=True)
OUTCOMES = Dataset("outcomes", _schema(_OUTCOMES), unit="day", sharded=True)

COLUMN_DESCRIPTIONS: Final[dict[str, dict[str, str]]] = {
    dataset.path: {name: text for name, (_, text) in columns.items()}
    for dataset, columns in (
        (ITEM_BANK, _ITEM_BANK),
        (LEVELS, _LEVELS),
        (SIGNALS, _SIGNALS),
        (RECOMMENDATIONS, _RECOMMENDATIONS),
        (OUTCOMES, _OUTCOMES),
    )
}
