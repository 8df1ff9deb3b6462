"""Policies that differ in difficulty alone: items at assigned levels, or at random. Not here: platform, truth.

Which skill is practised is the class's business and the same under each of them: its topic, and some revision. So what
they differ by is what a recommendation is about, the level.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.policies.policy import ItemRequest, TeacherPolicy
from aivo_assets.simulation.state import Answers
from aivo_assets.simulation.world.curriculum import SKILLS_PER_GRADE, Curriculum

LEVELS = 10
_ANY_LEVEL = 5  # of items of which nothing is known


@dataclass(frozen=True)
class Shelf:
    """The items of each skill by level, as a bank has them.

    Attributes:
        order: Int32 [Q], items ordered by first skill, then by level.
        start, stop: Int32 [S, 10], where the items of a skill at a level lie in `order`; for a level without items,
            those of the nearest level that has some, the easier of two.
        skill_start, skill_stop: Int32 [S], where all items of a skill lie.
    """

    order: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    stop: npt.NDArray[np.int32]
    skill_start: npt.NDArray[np.int32]
    skill_stop: npt.NDArray[np.int32]

    @classmethod
    def of(cls, curriculum: Curriculum, level: npt.NDArray[np.int64]) -> "Shelf":
        """Shelve the items.

        Args:
            curriculum: Whose items.
            level: Int64 [Q], 1 to 10, or 0 for an item that the bank does not know: it is not given, unless the bank
                knows none of its skill; then all of them are, at any level.
        """
        skill, skills = curriculum.item_skills[:, 0].astype(np.int64), len(curriculum.skill_ids)
        without = np.bincount(skill, level, minlength=skills) == 0
        level = np.where(without[skill], _ANY_LEVEL, level)
        known = np.flatnonzero(level > 0)
        order = known[np.lexsort((known, level[known], skill[known]))]
        place = skill[order] * LEVELS + level[order] - 1
        cells = np.arange(skills * LEVELS)
        begin, end = np.searchsorted(place, cells, "left"), np.searchsorted(place, cells, "right")
        shape = (skills, LEVELS)
        filled = (end > begin).reshape(shape)
        away = np.abs(np.arange(LEVELS)[:, None] - np.arange(LEVELS)[None, :])[None] + np.where(
            filled, 0.0, np.inf
        ).reshape(skills, 1, LEVELS)
        nearest = away.argmin(axis=2)  # the first of equals is the easier
        start = np.take_along_axis(begin.reshape(shape), nearest, axis=1).astype(np.int32)
        stop = np.take_along_axis(end.reshape(shape), nearest, axis=1).astype(np.int32)
        return cls(order.astype(np.int32), start, stop, start[:, 0], stop[:, -1])

    def means(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Mean of what is true of items, [n, Q], over those given at each level of each skill, Float64 [n, S, 10]."""
        sums = np.zeros((values.shape[0], self.order.size + 1))
        np.cumsum(values[:, self.order], axis=1, out=sums[:, 1:])
        means: npt.NDArray[np.float64] = (sums[:, self.stop] - sums[:, self.start]) / (self.stop - self.start)
        return means


def practised_skill(step: ItemRequest, curriculum: Curriculum) -> npt.NDArray[np.int64]:
    """The skill that each learner of a step practises, Int64 [m]: the class's topic, or revision of one before it."""
    chance = step.uniforms
    within = step.topic % SKILLS_PER_GRADE
    back = np.minimum((chance[:, 1] * (SKILLS_PER_GRADE + 1)).astype(np.int64), within + 1)
    earlier = step.topic - back
    same_subject = curriculum.skill_subject[np.maximum(earlier, 0)] == step.subject
    revises = (chance[:, 0] < TeacherPolicy.revision_share) & (earlier >= 0) & same_subject
    return np.where(revises, earlier, step.topic)


class AssignedLevels:
    """Gives everybody a random item of the level that they are assigned in the skill.

    Args:
        curriculum: Items and skills; only what is public of them is read.
        shelf: Their levels.
        levels: Int8 [n, S], the first assignment.

    Attributes:
        levels: The assignment; it is changed between days.
    """

    def __init__(self, curriculum: Curriculum, shelf: Shelf, levels: npt.NDArray[np.int8]) -> None:
        self._curriculum, self._shelf = curriculum, shelf
        self._last_item = np.full(levels.shape[0], -1, np.int32)
        self.levels = levels.copy()

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        """The item that each learner of the step meets, Int32 [m]."""
        skill = practised_skill(step, self._curriculum)
        level = self.levels[step.rows, skill].astype(np.int64) - 1
        return _pick(
            self._shelf.order,
            self._shelf.start[skill, level],
            self._shelf.stop[skill, level],
            step.uniforms[:, 2],
            self._last_item[step.rows],
        )

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:  # noqa: ARG002
        """Remember the item, so that it is not given twice in a row."""
        self._last_item[step.rows] = items


class RandomItems:
    """Gives everybody any item of the skill.

    Args:
        curriculum: Items and skills.
        shelf: Items that may be given.
        learners: Size of the roster.
    """

    def __init__(self, curriculum: Curriculum, shelf: Shelf, learners: int) -> None:
        self._curriculum, self._shelf = curriculum, shelf
        self._last_item = np.full(learners, -1, np.int32)

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        """The item that each learner of the step meets, Int32 [m]."""
        skill = practised_skill(step, self._curriculum)
        begin, end = self._shelf.skill_start[skill], self._shelf.skill_stop[skill]
        return _pick(self._shelf.order, begin, end, step.uniforms[:, 2], self._last_item[step.rows])

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:  # noqa: ARG002
        """Remember the item, so that it is not given twice in a row."""
        self._last_item[step.rows] = items


def _pick(
    order: npt.NDArray[np.int32],
    begin: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    uniform: npt.NDArray[np.float64],
    last_item: npt.NDArray[np.int32],
) -> npt.NDArray[np.int32]:
    """One of each stretch of `order` at random; the next one where that was the last item."""
    place = begin + (uniform * (end - begin)).astype(np.int32)
    again = order[place] == last_item
    place = np.where(again, begin + (place - begin + 1) % (end - begin), place)
    items: npt.NDArray[np.int32] = order[place]
    return items
