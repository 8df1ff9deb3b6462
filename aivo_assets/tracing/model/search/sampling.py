"""Sampling learners where there are too many rows. Belongs here: which learners are kept; nothing is trained.

Learners are kept or left out whole: a history with holes has other counts, streaks and gaps than the real one, and a
model that is trained on such histories is served with real ones.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

GIB = 2**30
# Peak memory of the whole daily path (`aivo benchmark training` on assistments2012, 74 features, with a champion):
# 5.50 GiB with 1,999,899 events, so 33 bytes an event and feature beside 1 GiB. A tenth is added for data with more
# skills, items or pairs an event than that file has, and for what an allocator does not give back.
BASE_BYTES = GIB
BYTES_PER_EVENT_AND_FEATURE = 36


@dataclass(frozen=True)
class Sample:
    """Learners that fit into a budget of rows.

    Attributes:
        learners: Pseudonyms of those kept, String, ascending.
        of_learners: How many there were.
        rows: Rows of those kept.
        of_rows: Rows there were.
    """

    learners: pl.Series
    of_learners: int
    rows: int
    of_rows: int

    @property
    def is_all(self) -> bool:
        """Whether every learner is in it."""
        return len(self.learners) == self.of_learners

    @property
    def sentence(self) -> str:
        """What was kept, for a report."""
        if self.is_all:
            return f"all {self.of_rows:,} answers of all {self.of_learners:,} learners"
        return (
            f"{self.rows:,} of {self.of_rows:,} answers: every answer of {len(self.learners):,} learners, drawn from "
            f"{self.of_learners:,}"
        )

    def mask(self, keys: pl.DataFrame) -> NDArray[np.bool_]:
        """Which rows of a frame with `learner` belong to those kept, bool [n]."""
        return keys["learner"].is_in(self.learners.implode()).to_numpy()

    def filter(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """The rows of those kept, lazily."""
        return events.join(self.learners.alias("learner").to_frame().lazy(), on="learner", how="semi")


def events_within(gib: float, features: int) -> int:
    """Most events that a training may read.

    Args:
        gib: Memory that it may take, GiB.
        features: Columns that each event has.
    """
    return max(0, int((gib * GIB - BASE_BYTES) // (BYTES_PER_EVENT_AND_FEATURE * features)))


def sample_learners(events: pl.DataFrame | pl.LazyFrame, most_rows: int, seed: int) -> Sample:
    """Keep whole learners, in an order drawn by a stable hash, for as long as their rows fit a budget.

    A smaller budget keeps a part of what a larger one keeps; the same learners are kept whatever the order of the rows
    and on every machine. At least one learner is kept.

    Args:
        events: Any frame with `learner`, one row an event; a lazy one is only counted, never collected.
        most_rows: Most rows to keep.
        seed: Another seed draws another order.
    """
    counts = events.lazy().group_by("learner").len().collect(engine="streaming")
    key = seed.to_bytes(8, "big", signed=True)
    drawn = [hashlib.blake2b(name.encode(), digest_size=8, key=key).hexdigest() for name in counts["learner"].to_list()]
    ordered = counts.with_columns(pl.Series("drawn", drawn, dtype=pl.String)).sort("drawn", "learner")
    fitting = int((ordered["len"].cast(pl.Int64).cum_sum() <= most_rows).sum())
    chosen = ordered.head(max(1, fitting))
    return Sample(
        learners=chosen["learner"].sort(), of_learners=ordered.height,
        rows=int(chosen["len"].sum()), of_rows=int(ordered["len"].sum()),
    )  # fmt: skip
