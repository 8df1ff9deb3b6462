"""Which items to give next. Belongs here: choosing from the item bank; no decision about levels."""

from typing import Final

import polars as pl

from aivo_assets.adaptive.schema import LEVEL_COUNT
from aivo_assets.settings import PolicySettings

_PLACE: Final = ["subject", "content_skill", "content_wanted"]
_PLACES: Final = 2  # levels looked at: the nearest that has items of the skill, and the next nearest


def add_content(decided: pl.DataFrame, item_bank: pl.DataFrame, settings: PolicySettings) -> pl.DataFrame:
    """Add the items that fit each decision best.

    Of the wanted skill and level, those whose level is most certain first, never one of the recent items.
    Where nothing is left there, of the nearest level that has something left, the easier of two; never of two levels.

    Args:
        decided: subject, content_skill, content_wanted (level), recent_items, content_recent and whatever else.
        item_bank: `ITEM_BANK`.
        settings: How many items; how many count as recent.

    Returns:
        The same rows in the same order with content (List[String], perhaps empty) and content_level (Int8, null where
        the two nearest levels have nothing left of the skill).
    """
    # So many candidates that enough are left when each recent item happens to be one of them.
    candidates = _candidates(item_bank.lazy(), settings.content_items + settings.recent_events)
    rows = decided.with_row_index("_row")
    both = pl.concat_list("recent_items", "content_recent")
    recent = rows.lazy().select("_row", item_id=both).explode("item_id", keep_nulls=False)
    first_level = pl.col("content_level").sort_by("_place").first()
    nearest = pl.col("_place") == pl.col("_place").min()
    chosen = (
        rows.lazy()
        .select("_row", *_PLACE)
        .join(candidates, on=_PLACE)
        .explode("item_id", keep_nulls=False)
        .join(recent, on=["_row", "item_id"], how="anti", maintain_order="left")
        .group_by("_row")
        .agg(content=pl.col("item_id").filter(nearest).head(settings.content_items), content_level=first_level)
        .collect()
    )
    return (
        rows.join(chosen, on="_row", how="left", maintain_order="left")
        .with_columns(pl.col("content").fill_null([]))
        .drop("_row")
    )


def _candidates(item_bank: pl.LazyFrame, most: int) -> pl.LazyFrame:
    """The best items for each subject x skill x level, as lists, of the nearest levels that have any."""
    by_level = (
        item_bank.explode("skill_ids", keep_nulls=False)
        .rename({"skill_ids": "content_skill"})
        .sort("level_certainty", "events", "item_id", descending=[True, True, False])
        .group_by("subject", "content_skill", content_level="level")
        .agg(pl.col("item_id").head(most))
    )
    wanted = pl.LazyFrame({"content_wanted": range(1, LEVEL_COUNT + 1)}, schema={"content_wanted": pl.Int8})
    return (
        by_level.join(wanted, how="cross")
        .with_columns(_distance=(pl.col("content_wanted") - pl.col("content_level")).abs())
        .sort(*_PLACE, "_distance", "content_level")
        .with_columns(_place=pl.int_range(pl.len()).over(_PLACE))
        .filter(pl.col("_place") < _PLACES)
        .drop("_distance")
    )
