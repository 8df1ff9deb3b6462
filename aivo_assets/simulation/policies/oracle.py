"""What only the truth knows: true chances, and a policy that sees them. Belongs here: the upper bound; no platform."""

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.dynamics import best_items, successes
from aivo_assets.simulation.policies.assigned import Shelf, practised_skill
from aivo_assets.simulation.policies.policy import ItemRequest
from aivo_assets.simulation.simulation import Simulation
from aivo_assets.simulation.state import Answers


def true_successes(simulation: Simulation, at: int) -> npt.NDArray[np.float32]:
    """Chance of `correct` of every learner at every item, rested, engaged and at a first attempt.

    Args:
        simulation: The school.
        at: ms after its first midnight.

    Returns:
        Float32 [n, Q].
    """
    out = np.empty((simulation.world.roster.size, simulation.world.curriculum.difficulty.size), np.float32)
    successes(simulation.state, simulation.rules(simulation.next_day), float(at), out)
    return out


class Oracle:
    """Gives everybody the item of the skill that teaches them most, and frees those who are stuck on the first day.

    It knows the true state and looks one item ahead. It is the ceiling for policies that choose difficulty, not for
    all policies: like them it leaves the skill to the class.

    Args:
        simulation: The school whose truth it sees.
        shelf: Items that may be given.
    """

    def __init__(self, simulation: Simulation, shelf: Shelf) -> None:
        self._simulation, self._shelf = simulation, shelf
        self._last_item = np.full(simulation.world.roster.size, -1, np.int32)
        simulation.taught_otherwise[:] = True

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        """The item that each learner of the step meets, Int32 [m]."""
        skill = practised_skill(step, self._simulation.world.curriculum)
        shelf, items = self._shelf, np.empty(step.rows.size, np.int32)
        best_items(
            step.rows,
            shelf.order,
            np.stack([shelf.skill_start[skill], shelf.skill_stop[skill]], axis=1),
            self._last_item[step.rows],
            step.at,
            self._simulation.state,
            self._simulation.rules(step.day),
            items,
        )
        return items

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:  # noqa: ARG002
        """Remember the item, so that it is not given twice in a row."""
        self._last_item[step.rows] = items
