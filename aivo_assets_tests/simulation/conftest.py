"""Small schools that the tests of this folder share."""

from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from aivo_assets.simulation import Answers, Log, School, Simulation, World, build_world

MONDAY = date(2026, 9, 7)


class Lived(NamedTuple):
    """A school that has lived, with the truth of every answer."""

    simulation: Simulation
    logs: list[Log]

    @property
    def world(self) -> World:
        return self.simulation.world

    @property
    def answers(self) -> Answers:
        return Answers(*(np.concatenate(c) for c in zip(*(log.answers for log in self.logs), strict=True)))

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        return np.concatenate([log.rows for log in self.logs])

    @property
    def items(self) -> npt.NDArray[np.int32]:
        return np.concatenate([log.items for log in self.logs])


def school(learners: int = 40, seed: int = 1, dirt: float = 0.0) -> School:
    return School(build_world(seed=seed, learners=learners, start=MONDAY), dirt)


@pytest.fixture(scope="session")
def lived() -> Lived:
    """600 learners through 35 days."""
    simulation = Simulation(build_world(seed=3, learners=600, start=MONDAY))
    return Lived(simulation, [simulation.live_one_day() for _ in range(35)])
