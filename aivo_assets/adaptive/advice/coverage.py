"""Whether the recommendations of a day cover whom they should. Belongs here: counting what is stored; no making."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from aivo_assets.adaptive.schema import LEVEL_COUNT, RECOMMENDATIONS, SIGNALS
from aivo_assets.lake import Lake
from aivo_assets.lake.newest import newest_filled


@dataclass(frozen=True)
class Coverage:
    """Counts of a day, from the stored rows.

    Attributes:
        active: Learners with signals.
        recommended: Learners with a recommendation of rank 1.
        without: Learners with signals and without one.
        twice: Recommendations of rank 1 beyond a learner's first.
        outside: Recommendations at a level outside 1 to 10.
    """

    active: int
    recommended: int
    without: int
    twice: int
    outside: int

    @property
    def one_each(self) -> bool:
        """Whether every learner with signals has exactly one recommendation of rank 1, all at a level that exists."""
        return not (self.without or self.twice or self.outside)


def coverage(lake: Lake, day: date) -> Coverage:
    """Read back what is stored of a day."""
    active = lake.scan(SIGNALS, days=[day]).select("learner").unique().collect(engine="streaming")
    made = lake.scan(RECOMMENDATIONS, days=[day])
    first = made.filter(pl.col("rank") == 1).select("learner").collect(engine="streaming")["learner"]
    outside = made.filter(~pl.col("recommended_level").is_between(1, LEVEL_COUNT)).select(pl.len()).collect().item()
    recommended = first.n_unique()
    return Coverage(
        active=active.height,
        recommended=recommended,
        without=active.filter(~pl.col("learner").is_in(first.implode())).height,
        twice=len(first) - recommended,
        outside=int(outside),
    )


def learners_before(lake: Lake, day: date) -> tuple[date, int] | None:
    """The newest day before this one that holds recommendations, and how many learners had one of rank 1."""
    before = newest_filled(lake, RECOMMENDATIONS, until=day - timedelta(days=1))
    if before is None:
        return None
    first = lake.scan(RECOMMENDATIONS, days=[before]).filter(pl.col("rank") == 1)
    return before, int(first.select(pl.col("learner").n_unique()).collect().item())
