"""The order of ticks, and which would only repeat what is there. Belongs here: order and equivalence.

Nothing here knows a scheduler: instants come in, ticks in their order go out.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

REMADE_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "adaptive_check": ("adaptive_check",),
    "drift_monitoring": ("drift_monitoring",),
}
"""Jobs whose assets a run of the job on the left leaves as they would make them, as long as nothing arrives and no
model is trained. An update of student models is none: its sensor asks only where models differ from what is advised."""
CHECKS: Final = ("adaptive_check", "drift_monitoring", "student_model_update")
"""Jobs that are a pure function of the arrived events, the day and the models; a training is not among them."""


@dataclass(frozen=True, order=True)
class Tick:
    """A schedule is due.

    Attributes:
        at: When; UTC.
        place: Place of the schedule among all of them, for ticks of one instant.
        schedule: Its name.
    """

    at: datetime
    place: int
    schedule: str


def in_order(times: Mapping[str, Iterable[datetime]], *, until: datetime) -> Iterator[Tick]:
    """All ticks before an instant, in their order; those of one instant in the order of the schedules.

    Args:
        times: Instants of each schedule, ascending; may be endless.
        until: The first instant that is not replayed any more.
    """

    def ticks(place: int, schedule: str, instants: Iterable[datetime]) -> Iterator[Tick]:
        for at in instants:
            if at >= until:
                return
            yield Tick(at, place, schedule)

    yield from heapq.merge(*(ticks(place, *pair) for place, pair in enumerate(times.items())))


@dataclass
class UpToDate:
    """What is already made of what has arrived, so that a run that could change nothing is left out.

    A check is a function of the events that arrived, the day as of which it looks, and the models. Where none of these
    changed since a run that made the same assets, it would write what stands there, bit for bit.
    """

    _made: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _trainings: int = 0

    def would_change_nothing(self, job: str, partition: str, arrived: int) -> bool:
        """Whether a run would only make again what stands there.

        Args:
            job: Which job.
            partition: The day or days as of which it looks.
            arrived: Rows that have arrived so far.
        """
        return self._made.get((job, partition)) == (arrived, self._trainings)

    def ran(self, job: str, partition: str, arrived: int) -> None:
        """A run of a job over all of its assets has succeeded."""
        if job not in CHECKS:
            self._trainings += 1
        for remade in REMADE_BY.get(job, ()):
            self._made[remade, partition] = (arrived, self._trainings)

    def upset(self) -> None:
        """A run failed or made a part of its job only: nothing may be taken to stand."""
        self._made.clear()
