"""Scripted changes to a simulated school from a day on: injected drift. Belongs here: kinds of change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aivo_assets.errors import SettingsError


@dataclass(frozen=True)
class Disturbance:
    """A change that holds from `first` to `last`, both included. The defaults change nothing.

    Attributes:
        first: First day (UTC) on which it holds.
        last: Last day; None = for good.
        subject: Only this subject; None = all.
        difficulty: Logits by which every item is harder.
        guessing: Share of answers that become rapid guesses.
        wrong_labels: Share of answers that the client records the wrong way round; learning is untouched.
        response_time: Factor on the recorded response times.
        learning: Factor on every gain from practice.
    """

    first: date
    last: date | None = None
    subject: str | None = None
    difficulty: float = 0.0
    guessing: float = 0.0
    wrong_labels: float = 0.0
    response_time: float = 1.0
    learning: float = 1.0

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.first <= day and (self.last is None or day <= self.last)


class Conditions(NamedTuple):
    """What holds on one day, Float64 [subjects] each; see `Disturbance`."""

    difficulty: npt.NDArray[np.float64]
    guessing: npt.NDArray[np.float64]
    wrong_labels: npt.NDArray[np.float64]
    response_time: npt.NDArray[np.float64]
    learning: npt.NDArray[np.float64]


def conditions_of(disturbances: Sequence[Disturbance], day: date, subjects: Sequence[str]) -> Conditions:
    """Sum up the disturbances that hold on a day.

    Raises:
        SettingsError: A disturbance names a subject that is not taught.
    """
    count = len(subjects)
    conditions = Conditions(np.zeros(count), np.zeros(count), np.zeros(count), np.ones(count), np.ones(count))
    for disturbance in disturbances:
        if disturbance.subject is not None and disturbance.subject not in subjects:
            raise SettingsError(
                f"A disturbance names the subject {disturbance.subject!r}, which is not taught.",
                fix=f"Name one of {', '.join(subjects)}, or none for all of them.",
            )
        if not disturbance.holds(day):
            continue
        hit = np.array([disturbance.subject in (None, name) for name in subjects])
        conditions.difficulty[hit] += disturbance.difficulty
        conditions.guessing[hit] = 1.0 - (1.0 - conditions.guessing[hit]) * (1.0 - disturbance.guessing)
        conditions.wrong_labels[hit] = np.maximum(conditions.wrong_labels[hit], disturbance.wrong_labels)
        conditions.response_time[hit] *= disturbance.response_time
        conditions.learning[hit] *= disturbance.learning
    return conditions
