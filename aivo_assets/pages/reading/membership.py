"""Who is in which class, by the answers. Belongs here: the class of each learner's newest answer; no roster.

Read once for each new state of the newest days, and kept in memory: a learner, a class and a school a row.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS

DAYS_OF_CLASSES: Final = 28
"""Days of answers that say in which class a learner is."""


@dataclass(frozen=True)
class Membership:
    """Learners with their classes.

    Attributes:
        rows: learner, shard, class_, school; a row a learner with answers in a class, ascending by class and learner.
        newest_answers: The newest day with answers; None without any.
    """

    rows: pl.DataFrame
    newest_answers: date | None

    @cached_property
    def _of_class(self) -> dict[str, pl.DataFrame]:
        parts = self.rows.partition_by("class_", as_dict=True, maintain_order=True)
        return {str(name): part for (name,), part in parts.items()}

    @cached_property
    def _of_learner(self) -> dict[str, tuple[str, str | None]]:
        return {row[0]: (row[1], row[2]) for row in self.rows.select("learner", "class_", "school").iter_rows()}

    def learners(self, class_: str) -> pl.DataFrame:
        """learner, shard of a class; no rows for one that nobody is in."""
        part = self._of_class.get(class_)
        return self.rows.clear() if part is None else part

    def class_of(self, learner: str) -> str | None:
        """The class that a learner works in; None where no answer tells."""
        found = self._of_learner.get(learner)
        return None if found is None else found[0]

    def school_of(self, learner: str) -> str | None:
        """The school that a learner works in; None where no answer tells."""
        found = self._of_learner.get(learner)
        return None if found is None else found[1]

    def classes(self) -> pl.DataFrame:
        """class_, school, learners of every class, ascending by class."""
        counted = self.rows.group_by("class_").agg(pl.col("school").first(), learners=pl.len())
        return counted.sort("class_")


def read_membership(lake: Lake) -> Membership:
    """The class of each learner's newest answer within the newest days."""
    days = lake.newest_days(ANONYMISED_INTERACTIONS, DAYS_OF_CLASSES)
    answers = lake.scan(ANONYMISED_INTERACTIONS, days=days).filter(pl.col("class_").is_not_null())
    newest = (
        answers.select("learner", "shard", "class_", "school", "day", "sequence")
        .group_by("learner")
        .agg(pl.col("shard", "class_", "school").sort_by("day", "sequence").last())
    )
    rows = newest.sort("class_", "learner").collect()
    return Membership(rows, days[-1] if days else None)
