"""What a learner is recommended, by pseudonym. Belongs here: reading the newest day that holds any."""

import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.api import schema
from aivo_assets.lake import Lake
from aivo_assets.lake.newest import newest_filled

_FIELDS = list(schema.Recommendation.model_fields)


def recommendations_for(lake: Lake, learner: str) -> schema.LearnerRecommendations | None:
    """The recommendations of the newest day that holds any, by rank; None where it has none for this learner.

    Args:
        lake: Where they are kept.
        learner: Pseudonym, 32 hexadecimal digits.
    """
    day = newest_filled(lake, RECOMMENDATIONS)
    if day is None:
        return None
    rows = (
        lake.scan(RECOMMENDATIONS, days=[day])
        .filter(pl.col("learner") == learner)
        .sort("rank")
        .select(_FIELDS)
        .collect()
    )
    if rows.is_empty():
        return None
    lists = {name: pl.col(name).fill_null([]) for name in ("evidence", "suggested_actions", "content")}
    made = rows.with_columns(**lists).to_dicts()
    return schema.LearnerRecommendations(
        learner=learner, day=day, recommendations=[schema.Recommendation(**row) for row in made]
    )
