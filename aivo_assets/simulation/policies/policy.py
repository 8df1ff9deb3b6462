"""Which item comes next. Belongs here: the interface of a policy, and the teacher that the school has by default.

A policy is asked once a step for all learners who want an item then, and told what came of it. It sees what a platform
sees. One that may see the truth (the oracle) gets the state where it is made; see `Simulation`.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.draws import compiled
from aivo_assets.simulation.state import Answers
from aivo_assets.simulation.world.curriculum import SKILLS_PER_GRADE, Curriculum

POLICY_UNIFORMS = 4


@dataclass(frozen=True)
class ItemRequest:
    """Learners who want an item now; arrays of length m.

    Attributes:
        day: Day of the school, 0 = first.
        rows: Int64, position of each learner in the roster.
        at: Int64, ms after the school's first midnight.
        subject: Int64, subject of the session.
        topic: Int64, the skill that the class works on.
        homework: Whether the session is homework rather than a lesson.
        position: Items already met in the session.
        uniforms: Float64 [m, POLICY_UNIFORMS], the policy's only source of chance.
    """

    day: int
    rows: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    subject: npt.NDArray[np.int64]
    topic: npt.NDArray[np.int64]
    homework: bool
    position: int
    uniforms: npt.NDArray[np.float64]


class Bank(NamedTuple):
    """The public order of the items, as in `Curriculum`."""

    by_skill: npt.NDArray[np.int32]
    skill_start: npt.NDArray[np.int32]
    authored: npt.NDArray[np.float64]


class Policy(Protocol):
    """Chooses items."""

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        """The item that each learner of the step meets, Int32 [m]."""
        ...

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:
        """What came of it, further attempts included; `rapid`, `probability`, `success` are truth: leave them alone."""
        ...


class TeacherPolicy:
    """What a sensible teacher does: mostly the topic of the class, some revision, what is missing first.

    The teacher keeps a level for each learner and skill on the authors' scale of difficulty and moves it after each
    answer like an Elo rating (Pelánek 2016). Homework lies near the learner's level, where success is likely three
    times in four; a lesson's items are spread over what the class can do, and only lean towards the learner.

    Args:
        curriculum: Items and skills; only what is public of them is read.
        learners: Size of the roster.
    """

    revision_share = 0.22
    prerequisite_share = 0.5  # of the items for a learner whose level lies far below the topic
    far_below = -1.0
    target = 0.85  # logits below the level at which success is about 70 to 75 %
    class_level = 0.4  # logits above the skill's usual difficulty at which a class is taken to stand
    lean_lesson, lean_homework = 0.35, 0.85  # how far items follow the learner's level rather than the class's
    spread_lesson, spread_homework = 1.6, 0.4  # half-width in logits of the difficulties chosen around the target
    choices = 8  # nearest items among which chance decides

    def __init__(self, curriculum: Curriculum, learners: int) -> None:
        self._curriculum = curriculum
        first = curriculum.item_skills[:, 0]
        self._usual = np.bincount(first, curriculum.authored) / np.bincount(first)
        self.level = np.tile((self._usual + self.class_level).astype(np.float32), (learners, 1))
        self.answers = np.zeros(self.level.shape, np.int32)
        self.last_item = np.full(learners, -1, np.int32)

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        """The item that each learner of the step meets, Int32 [m]."""
        chance = step.uniforms
        within = step.topic % SKILLS_PER_GRADE
        earlier = step.topic - np.minimum((chance[:, 1] * (SKILLS_PER_GRADE + 1)).astype(np.int64), within + 1)
        same_subject = self._curriculum.skill_subject[np.maximum(earlier, 0)] == step.subject
        revises = (chance[:, 0] < self.revision_share) & (earlier >= 0) & same_subject
        below = self._curriculum.prerequisites[step.topic, 1]
        weak = self.level[step.rows, step.topic] - self._usual[step.topic] < self.far_below
        mends = weak & (below >= 0) & (chance[:, 0] > 1.0 - self.prerequisite_share)
        skill = np.where(mends, below, np.where(revises, earlier, step.topic)).astype(np.int64)
        items = np.empty(step.rows.size, np.int32)
        lean = self.lean_homework if step.homework else self.lean_lesson
        spread = self.spread_homework if step.homework else self.spread_lesson
        common = self._usual[skill] + self.class_level
        wanted = common + lean * (self.level[step.rows, skill] - common) + spread * (2.0 * chance[:, 3] - 1.0)
        _nearest(
            skill,
            wanted - self.target,
            self.last_item[step.rows],
            chance[:, 2],
            self.choices,
            Bank(self._curriculum.by_skill, self._curriculum.skill_start, self._curriculum.authored),
            items,
        )
        return items

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:
        """Move the level of each learner in the item's first skill; further attempts at an item say nothing new."""
        self.last_item[step.rows] = items
        _move_levels(
            step.rows,
            self._curriculum.item_skills[items, 0],
            self._curriculum.authored[items],
            answers.correct,
            answers.attempt_number,
            self.level,
            self.answers,
        )


@compiled
def _nearest(
    skill: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.float64],
    last_item: npt.NDArray[np.int32],
    uniform: npt.NDArray[np.float64],
    choices: int,
    bank: Bank,
    out: npt.NDArray[np.int32],
) -> None:
    for k in range(skill.shape[0]):
        start, stop = bank.skill_start[skill[k]], bank.skill_start[skill[k] + 1]
        low, high = start, stop
        while low < high:
            middle = (low + high) // 2
            if bank.authored[bank.by_skill[middle]] < wanted[k]:
                low = middle + 1
            else:
                high = middle
        width = min(choices, stop - start)
        begin = min(max(low - width // 2, start), stop - width)
        offset = int(uniform[k] * width)
        if bank.by_skill[begin + offset] == last_item[k]:
            offset = (offset + 1) % width
        out[k] = bank.by_skill[begin + offset]


@compiled
def _move_levels(
    rows: npt.NDArray[np.int64],
    skill: npt.NDArray[np.int32],
    authored: npt.NDArray[np.float64],
    correct: npt.NDArray[np.int8],
    attempt: npt.NDArray[np.int32],
    level: npt.NDArray[np.float32],
    answers: npt.NDArray[np.int32],
) -> None:
    for k in range(rows.shape[0]):
        if attempt[k] > 1:
            continue
        row, column = rows[k], skill[k]
        expected = 1.0 / (1.0 + np.exp(authored[k] - level[row, column]))
        step = 0.2 + 0.8 / (1.0 + 0.15 * answers[row, column])
        level[row, column] += step * (correct[k] - expected)
        answers[row, column] += 1
