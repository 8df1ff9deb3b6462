"""The scored events of the drift window, kept up to date as learners are folded. Belongs here: scoring and merging."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.drift.schema import PAST_SCORED_EVENTS, SCORED_EVENTS
from aivo_assets.drift.scores.scored_events import scored_events
from aivo_assets.lake import Dataset, Lake, Staged
from aivo_assets.tracing.fold.schema import FeatureTable

_ORDER = ["learner", "sequence"]


class ScoredWindow:
    """Scores what is folded of one shard (a `FoldObserver` of `state_update`).

    Args:
        lake: Where scored events are kept.
        shard: Which.
        predict: The champion, features to probabilities.
        model_version: Its version.
        day: Last day of the window.
        days: Days of the window; earlier events are not scored.
        past: Whether it is the window of a past day, which is kept beside the present one.
    """

    def __init__(
        self,
        lake: Lake,
        shard: int,
        predict: Callable[[FeatureTable], npt.NDArray[np.float64]],
        *,
        model_version: str,
        day: date,
        days: int,
        past: bool = False,
    ) -> None:
        self._lake, self._shard, self._predict, self._version = lake, shard, predict, model_version
        self._dataset = scored_events_of(past=past)
        self._days = [day - timedelta(days=back) for back in reversed(range(days))]
        self._scored = [SCORED_EVENTS.empty()]
        self.rows = 0
        self.staged: list[Staged] = []
        """Parts that `stage` wrote; a worker sends them to whoever commits."""

    def see(self, features: FeatureTable) -> None:
        """Score the events that lie in the window."""
        recent = features.take((features.keys["day"].is_between(self._days[0], self._days[-1])).to_numpy())
        if recent.height:
            self._scored.append(scored_events(recent, self._predict(recent), model_version=self._version))

    def stage(self, remade: pl.Series | None) -> None:
        """Stage what was scored with what is kept: an event seen again, and all of whoever was remade, gives way."""
        scored = pl.concat(self._scored)
        self.rows = scored.height
        for day in self._days:
            new = scored.filter(pl.col("day") == day)
            stored = self._lake.scan(self._dataset, days=[day], shards=[self._shard])
            if remade is None:
                stored = stored.clear()
            elif new.is_empty() and remade.is_empty():
                continue
            else:
                stored = stored.filter(~pl.col("learner").is_in(remade.implode()))
            before = stored.collect().join(new, on=_ORDER, how="anti")
            merged = pl.concat([before, new]).sort(_ORDER)
            if merged.height or self._lake.manifest(self._dataset, day=day) is not None:
                self.staged.append(self._lake.stage(self._dataset, merged, day=day, shard=self._shard))

    def commit(self) -> None:
        """Bring into force what was staged."""
        self._lake.commit(self.staged)


def scored_events_of(*, past: bool) -> Dataset:
    """Where the scored events of present states are kept, or those of a past day's."""
    return PAST_SCORED_EVENTS if past else SCORED_EVENTS
