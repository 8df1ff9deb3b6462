"""A school in counts. Belongs here: shares by class and by group; no row of it is about one learner.

A group that is too small to hide in is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.kinds import LEVEL_UP
from aivo_assets.lake import Lake
from aivo_assets.pages.reading.class_view import HELP_KINDS
from aivo_assets.privacy.schema import ANONYMISED_LEARNERS, ATTRIBUTES, SUPPRESSED

FEWEST: Final = 10
"""Learners of a class or group whose share is told."""


@dataclass(frozen=True)
class Share:
    """How many of some learners need help, carry on, and are ready for more, by their first recommendation.

    Attributes:
        name: Class, or `attribute=value`.
        learners: How many have a recommendation.
        help: Of them those who need help; None where they are too few to say.
        more: Those who are ready for a higher level; None likewise.
        before: Share of them who needed help a week before; None where that is not known.
    """

    name: str
    learners: int
    help: int | None
    more: int | None
    before: float | None = None


@dataclass(frozen=True)
class SchoolView:
    """A school on its newest day.

    Attributes:
        day: Day up to whose end everything is known.
        newest_answer: The newest day with answers.
        classes: Ascending by class.
        groups: Groups that are large enough, by attribute.
    """

    day: date | None
    newest_answer: date | None
    classes: tuple[Share, ...]
    groups: Mapping[str, tuple[Share, ...]]

    @property
    def learners(self) -> int:
        """All of the school who have a recommendation."""
        return sum(each.learners for each in self.classes)


def read_school(lake: Lake, members: pl.DataFrame, *, day: date | None, newest_answer: date | None) -> SchoolView:
    """Count a school.

    Args:
        lake: Where recommendations are.
        members: learner, shard, class_ of the school.
        day: The newest day with recommendations.
        newest_answer: The newest day with answers.
    """
    if day is None or members.is_empty():
        return SchoolView(day, newest_answer, (), {})
    now = _first_of_each(lake, members, day)
    days = [each for each in lake.days_named(RECOMMENDATIONS) if each <= day - timedelta(days=7)]
    before = _first_of_each(lake, members, days[-1]) if days else None
    known = lake.scan(ANONYMISED_LEARNERS).join(members.lazy().select("learner"), on="learner", how="semi").collect()
    described = now.join(known.drop("shard"), on="learner", how="left")
    groups = {name: _shares(described, name) for name in ATTRIBUTES}
    return SchoolView(
        day,
        newest_answer,
        _shares(now, "class_", before),
        {name: tuple(each for each in shares if each.help is not None) for name, shares in groups.items()},
    )


def _first_of_each(lake: Lake, members: pl.DataFrame, day: date) -> pl.DataFrame:
    first = lake.scan(RECOMMENDATIONS, days=[day]).filter(pl.col("rank") == 1).select("learner", "kind")
    return first.join(members.lazy().select("learner", "class_"), on="learner").collect()


def _shares(rows: pl.DataFrame, by: str, before: pl.DataFrame | None = None) -> tuple[Share, ...]:
    named = rows.filter(pl.col(by).is_not_null(), pl.col(by) != SUPPRESSED)
    counted = _counted(named, by)
    earlier = {} if before is None else {row[0]: row[2] / row[1] for row in _counted(before, by).iter_rows()}
    return tuple(
        Share(name, learners, helped, more, earlier.get(name))
        if learners >= FEWEST
        else Share(name, learners, None, None)
        for name, learners, helped, more in counted.iter_rows()
    )


def _counted(rows: pl.DataFrame, by: str) -> pl.DataFrame:
    helped, more = pl.col("kind").is_in(HELP_KINDS), pl.col("kind") == LEVEL_UP
    counted = rows.group_by(by).agg(learners=pl.len(), helped=helped.sum(), more=more.sum())
    return counted.sort(by)
