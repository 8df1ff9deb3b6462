"""What a step works on: truth, sessions, answers, what holds today. Belongs here: arrays by name; no behaviour.

Named tuples, because compiled code takes them; `dynamics.py` says what happens to them.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.disturbances import Conditions
from aivo_assets.simulation.parameters import Parameters
from aivo_assets.simulation.world.curriculum import Curriculum
from aivo_assets.simulation.world.roster import STUCK_PACE, Roster


class State(NamedTuple):
    """The truth of n learners over S skills, changed in place.

    Attributes:
        lasting: Float32 [n, S], ability that is never lost, logits.
        fresh: Float32 [n, S], gains at the time of the last practice that are being forgotten.
        practised_ms: Int64 [n, S], last practice, ms after the school's first midnight.
        opportunities: Int32 [n, S], answers so far.
    """

    lasting: npt.NDArray[np.float32]
    fresh: npt.NDArray[np.float32]
    practised_ms: npt.NDArray[np.int64]
    opportunities: npt.NDArray[np.int32]


class Sitting(NamedTuple):
    """Where n learners stand in their session of the moment, changed in place.

    Attributes:
        clock: Int64 [n], ms after the school's first midnight.
        begun: Int64 [n], the same, when the session began.
        drifting: Bool [n], whether effort is gone.
        failures: Int32 [n], wrong answers in a row.
        attempt: Int32 [n], attempt at the item to come.
        again: Int32 [n], the item to come if it is another attempt, or −1.
    """

    clock: npt.NDArray[np.int64]
    begun: npt.NDArray[np.int64]
    drifting: npt.NDArray[np.bool_]
    failures: npt.NDArray[np.int32]
    attempt: npt.NDArray[np.int32]
    again: npt.NDArray[np.int32]


class Answers(NamedTuple):
    """What the platform records of m answers.

    Attributes:
        at: Int64 [m], when, ms after the school's first midnight.
        correct: Int8 [m]; right at this attempt and without a hint.
        response_time_ms: Int64 [m].
        hint_count: Int32 [m].
        attempt_number: Int32 [m].
        focus: Float64 [m], NaN where not measured.
        rapid: Bool [m], whether it was a rapid guess. Truth: not recorded.
        probability: Float64 [m], true chance of `correct` but for hints. Truth: not recorded.
        success: Float64 [m], true chance of `correct`, which a hint forgoes. Truth: not recorded.
    """

    at: npt.NDArray[np.int64]
    correct: npt.NDArray[np.int8]
    response_time_ms: npt.NDArray[np.int64]
    hint_count: npt.NDArray[np.int32]
    attempt_number: npt.NDArray[np.int32]
    focus: npt.NDArray[np.float64]
    rapid: npt.NDArray[np.bool_]
    probability: npt.NDArray[np.float64]
    success: npt.NDArray[np.float64]


class Traits(NamedTuple):
    """Traits of n learners as the step takes them; see `Roster`. `disengage` and `learning` are the day's."""

    learning: npt.NDArray[np.float32]
    half_life: npt.NDArray[np.float64]
    slip: npt.NDArray[np.float64]
    speed: npt.NDArray[np.float64]
    disengage: npt.NDArray[np.float64]
    help_seeking: npt.NDArray[np.float64]
    fatigue: npt.NDArray[np.float64]
    stamina: npt.NDArray[np.float64]
    focus_reported: npt.NDArray[np.bool_]


class Content(NamedTuple):
    """Items and skills as the step takes them; see `Curriculum`."""

    item_skills: npt.NDArray[np.int32]
    difficulty: npt.NDArray[np.float64]
    discrimination: npt.NDArray[np.float64]
    guess: npt.NDArray[np.float64]
    intensity: npt.NDArray[np.float64]
    hints: npt.NDArray[np.int32]
    skill_subject: npt.NDArray[np.int32]
    prerequisites: npt.NDArray[np.int32]
    skill_difficulty: npt.NDArray[np.float64]
    skill_rate: npt.NDArray[np.float64]


class Laws(NamedTuple):
    """The parameters that the step takes; see `Parameters`."""

    learning_rate: float
    practice_exponent: float
    practice_scale: float
    best_success: float
    zone_width: float
    failure_gain: float
    prerequisite_floor: float
    ceiling: float
    retained: float
    half_life_growth: float
    time_sd: float
    time_distance: float
    reengage: float
    rapid_share: float
    rapid_seconds: float
    rapid_sd: float
    retry: float
    retry_gain: float
    pause_seconds: float


class Rules(NamedTuple):
    """All that holds on one day."""

    traits: Traits
    content: Content
    conditions: Conditions
    laws: Laws


def first_state(roster: Roster) -> State:
    """The truth before the first day."""
    shape = roster.ability.shape
    return State(
        roster.ability.copy(), np.zeros(shape, np.float32), np.zeros(shape, np.int64), np.zeros(shape, np.int32)
    )


def traits_of(roster: Roster, day: int, taught_otherwise: npt.NDArray[np.bool_] | None = None) -> Traits:
    """The traits of a day: who fades drops out of effort ever more often; who is taught otherwise is stuck no more."""
    disengage = np.minimum(roster.disengage * (1.0 + 5.0 * roster.fading * day), 0.5)
    freed = np.zeros_like(roster.stuck) if taught_otherwise is None else roster.stuck & taught_otherwise
    pace = np.where(freed, roster.learning / np.float32(STUCK_PACE), roster.learning)
    given = {name: getattr(roster, name) for name in Traits._fields if name not in ("disengage", "learning")}
    return Traits(disengage=disengage, learning=pace, **given)


def content_of(curriculum: Curriculum) -> Content:
    """The curriculum as the step takes it."""
    return Content(**{name: getattr(curriculum, name) for name in Content._fields})


def laws_of(parameters: Parameters) -> Laws:
    """The parameters as the step takes them."""
    return Laws(**{name: getattr(parameters, name) for name in Laws._fields})
