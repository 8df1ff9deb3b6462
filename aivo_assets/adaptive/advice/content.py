"""Which items to give next. Belongs here: choosing from the item bank; no decision about levels.

The items that fit a learner best are those at which the main brain sees success nearest to the middle of the success
zone. Success at levels 1 to 10 tells at which difficulty that is, so no item has to be asked about by itself. An item's
own difficulty is not certain either: an item is the better, the smaller the expected square of its distance.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.adaptive.advice.best_fitting import best_fitting
from aivo_assets.adaptive.schema import LEVEL_COUNT
from aivo_assets.settings import PolicySettings

_PLACE: Final = ["subject", "content_skill", "content_wanted", "_reach", "_at"]
_TENTHS: Final = 10  # difficulties are told apart to a tenth of a logit, which no item bank resolves
_HUNDRED: Final = 100
_CERTAIN: Final = 0.005  # probabilities are kept so far from 0 and 1 before a logit is taken


def richer_level(settings: PolicySettings, kind: str) -> pl.Expr:
    """`content_wanted`, one level up for this kind: to go deeper are tasks of the next level, where within reach.

    More of the same easy ones is no depth.

    Args:
        settings: The success zone; a level is within reach where success is in it or above.
        kind: Name of the kind that goes deeper.
    """
    reachable = (pl.col("p_above") >= settings.success_zone[0]) & (pl.col("items_above") > 0)
    deeper = (pl.col("kind") == kind) & reachable.fill_null(value=False)
    wanted = pl.col("content_wanted")
    return pl.when(deeper).then((wanted + 1).clip(upper_bound=LEVEL_COUNT)).otherwise(wanted).alias("content_wanted")


def add_content(decided: pl.DataFrame, item_bank: pl.DataFrame, settings: PolicySettings) -> pl.DataFrame:
    """Add the items that fit each decision best, never one of the recent items.

    The best fitting come first; where the models say nothing of the skill, or content is of another skill, those whose
    level is most certain. Learners who stay at their level are given items of the levels beside it too, as far as
    practice there counts as practice at the level (`level_tolerance`); who moves is given the new level. Where nothing
    is left there, items are of the next nearest level that has any, the easier of two; only the two nearest places are
    looked at.

    Args:
        decided: subject, skill_id, current_level, level_probabilities, content_skill, content_wanted (level),
            recent_items, content_recent and whatever else.
        item_bank: `ITEM_BANK`.
        settings: How many items; how many count as recent; the success zone; the tolerance of levels.

    Returns:
        The same rows in the same order with content (List[String], perhaps empty) and content_level (Int8: among the
        candidates left there, the level nearest to the wanted one, the easier of two; null where none is left). Only
        the best fitting items of a place are candidates, so the wanted level itself may have others.
    """
    rows = decided.with_row_index("_row").with_columns(
        _reach=_reach(settings), _at=fitting_difficulty(decided, item_bank, sum(settings.success_zone) / 2)
    )
    places = rows.select(_PLACE).unique(maintain_order=True).with_row_index("_place")
    items = _by_certainty(item_bank)
    # So many candidates that enough are left when each recent item happens to be one of them.
    candidates = _candidates(places, items, settings.content_items + settings.recent_events)
    both = pl.concat_list("recent_items", "content_recent")
    recent = rows.lazy().select("_row", item_id=both).explode("item_id", keep_nulls=False)
    nearest = pl.col("_stretch") == pl.col("_stretch").min()
    # Distance to the wanted level first, then the level: the least of them is that of the nearest, the easier of two.
    near = (pl.col("level") - pl.col("content_wanted")).abs().cast(pl.Int32) * _HUNDRED + pl.col("level")
    chosen = (
        rows.lazy()
        .select("_row", *_PLACE)
        .join(places.lazy(), on=_PLACE, nulls_equal=True)
        .select("_row", "_place", "content_wanted")
        .join(candidates.lazy(), on="_place")
        .explode("_item", "level")
        .join(recent.join(items.lazy(), on="item_id"), on=["_row", "_item"], how="anti", maintain_order="left")
        .with_columns(item_id=pl.lit(items["item_id"]).gather("_item"))
        .group_by("_row")
        .agg(
            content=pl.col("item_id").filter(nearest).head(settings.content_items),
            content_level=(near.filter(nearest).min() % _HUNDRED).cast(pl.Int8),
        )
        .collect()
    )
    return (
        rows.join(chosen, on="_row", how="left", maintain_order="left")
        .with_columns(pl.col("content").fill_null([]))
        .drop("_row", "_reach", "_at")
    )


def fitting_difficulty(rows: pl.DataFrame, item_bank: pl.DataFrame, aim: float) -> pl.Series:
    """The difficulty at which each learner succeeds with probability `aim`, in tenths of a logit.

    Between the mean difficulties of two levels log odds are taken as straight; beyond the first and the last level that
    has items they fall by one a logit, as in the one-parameter model.

    Args:
        rows: subject, skill_id, content_skill, level_probabilities (List of ten, falling, or null).
        item_bank: `ITEM_BANK`.
        aim: Between 0 and 1.

    Returns:
        Int32, ten times the logits, at most ten beyond the subject's items; null without model answers, and where
        content is of another skill.
    """
    middles = item_bank.group_by("subject", "level").agg(pl.col("difficulty").mean()).sort("level")
    asked = rows.select("subject", "level_probabilities", "skill_id", "content_skill").with_row_index("_row")
    asked = asked.filter(pl.col("level_probabilities").is_not_null() & (pl.col("skill_id") == pl.col("content_skill")))
    fitting = np.full(rows.height, np.nan)
    for (subject,), part in asked.partition_by("subject", as_dict=True).items():
        levels = middles.filter(pl.col("subject") == subject)
        if levels.height:
            success = part["level_probabilities"].list.to_array(LEVEL_COUNT).to_numpy().astype(np.float64)
            at = _crossing(success[:, levels["level"].to_numpy() - 1], levels["difficulty"].to_numpy(), aim)
            fitting[part["_row"].to_numpy()] = np.rint(_TENTHS * at)
    return pl.Series("_at", fitting).fill_nan(None).cast(pl.Int32)


def _crossing(
    success: npt.NDArray[np.float64], difficulty: npt.NDArray[np.float64], aim: float
) -> npt.NDArray[np.float64]:
    """Where falling rows of success [n, L] at ascending difficulties [L] meet `aim`, [n]."""
    clipped = np.clip(success, _CERTAIN, 1 - _CERTAIN)
    above = np.log(clipped / (1 - clipped)) - np.log(aim / (1 - aim))
    count, last = (above >= 0).sum(axis=1), difficulty.size - 1
    row = np.arange(len(above))
    left, right = np.maximum(count - 1, 0), np.minimum(count, last)
    fall = above[row, left] - above[row, right]
    share = np.divide(above[row, left], fall, out=np.zeros(len(above)), where=fall > 0)
    within = difficulty[left] + share * (difficulty[right] - difficulty[left])
    outside = (count == 0) | (count > last)
    beyond = np.clip(above[row, left], -1.0, 1.0)  # one logit past the last item nothing is nearer
    crossing: npt.NDArray[np.float64] = np.where(outside, difficulty[left] + beyond, within)
    return crossing


def _reach(settings: PolicySettings) -> pl.Expr:
    """Levels on either side of the wanted one that count as it."""
    own = (pl.col("content_skill") == pl.col("skill_id")) & (pl.col("content_wanted") == pl.col("current_level"))
    return pl.when(own & pl.col("level_probabilities").is_not_null()).then(settings.level_tolerance).otherwise(0)


def _by_certainty(item_bank: pl.DataFrame) -> pl.DataFrame:
    """The items with their number in the order of certainty, `_item`; numbers cost less than ids and sort as they."""
    order = ["level_certainty", "events", "item_id"]
    return item_bank.sort(*order, descending=[True, True, False]).with_row_index("_item")


def _candidates(places: pl.DataFrame, items: pl.DataFrame, most: int) -> pl.DataFrame:
    """The best items for each place that is asked for, as lists, of the nearest stretches of levels that have any."""
    of_skill = (
        items.lazy()
        .explode("skill_ids", keep_nulls=False)
        .select("_item", "subject", "level", "difficulty", "difficulty_sd", content_skill="skill_ids")
    )
    beyond = ((pl.col("level") - pl.col("content_wanted")).abs() - pl.col("_reach")).clip(lower_bound=0)
    side = pl.when(beyond == 0).then(0).otherwise((pl.col("level") - pl.col("content_wanted")).sign())
    miss = (pl.col("difficulty") - pl.col("_at") / _TENTHS) ** 2 + pl.col("difficulty_sd").fill_null(0.0) ** 2
    stretch, first = pl.col("_stretch"), pl.col("_stretch").min()
    nearest = stretch <= pl.coalesce(stretch.filter(stretch > first).min(), first).over("_place")
    skill = ["subject", "content_skill"]
    group = ["_place", "_stretch"]
    levels = (  # that have any: first the levels are chosen, for the items are many
        places.lazy()
        .join(of_skill.select(*skill, "level").unique(), on=skill)
        # Stretches by their distance, the easier side of two first.
        .with_columns(_stretch=beyond.cast(pl.Int32) * 3 + side)
        .filter(nearest)
        .sort(group)
        .with_columns(_group=pl.struct(group).rle_id())
    )
    fitting = (
        levels.join(of_skill, on=[*skill, "level"], maintain_order="left")
        .select(*group, "_group", "_item", "level", _miss=miss.fill_null(0.0))  # a place without `_at` has none at all
        .collect()
    )
    groups, misses, numbers = (fitting[name].to_numpy() for name in ("_group", "_miss", "_item"))
    return (
        fitting.lazy()
        .filter(best_fitting(groups, misses, numbers, most))
        .sort(*group, "_miss", "_item")
        .group_by(group, maintain_order=True)
        .agg(pl.col("_item", "level"))
        .collect()
    )
