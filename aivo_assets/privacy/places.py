"""What stands beside a learner's attributes as soon as tables are joined: school, classes, teachers. No attribute here.

Whoever has the answers sees under a learner's pseudonym the pseudonyms of their school, classes and teachers, and may
know which class is which. So attributes that five learners of the platform share may be those of one alone in a class.
"""

from typing import Final

import polars as pl

from aivo_assets.settings.data import AlikeWithin

COLUMNS: Final[dict[AlikeWithin, tuple[str, ...]]] = {
    "class": ("school", "class_", "teacher"),
    "school": ("school",),
    "everybody": (),
}
"""Published columns of answers within which attributes are made alike."""


def places(interactions: pl.LazyFrame, within: AlikeWithin) -> pl.DataFrame:
    """Where each learner was seen.

    Args:
        interactions: Columns of ANONYMISED_INTERACTIONS, of all days.
        within: How fine.

    Returns:
        learner (String), place (String): every school, class and teacher that stands in one of the learner's rows; two
        learners have one place only if they share all of them. Ascending by learner.
    """
    columns = COLUMNS[within]
    if not columns:
        return pl.DataFrame(schema={"learner": pl.String, "place": pl.String})
    named = (pl.col(name).drop_nulls().unique().sort().str.join(",").alias(name) for name in columns)
    return (
        interactions.select("learner", *columns)
        .unique()
        .group_by("learner")
        .agg(*named)
        .select("learner", place=pl.concat_str(columns, separator=";"))
        .sort("learner")
        .collect(engine="streaming")
    )
