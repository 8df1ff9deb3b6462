"""The meaning of every feature, in the order of the columns. Belongs here: names and words; nothing is computed."""

import hashlib
from dataclasses import dataclass

from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.layout import VERSION, Feature
from aivo_assets.tracing.fold.schema import FeatureSchema


@dataclass(frozen=True)
class FeatureSpec:
    """A feature's name, what it is about and what it means. All are of the moment before the answer."""

    name: str
    about: str
    description: str


_RESIDUAL = "weighted mean of right − expected from difficulty alone, half-life number {} of the settings"
_MEANINGS: dict[str, dict[str, str]] = {
    "learner": {
        "learner_opportunities": "answers so far",
        "learner_wins": "right answers so far",
        **{f"learner_residual_{j}": _RESIDUAL.format(j) for j in range(1, 5)},
        "ability": "mean of the filtered ability, logit",
        "ability_sd": "its standard deviation, grown over the time without an answer, logit",
        "learner_streak": "answers of one kind in a row: right > 0, wrong < 0",
        **{f"outcome_{j}": f"the answer {j} events ago, 0 or 1" for j in range(1, 5)},
        "log_gap": "ln(1 + seconds since the last answer)",
        "log_age": "ln(1 + seconds since the first answer)",
        "session_position": "answers so far in this session",
        "session_minutes": "minutes since this session began",
        "today_events": "answers so far on this day (UTC)",
        "pace": "weighted mean of ln response time beyond the item's typical one; > 0 is slow",
        "last_pace": "the same of the last answer alone",
        "hint_rate": "weighted share of answers with a hint",
        "last_hints": "hints taken at the last answer",
        "last_difficulty": "difficulty of the last item, logit",
    },
    "learner and subject": {
        "subject_opportunities": "answers so far in the subject",
        "subject_ability": "ability and the learner's offset in the subject, logit",
        "subject_residual": _RESIDUAL.format(3),
    },
    "learner and skill, mean over the event's skills": {
        "skill_opportunities": "answers so far on the skill",
        "skill_fewest_opportunities": "the same, of the skill with the fewest",
        "skill_wins": "right answers so far on the skill",
        **{f"skill_residual_{j}": _RESIDUAL.format(j) for j in range(1, 5)},
        "mastery": "filtered probability of success on a typical item of the skill",
        "mastery_lowest": "the same, of the weakest skill",
        "skill_offset_sd": "standard deviation of the mean of the learner's offsets on the skills, logit",
        "skill_streak": "answers of one kind in a row on the skill",
        "skill_outcome_1": "the last answer on the skill",
        "skill_outcome_2": "the answer before it",
        "skill_log_gap": "ln(1 + seconds since the last answer on the skill)",
        "skill_log_lag": "ln(1 + answers since the last one on the skill, that one included)",
    },
    "learner and item": {
        "item_opportunities": "answers so far to this very item",
        "item_wins": "right answers so far to it",
        **{f"item_residual_{j}": _RESIDUAL.format(j) for j in range(1, 5)},
        "item_streak": "answers of one kind in a row to it",
        "item_outcome_1": "the last answer to it",
        "item_log_gap": "ln(1 + seconds since the last answer to it)",
        "item_log_lag": "ln(1 + answers since the last one to it, that one included)",
        "item_last_hints": "hints taken at the last answer to it",
    },
    "population": {
        "item_difficulty": "difficulty of the item, logit; of its skills where nobody else answered it",
        "item_difficulty_sd": "its standard deviation, logit",
        "item_log_events": "ln(1 + answers of others to the item)",
        "skill_difficulty": "mean difficulty of the event's skills, logit",
        "skill_difficulty_sd": "mean of their standard deviations, logit",
        "skill_log_events": "mean of ln(1 + answers of others on the skill)",
        "item_log_response_time": "typical ln response time of the item in ms",
        "factor_logit": "ability, difficulty and factors together, logit; the factors carry what an answer to one item "
        "says of related ones",
        "factor_offset": "the part of it that the factors add, logit",
        "item_discrimination": "how much more the item asks of the able: others' surprise at it per logit of ability",
        "repeat_surprise": "others' mean surprise at the item at the same stage: first try, after a right answer to "
        "it, after one wrong one, after several",
        "repeat_log_events": "ln(1 + answers of others at that stage)",
        "transition_surprise": "others' mean surprise at the item where it followed the learner's last one",
        "transition_outcome_surprise": "the same after the answer, right or wrong, that the learner gave to that one",
        "transition_log_events": "ln(1 + answers of others where it did)",
        "transition_rarity": "ln(1 + answers of others to that last item) less the one before: 0 is the usual way",
    },
    "prediction and moment": {
        "logit": "the filter's prediction, logit, moderated by its uncertainty",
        "logit_sd": "standard deviation of the filter's logit",
        "skills": "number of the item's skills",
        "hour": "hour of the day (UTC), with fraction",
        "weekday": "day of the week (UTC), Monday 0",
        "skill_set": "which skills together, as a category; unknown where training met no such set",
    },
}

CATEGORIES = ("skill_set",)  # numbers that only name something: there is no more and less

FEATURES: tuple[FeatureSpec, ...] = tuple(
    FeatureSpec(name, about, meaning) for about, part in _MEANINGS.items() for name, meaning in part.items()
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in Feature)

if tuple(spec.name for spec in FEATURES) != NAMES:
    differing = sorted({spec.name for spec in FEATURES} ^ set(NAMES)) or "the order"
    raise ImportError(f"catalogue and kernel disagree about the features: {differing}")


def feature_schema(settings: FeatureSettings) -> FeatureSchema:
    """Names of the features, and a hash that changes whenever their values would mean something else."""
    content = "\n".join([VERSION, *NAMES, settings.model_dump_json()])
    return FeatureSchema(NAMES, hashlib.sha256(content.encode()).hexdigest()[:16])
