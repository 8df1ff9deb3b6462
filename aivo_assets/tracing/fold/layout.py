"""How the fold's arrays lie in memory. Belongs here: columns and rows by name; what is done with them is the kernel's.

A column's place is frozen into the compiled code: after a change here, `kernel.LAYOUT` is to be written anew.
"""

import hashlib
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aivo_assets.arrays import Floats, Ints, Ints32
from aivo_assets.errors import ModelError

VERSION = "3"  # raise it whenever a feature's or a state's meaning changes
FACTORS = 8  # of a learner, an item and a skill; see `behaviour`
REPEATS = 4  # first try of an item, after a right answer to it, after one wrong one, after more

Feature = IntEnum(
    "Feature",
    "learner_opportunities learner_wins learner_residual_1 learner_residual_2 learner_residual_3 learner_residual_4 "
    "ability ability_sd learner_streak outcome_1 outcome_2 outcome_3 outcome_4 log_gap log_age "
    "session_position session_minutes today_events pace last_pace hint_rate last_hints last_difficulty "
    "subject_opportunities subject_ability subject_residual "
    "skill_opportunities skill_fewest_opportunities skill_wins "
    "skill_residual_1 skill_residual_2 skill_residual_3 skill_residual_4 "
    "mastery mastery_lowest skill_offset_sd skill_streak skill_outcome_1 skill_outcome_2 skill_log_gap skill_log_lag "
    "item_opportunities item_wins item_residual_1 item_residual_2 item_residual_3 item_residual_4 "
    "item_streak item_outcome_1 item_log_gap item_log_lag item_last_hints "
    "item_difficulty item_difficulty_sd item_log_events skill_difficulty skill_difficulty_sd skill_log_events "
    "item_log_response_time "
    "factor_logit factor_offset item_discrimination repeat_surprise repeat_log_events "
    "transition_surprise transition_outcome_surprise transition_log_events transition_rarity "
    "logit logit_sd skills hour weekday skill_set",
    start=0,
)

# Columns of a learner's state and of the state of a pair (learner x subject, x skill, x item). The first eleven mean
# the same in both, so that one function moves both on.
Own = IntEnum(
    "Own",
    "events wins residual_1 residual_2 residual_3 residual_4 ability ability_variance streak last_outcomes last_at "
    "pace pace_weight last_pace hints hints_weight last_hints last_difficulty "
    "first_at session_at session_events today_events last_day last_sequence last_item factor_ability "
    "factor_1 factor_2 factor_3 factor_4 factor_5 factor_6 factor_7 factor_8",
    start=0,
)
Pair = IntEnum(
    "Pair",
    "events wins residual_1 residual_2 residual_3 residual_4 offset offset_variance streak last_outcomes "
    "last_at last_index last_hints",
    start=0,
)

# Columns of the population's items; the first four and the factors are also those of its skills.
Known = IntEnum(
    "Known",
    "difficulty difficulty_sd log_events log_response_time "
    "factor_1 factor_2 factor_3 factor_4 factor_5 factor_6 factor_7 factor_8 "
    "tendency discrimination repeat_0 repeat_1 repeat_2 repeat_3 repeat_log_0 repeat_log_1 repeat_log_2 repeat_log_3",
    start=0,
)
SKILL_COLUMNS = int(Known.factor_8) + 1


class Rows(NamedTuple):
    """Events in order, n rows. `*_pair` are positions in the state's arrays, `*_code` in the population's."""

    learner: Ints32
    subject_pair: Ints32
    item_code: Ints32  # -1: no item, typical of its skills
    item_pair: Ints32  # -1: no item
    skill_offsets: Ints  # [n + 1]: the skills of row i are at skill_offsets[i] : skill_offsets[i + 1]
    skill_code: Ints32
    skill_pair: Ints32
    time: Ints  # seconds since 1970, coarse
    gap: Ints32  # exact seconds since the learner's event before on this day, -1: none
    day: Ints32  # days since 1970
    sequence: Ints32
    correct: npt.NDArray[np.int8]
    log_response: Floats  # ln ms, NaN where unknown
    hints: Floats  # NaN where unknown
    difficulty: Floats  # [n] of hypothetical items (NaN: the item's own), or [0]


class State(NamedTuple):
    """The mutable state: float64 [learners, Own], and [pairs, Pair] three times."""

    learners: Floats
    subjects: Floats
    skills: Floats
    items: Floats


class Population(NamedTuple):
    """Statistics by fold k of the learner: items [k, code, Known], and skills, of which only the first columns.

    `fold` [learners] says whose k; the last row of `items` (code -1) is an item of which only the skills are known;
    `spread` [k] the sd of items around their skills, which an item that nobody answered has; its difficulty in `items`
    is NaN.

    Transitions to item `code` stand at offsets[k, code] : offsets[k, code + 1], ascending by previous item; a row of
    `transitions` is (surprise, after a wrong answer, after a right one, ln(1 + events)). `followed` [k, code] is
    ln(1 + events of that item).
    """

    fold: Ints32
    items: Floats
    skills: Floats
    spread: Floats
    offsets: Ints
    previous: Ints32
    transitions: Floats
    followed: Floats


class Parameters(NamedTuple):
    """Numbers of the recurrences; see `FeatureSettings`. Variances in logit²."""

    decay: Floats  # [4], per event
    weights: Floats  # [4, m]: sum of the weights of n events plus the prior's, n < m
    pace_decay: float
    session_gap: float  # seconds
    prior: Floats  # [3] variance of ability, subject, skill
    drift: Floats  # [3] growth of those per day
    growth: Floats  # [3] growth of those per answer
    factor_steps: Floats  # [5], see `behaviour.factor_steps`


class Prior(NamedTuple):
    """Of one row, before its answer: mean and variance of its logit, difficulty, typical ln ms, the factors' logit."""

    mean: float
    variance: float
    difficulty: float
    typical: float
    factor_logit: float


Asked = Prior  # its old name, which numba looks up in what it compiled before it asks whether that is still current


class Work(NamedTuple):
    """Everything a run reads and writes, but for the features."""

    rows: Rows
    state: State
    population: Population
    parameters: Parameters


def require(known: str) -> None:
    """Refuse to go on where this file is not the one that compiled code was made for.

    Args:
        known: Hash of the file that the caller was written for.

    Raises:
        ModelError: It is another one.
    """
    present = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    if present != known:
        raise ModelError(
            "tracing/fold/layout.py was changed, and compiled code may still know the columns by their old places",
            fix=f'Write LAYOUT = "{present}" in tracing/fold/kernel.py.',
        )
