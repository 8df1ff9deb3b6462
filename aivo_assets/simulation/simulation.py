"""Simulates the days of a school. Belongs here: the loop over days, sessions and steps; no law of learning, no text.

Day d depends on the days before it only: a simulation may stop and go on, and a longer one begins like a shorter one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.disturbances import conditions_of
from aivo_assets.simulation.dynamics import UNIFORMS, abilities, answer
from aivo_assets.simulation.policies.policy import POLICY_UNIFORMS, ItemRequest, Policy, TeacherPolicy
from aivo_assets.simulation.state import (
    Answers,
    Rules,
    Sitting,
    State,
    content_of,
    first_state,
    laws_of,
    traits_of,
)
from aivo_assets.simulation.world.timetable import (
    DAY_MS,
    HOMEWORK,
    LAST_ANSWER_MS,
    MINUTE_MS,
    MOST_ITEMS,
    SESSIONS_A_DAY,
    DayPlan,
    plan_day,
)
from aivo_assets.simulation.world.world import World

GAP_BETWEEN_SESSIONS_MS = 40 * MINUTE_MS
LEAVES_WHEN_DRIFTING = 0.05  # chance per step that a learner without effort ends the session

PolicyMaker: TypeAlias = Callable[["Simulation"], Policy]


@dataclass(frozen=True)
class Log:
    """What happened on one day, arrays of length m in no order that matters; `answers` as in `Answers`.

    Attributes:
        day: Day of the school.
        rows: Int64, position of the learner in the roster.
        items: Int32, item met.
        session: Int64, session of the day.
        position: Int64, place within the session.
        answers: What the platform recorded, and the truth beside it.
    """

    day: int
    rows: npt.NDArray[np.int64]
    items: npt.NDArray[np.int32]
    session: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    answers: Answers


def teacher(simulation: "Simulation") -> Policy:
    """The policy that the school has by default."""
    return TeacherPolicy(simulation.world.curriculum, simulation.world.roster.size)


class Simulation:
    """A school on its way through time.

    Args:
        world: The school.
        policy: Makes the policy; it may look at the simulation's `state`, which is the truth, if it is an oracle.

    Attributes:
        taught_otherwise: Bool [n, subjects], whose approach was changed. Those who were stuck there learn from the next
            day on at the usual pace; to others it makes no difference. Ours: no study says how often it works.
    """

    def __init__(self, world: World, policy: PolicyMaker = teacher) -> None:
        size = world.roster.size
        self.world = world
        self.state: State = first_state(world.roster)
        self.next_day = 0
        self.taught_otherwise = np.zeros(world.roster.stuck.shape, np.bool_)
        self._away_until = np.zeros(size, np.int64)
        self._content = content_of(world.curriculum)
        self._laws = laws_of(world.parameters)
        self._sitting = Sitting(
            clock=np.zeros(size, np.int64),
            begun=np.zeros(size, np.int64),
            drifting=np.zeros(size, np.bool_),
            failures=np.zeros(size, np.int32),
            attempt=np.ones(size, np.int32),
            again=np.full(size, -1, np.int32),
        )
        self.policy = policy(self)

    def live_one_day(self) -> Log:
        """Live through the next day."""
        world, day = self.world, self.next_day
        plan, self._away_until = plan_day(world.draws, world.roster, world.start, day, self._away_until)
        rules = self.rules(day)
        self._sitting.clock[:] = day * DAY_MS - GAP_BETWEEN_SESSIONS_MS
        parts = [part for session in range(SESSIONS_A_DAY) for part in self._session(session, plan, rules)]
        self.next_day = day + 1
        return _joined(day, parts)

    def abilities(self, at: int) -> npt.NDArray[np.float32]:
        """True ability of every learner in every skill at `at` (ms after the first midnight), Float32 [n, S]."""
        out = np.empty(self.state.lasting.shape, np.float32)
        abilities(self.state, self.rules(self.next_day), float(at), out)
        return out

    def rules(self, day: int) -> Rules:
        """What holds on a day: truth, for an oracle and for those who judge policies."""
        world = self.world
        conditions = conditions_of(world.disturbances, world.date_of(day), world.curriculum.subjects)
        return Rules(traits_of(world.roster, day, self.taught_otherwise), self._content, conditions, self._laws)

    def _session(self, session: int, plan: DayPlan, rules: Rules) -> list[Log]:
        sitting, day = self._sitting, self.next_day
        rows = np.flatnonzero(plan.length[session] > 0)
        earliest = sitting.clock[rows] + GAP_BETWEEN_SESSIONS_MS
        sitting.clock[rows] = np.maximum(day * DAY_MS + plan.start[session][rows], earliest)
        sitting.begun[rows] = sitting.clock[rows]
        sitting.drifting[rows] = False
        sitting.failures[rows] = 0
        sitting.attempt[rows] = 1
        sitting.again[rows] = -1
        parts: list[Log] = []
        position = 0
        while rows.size:
            steps = np.full(rows.size, session * MOST_ITEMS + position, np.int64)
            uniforms = self.world.draws.uniforms(
                "step", self.world.roster.index[rows], UNIFORMS + POLICY_UNIFORMS + 1, day=day, steps=steps
            )
            part = self._step(session, position, rows, plan, rules, uniforms)
            parts.append(part)
            position += 1
            leaves = sitting.drifting[rows] & (uniforms[:, -1] < LEAVES_WHEN_DRIFTING)
            late = sitting.clock[rows] >= day * DAY_MS + LAST_ANSWER_MS - 20 * MINUTE_MS
            rows = rows[(plan.length[session][rows] > position) & ~leaves & ~late]
        return parts

    def _step(
        self,
        session: int,
        position: int,
        rows: npt.NDArray[np.int64],
        plan: DayPlan,
        rules: Rules,
        uniforms: npt.NDArray[np.float64],
    ) -> Log:
        again = self._sitting.again[rows]
        step = ItemRequest(
            day=self.next_day,
            rows=rows,
            at=self._sitting.clock[rows],
            subject=plan.subject[session][rows],
            topic=plan.topic[session][rows],
            homework=session == HOMEWORK,
            position=position,
            uniforms=uniforms[:, UNIFORMS : UNIFORMS + POLICY_UNIFORMS],
        )
        items = np.where(again >= 0, again, self.policy.choose(step)).astype(np.int32)
        answers = room_for(rows.size)
        answer(rows, items, uniforms[:, :UNIFORMS], self.state, self._sitting, rules, answers)
        self.policy.observe(step, items, answers)
        whole = np.full(rows.size, session, np.int64), np.full(rows.size, position, np.int64)
        return Log(self.next_day, rows, items, *whole, answers)


def room_for(size: int) -> Answers:
    """Empty arrays for so many answers."""
    return Answers(
        at=np.empty(size, np.int64),
        correct=np.empty(size, np.int8),
        response_time_ms=np.empty(size, np.int64),
        hint_count=np.empty(size, np.int32),
        attempt_number=np.empty(size, np.int32),
        focus=np.empty(size, np.float64),
        rapid=np.empty(size, np.bool_),
        probability=np.empty(size, np.float64),
        success=np.empty(size, np.float64),
    )


def _joined(day: int, parts: list[Log]) -> Log:
    if not parts:
        nothing = np.empty(0, np.int64)
        return Log(day, nothing, nothing.astype(np.int32), nothing, nothing, room_for(0))
    return Log(
        day=day,
        rows=np.concatenate([part.rows for part in parts]),
        items=np.concatenate([part.items for part in parts]),
        session=np.concatenate([part.session for part in parts]),
        position=np.concatenate([part.position for part in parts]),
        answers=Answers(*(np.concatenate(columns) for columns in zip(*(part.answers for part in parts), strict=True))),
    )
