"""Levels 1 to 10 of each subject, and the item bank. Belongs here: from difficulty to level; nothing about learners.

A level is a stretch of difficulty on the logit scale, equally wide for levels 2 to 9; levels 1 and 10 are open. Equal
logits rather than equal numbers of items: a step then changes the odds of success by the same factor everywhere, so
that "one level up" means the same to every learner. The width follows the spread of the subject's own items within
limits (`PolicySettings.level_step`), hence a subject with few or like items uses few levels and leaves the others
empty: an empty level has a difficulty, and no items.
"""

from datetime import date
from typing import Final

import numpy as np
import polars as pl
from scipy.special import ndtr

from aivo_assets.adaptive.schema import ITEM_BANK, LEVEL_COUNT, LEVELS
from aivo_assets.errors import ModelError
from aivo_assets.settings import PolicySettings

_INNER: Final = LEVEL_COUNT - 2  # levels of a known width, between the two open ones
_BAND_Z: Final = 1.2815515655446004  # 80 % of a normal distribution lie within so many standard deviations
_KEPT_SHIFT: Final = 0.5  # a subject keeps its levels while its middle has moved by at most half a level …
_KEPT_RATIO: Final = 1.5  # … and its spread by at most this factor: a level is a promise to those who work at it


def subject_levels(
    items: pl.DataFrame, *, day: date, settings: PolicySettings, before: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Cut each subject's range of difficulty into ten levels.

    Args:
        items: subject, difficulty (logits, higher = harder); one row an item.
        day: As-of day.
        settings: Width and quantiles.
        before: The levels in force (`LEVELS`), if any. A subject keeps its cuts until its items have moved by more
            than half a level or its spread by half; a learner's level should not change because an item was added.

    Returns:
        `LEVELS`: ten rows a subject, ordered by subject and level.

    Raises:
        ModelError: An item's difficulty is missing or not finite.
    """
    _refuse_unknown_difficulty(items)
    scales = _scales(items, settings)
    if before is not None and before.height:
        scales = _keep(scales, before)
    cuts = (
        scales.join(pl.DataFrame({"level": np.arange(1, LEVEL_COUNT + 1, dtype=np.int8)}), how="cross")
        .with_columns(_lower=pl.col("centre") + (pl.col("level") - 2 - _INNER / 2) * pl.col("step"))
        .with_columns(
            lower=pl.when(pl.col("level") > 1).then("_lower"),
            upper=pl.when(pl.col("level") < LEVEL_COUNT).then(pl.col("_lower") + pl.col("step")),
            middle=pl.col("_lower") + pl.col("step") / 2,
        )
        .sort("subject", "level")
    )
    cuts = cuts.with_columns(
        upper=pl.col("lower").shift(-1).over("subject")
    )  # the very same number, not one ulp beside
    counted = (
        items.select("subject", "difficulty", level=_level_of(items, cuts, pl.col("difficulty")))
        .group_by("subject", "level")
        .agg(items=pl.len().cast(pl.Int32), _mean=pl.col("difficulty").mean())
    )
    return (
        cuts.join(counted, on=["subject", "level"], how="left")
        .with_columns(
            day=pl.lit(day),
            difficulty=pl.coalesce("_mean", "middle"),
            items=pl.col("items").fill_null(0),
        )
        .sort("subject", "level")
        .select(*LEVELS.schema)
    )


def item_bank(items: pl.DataFrame, levels: pl.DataFrame, *, day: date) -> pl.DataFrame:
    """Give every item its level, and say how sure that is.

    Args:
        items: item_id, subject, skill_ids, difficulty, difficulty_sd, events, and log_response_time (mean ln of ms;
            NaN or null where unknown), as `tracing.Statistics.items` has them.
        levels: `LEVELS`, with every subject of the items.
        day: As-of day.

    Returns:
        `ITEM_BANK`, ordered by subject, difficulty and item.

    Raises:
        ModelError: An item's difficulty is missing or not finite, or its subject has no levels.
    """
    _refuse_unknown_difficulty(items)
    unknown = items.join(levels, on="subject", how="anti")
    if unknown.height:
        raise ModelError(
            f"{unknown.height} items have a subject without levels, the first {unknown['subject'][0]!r}",
            fix="Make the levels from the same items as the bank.",
        )
    difficulty, margin = pl.col("difficulty"), _BAND_Z * pl.col("difficulty_sd")
    banked = items.with_columns(
        _level_of(items, levels, difficulty).alias("level"),
        _level_of(items, levels, difficulty - margin).alias("level_lower"),
        _level_of(items, levels, difficulty + margin).alias("level_upper"),
    ).join(levels.select("subject", "level", "lower", "upper"), on=["subject", "level"], how="left")
    return (
        banked.with_columns(
            day=pl.lit(day),
            level_certainty=_certainty(banked),
            events=pl.col("events").cast(pl.Int64),
            typical_time_s=pl.col("log_response_time").cast(pl.Float64).fill_nan(None).exp() / 1000,
        )
        .sort("subject", "difficulty", "item_id")
        .select(*ITEM_BANK.schema)
    )


def _scales(items: pl.DataFrame, settings: PolicySettings) -> pl.DataFrame:
    low, high = (
        pl.col("difficulty").quantile(share, interpolation="linear") for share in sorted(settings.level_quantiles)
    )
    return items.group_by("subject").agg(
        centre=(low + high) / 2, step=((high - low) / _INNER).clip(min(settings.level_step), max(settings.level_step))
    )


def _keep(scales: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Scales in which a subject that has hardly moved keeps the centre and step that it had."""
    first, last = pl.col("lower").min(), pl.col("lower").max()
    old = before.group_by("subject").agg(old_centre=(first + last) / 2, old_step=(last - first) / _INNER)
    ratio = pl.col("step") / pl.col("old_step")
    unchanged = (
        (pl.col("centre") - pl.col("old_centre")).abs() <= _KEPT_SHIFT * pl.col("old_step")
    ) & ratio.is_between(1 / _KEPT_RATIO, _KEPT_RATIO)
    return scales.join(old, on="subject", how="left").select(
        "subject",
        centre=pl.when(unchanged).then("old_centre").otherwise("centre"),
        step=pl.when(unchanged).then("old_step").otherwise("step"),
    )


def _level_of(items: pl.DataFrame, levels: pl.DataFrame, difficulty: pl.Expr) -> pl.Series:
    """Level of each difficulty, Int8, in the order of `items`."""
    cuts = levels.select("subject", "level", _at=pl.col("lower").fill_null(-np.inf)).sort("_at")
    return (
        items.select("subject", _at=difficulty, _row=pl.int_range(pl.len()))
        .sort("_at")
        .join_asof(cuts, on="_at", by="subject", strategy="backward", check_sortedness=False)
        .sort("_row")["level"]
        .cast(pl.Int8)
    )


def _certainty(banked: pl.DataFrame) -> pl.Series:
    spread = np.maximum(banked["difficulty_sd"].fill_null(0.0).to_numpy(), 1e-9)
    difficulty = banked["difficulty"].to_numpy()
    upper = ndtr((banked["upper"].fill_null(np.inf).to_numpy() - difficulty) / spread)
    lower = ndtr((banked["lower"].fill_null(-np.inf).to_numpy() - difficulty) / spread)
    return pl.Series("level_certainty", upper - lower, dtype=pl.Float64)


def _refuse_unknown_difficulty(items: pl.DataFrame) -> None:
    unknown = items.filter(pl.col("difficulty").is_finite().fill_null(value=False).not_())
    if unknown.height:
        item = unknown["item_id"][0] if "item_id" in unknown.columns else "?"
        raise ModelError(
            f"{unknown.height} items have no finite difficulty, the first {item!r}: {unknown['difficulty'][0]}",
            fix="Fit the item statistics again; an item without answers gets the difficulty of its skill.",
        )
