"""How often the test of groups is right. Belongs here: drawn schools whose bias is known, and the share that is found.

A drawn school has two groups of learners and a model that knows each answer's chance. Where it is biased, the model
knows less of the second group, for one of three reasons that real platforms have.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy.special import expit

from aivo_assets.arrays import Floats
from aivo_assets.tracing.judging.group_fairness import group_gap

_Draw = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]


class Power(BaseModel):
    """Drawn schools of one kind.

    Attributes:
        bias: Which.
        schools: How many.
        flagged: Of them, those that the test flags.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bias: str
    schools: int
    flagged: int


def _none(chance: Floats, _: np.random.Generator) -> tuple[Floats, Floats]:
    return chance, chance


def _slow_devices(chance: Floats, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """What is known of answers that came late says little: the model sees them through noise."""
    return chance, chance + draw.normal(0, 1.2, chance.size)


def _reading_load(chance: Floats, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """A third of the items are hard for a reason that the model does not know."""
    return chance - 1.8 * (draw.random(chance.size) < 1 / 3), chance


def _fewer_items(chance: Floats, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """Of half of the answers the model knows only how the group does on the whole."""
    return chance, np.where(draw.random(chance.size) < 0.5, chance.mean(), chance)


BIASES: Final[dict[str, Callable[[Floats, np.random.Generator], tuple[Floats, Floats]]]] = {
    "none": _none,
    "slow devices": _slow_devices,
    "reading load": _reading_load,
    "fewer items": _fewer_items,
}
"""From what a model should know of answers (logits) to what is true, and what it says."""


def measure_power(*, schools: int, learners: int, answers: int, deals: int, seed: int) -> tuple[Power, ...]:
    """Draw fair and biased schools, and test each at a level of 5 %.

    Args:
        schools: Of each kind.
        learners: Of each group.
        answers: Of each learner.
        deals: Random deals of each test.
        seed: Of everything.
    """
    rows = []
    for number, bias in enumerate(BIASES):
        flagged = 0
        for school in range(schools):
            drawn = _school(bias, learners, answers, np.random.default_rng([seed, number, school]))
            flagged += group_gap(*drawn, deals=deals, seed=school).p_value <= 0.05
        rows.append(Power(bias=bias, schools=schools, flagged=flagged))
    return tuple(rows)


def _school(bias: str, learners: int, answers: int, draw: np.random.Generator) -> _Draw:
    first = np.arange(2 * learners) < learners
    learner = np.repeat(np.arange(2 * learners), answers)
    chance = draw.normal(0, 0.8, 2 * learners)[learner] + draw.normal(0, 1, learner.size)
    second = ~first[learner]
    truth, said = chance.copy(), chance.copy()
    truth[second], said[second] = BIASES[bias](chance[second], draw)
    correct = (draw.random(learner.size) < expit(truth)).astype(np.float64)
    return correct, np.asarray(expit(said)), learner, first
