"""The main brain that answers live. Belongs here: which one it is and when it is swapped; no learner is looked at."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from aivo_assets.errors import ModelError
from aivo_assets.lake import Lake
from aivo_assets.lake.newest import newest_filled
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.catalogue import feature_schema
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.students.intervals import INTERVALS, Intervals
from aivo_assets.tracing.students.student_models import Brain

_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Served:
    """A champion with what its answers need.

    Attributes:
        brain: The model, its statistics and the width of its bands.
        move: Number of moves of the champion that the registry had when it was loaded.
    """

    brain: Brain
    move: int


@dataclass
class ServingBrain:
    """The champion, kept in memory and swapped whole: a request that has begun ends with the one it began with.

    Attributes:
        settings: Of the platform.
        lake: Holds the width of the bands.
        clock: Seconds that only grow, as `time.monotonic`.
    """

    settings: Settings
    lake: Lake
    clock: Callable[[], float]
    _served: Served | None = field(default=None, init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def now(self) -> Brain:
        """The champion.

        Raises:
            ModelError: None serves.
        """
        if self.clock() - self._looked_at > _LOOK_SECONDS:
            with self._lock:
                self._look()
        if self._served is None:
            raise ModelError(
                "No main brain serves yet", fix="Train one: make demo, aivo run, or wait for the daily run."
            )
        return self._served.brain

    def _look(self) -> None:
        if self.clock() - self._looked_at <= _LOOK_SECONDS:  # another request has just looked
            return
        registry = Registry(self.settings.home)
        moves = len(registry.moves())
        if self._served is None or self._served.move != moves:
            serving = registry.champion(feature_schema(self.settings.features))
            self._served = (
                None if serving is None else Served(self._brain(serving.brain, serving.version.number), moves)
            )
        self._looked_at = self.clock()

    def _brain(self, brain: MainBrain, number: int) -> Brain:
        day = newest_filled(self.lake, INTERVALS)
        widths = None if day is None else self.lake.scan(INTERVALS, days=[day]).collect()
        return Brain(brain.predict, brain.statistics, self.settings.features, str(number), Intervals.from_frame(widths))
