"""A learner who takes what a recommendation lists. Belongs here: the list of each skill; not how it is made.

The exercises that are listed come first, in their order; when they are done, any of the assigned level.
"""

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.policies.assigned import AssignedLevels, Shelf, practised_skill
from aivo_assets.simulation.policies.policy import ItemRequest
from aivo_assets.simulation.world.curriculum import Curriculum


class GivenContent(AssignedLevels):
    """Gives everybody the items that were listed for them in the skill, then items of their level.

    Args:
        curriculum: Items and skills; only what is public of them is read.
        shelf: Their levels.
        levels: Int8 [n, S], the first assignment.
        longest: Most items of a list.
    """

    def __init__(self, curriculum: Curriculum, shelf: Shelf, levels: npt.NDArray[np.int8], longest: int) -> None:
        super().__init__(curriculum, shelf, levels)
        self._of = curriculum
        self._lists = np.full((*levels.shape, longest), -1, np.int32)
        self._length = np.zeros(levels.shape, np.int64)
        self._done = np.zeros(levels.shape, np.int64)

    def give(
        self,
        rows: npt.NDArray[np.int64],
        skills: npt.NDArray[np.int64],
        items: npt.NDArray[np.int32],
        lengths: npt.NDArray[np.int64],
    ) -> None:
        """Replace some lists.

        Args:
            rows: Int64 [m], learners.
            skills: Int64 [m], of each the skill.
            items: Int32, the lists one after the other.
            lengths: Int64 [m], length of each list.
        """
        self._done[rows, skills] = 0
        self._length[rows, skills] = lengths
        place = np.arange(items.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        self._lists[np.repeat(rows, lengths), np.repeat(skills, lengths), place] = items

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        """The item that each learner of the step meets, Int32 [m]."""
        any_of_level = super().choose(step)
        skill = practised_skill(step, self._of)
        at = step.rows, skill
        done = self._done[at]
        listed = done < self._length[at]
        place = np.minimum(done, self._lists.shape[2] - 1)
        self._done[at] += listed
        return np.where(listed, self._lists[*at, place], any_of_level).astype(np.int32)
