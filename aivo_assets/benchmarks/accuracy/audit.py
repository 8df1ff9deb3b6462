"""The leak audit that runs with every accuracy benchmark. Belongs here: the four laws and how they are tried.

A number near 0.90 on the public data is a leak, not a success. What is audited is what predicts: the whole way from
events to probabilities, whatever computes the features.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict

from aivo_assets.arrays import Floats
from aivo_assets.benchmarks.partitions import Part
from aivo_assets.errors import ModelError
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.statistics import OutOfFold, Statistics

LEARNERS_TRIED = 200
_ORDER = ["learner", "day", "sequence"]
_CONTENT = ["item_id", "skill_ids", "subject", "correct", "response_time_ms", "hint_count"]


@dataclass(frozen=True)
class Said:
    """What was said of some events, in the order learner, day, sequence: float64 [n] and the features behind it."""

    probability: Floats
    features: FeatureTable


Say = Callable[[pl.DataFrame], Said]


class Audited(BaseModel):
    """What was tried, and that it held.

    Attributes:
        rows_with_shuffled_future: Predictions that stayed equal to the last bit while all later answers were shuffled.
        flipped_rows: Rows whose own prediction stayed so while their own answer was turned over.
        moved_rows: Later rows whose predictions these turned answers did move: what predicts does read the past.
        statistics: Statistics that were found to hold the training learners' answers and no others.
        rows: Rows of the file, each of them one event and one prediction, however many skills it has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows_with_shuffled_future: int
    flipped_rows: int
    moved_rows: int
    statistics: int
    rows: int


def audit(part: Part, statistics: Statistics, of_others: OutOfFold, predict: Say, *, seed: int) -> Audited:
    """Try the four laws.

    Args:
        part: Training and test.
        statistics: What test rows were folded with.
        of_others: What training rows were folded with.
        predict: Probabilities and features of events of test learners. The features are held to the same laws, so that
            a leak is found even where these trees make nothing of it.
        seed: Of the learners that are tried, and of how they are changed.

    Raises:
        ModelError: A law is broken; the message names it and the first row.
    """
    refuse_expanded_skills(pl.concat([part.train, part.test]))
    tried = _whole_learners(part, seed)
    before = predict(tried)
    if before.probability.size != tried.height:
        _fail(
            f"{tried.height} events got {before.probability.size} predictions: a multi-skill row is one row",
            "skill rows",
        )
    shuffled = _try_shuffled_futures(tried, before, predict, seed)
    flipped, moved = _try_flipped_answers(tried, before, predict, seed)
    return Audited(
        rows_with_shuffled_future=shuffled,
        flipped_rows=flipped,
        moved_rows=moved,
        statistics=refuse_foreign_statistics(part.train, statistics, of_others),
        rows=part.train.height + part.test.height,
    )


def refuse_expanded_skills(events: pl.DataFrame) -> None:
    """Refuse a file in which one answer stands as several rows, one for each skill.

    A model that predicts the second of such rows has seen its answer in the first.

    Raises:
        ModelError: A learner's item follows itself at the same second with the same answer and other skills.
    """
    ordered = events.sort(_ORDER)
    skills = pl.col("skill_ids").list.sort().list.join("\x1f")
    repeated = (
        (pl.col("learner") == pl.col("learner").shift())
        & (pl.col("item_id") == pl.col("item_id").shift())
        & (pl.col("correct") == pl.col("correct").shift())
        & (skills != skills.shift())
        & (pl.col("gap_s").fill_null(0) <= 1)
    )
    expanded = ordered.filter(repeated)
    if expanded.height:
        row = expanded.row(0, named=True)
        _fail(
            f"{expanded.height} rows repeat the answer before them with another skill, the first: learner "
            f"{row['learner']}, item {row['item_id']}, {row['day']}",
            "skill rows",
        )


def refuse_foreign_statistics(train: pl.DataFrame, statistics: Statistics, of_others: OutOfFold) -> int:
    """Count again who is in the statistics; returns how many statistics were counted.

    Raises:
        ModelError: One of them holds other answers than those of the training learners outside its fold.
    """
    names = train["learner"].unique().sort()
    dealt = pl.DataFrame({"learner": names, "_fold": of_others.fold_of(names)})
    fold_of = train.select("learner").join(dealt, on="learner", how="left", maintain_order="left")["_fold"]
    _refuse_other_counts(train, statistics, "the statistics of test rows")
    for fold, part in enumerate(of_others.folds):
        _refuse_other_counts(train.filter(fold_of != fold), part, f"the statistics of training fold {fold}")
    return 1 + len(of_others.folds)


def _refuse_other_counts(events: pl.DataFrame, statistics: Statistics, what: str) -> None:
    wins = pl.col("correct").cast(pl.Int64).sum()
    counted = events.group_by("item_id").agg(pl.len().cast(pl.Int64).alias("n"), wins.alias("w"))
    compared = counted.join(statistics.items.select("item_id", "events", "wins"), on="item_id", how="full")
    same = (pl.col("n") == pl.col("events")) & (pl.col("w") == pl.col("wins"))
    other = compared.filter(~same.fill_null(value=False))
    if other.height or statistics.events != events.height:
        _fail(f"{what} hold {statistics.events} events, of their own learners there are {events.height}", "statistics")


def _whole_learners(part: Part, seed: int) -> pl.DataFrame:
    """All events of some test learners, in order."""
    names = part.test["learner"].unique().sort()
    names = names.sample(min(LEARNERS_TRIED, len(names)), seed=seed)
    return pl.concat([part.past, part.test]).filter(pl.col("learner").is_in(names.implode())).sort(_ORDER)


def _try_shuffled_futures(tried: pl.DataFrame, before: Said, predict: Say, seed: int) -> int:
    """Exchange the answers of all later rows among each other, learners included; returns the rows compared."""
    random = np.random.default_rng(seed)
    place = tried.select(pl.int_range(pl.len()).over("learner"))["literal"].to_numpy()
    length = tried.select(pl.len().over("learner"))["len"].to_numpy()
    code = tried["learner"].rle_id().to_numpy()
    cut = np.floor(random.random(int(code[-1]) + 1)[code] * length)
    past = place <= cut
    future = np.flatnonzero(~past)
    order = np.arange(tried.height)
    order[future] = random.permutation(future)
    changed = tried.with_columns(tried.select(_CONTENT)[order])
    _refuse_moved(tried, before, predict(changed), past, "changed with what the learner answered later")
    return int(past.sum())


def _try_flipped_answers(tried: pl.DataFrame, before: Said, predict: Say, seed: int) -> tuple[int, int]:
    """Turn one answer over for each learner; returns the rows compared, and the later rows that moved."""
    random = np.random.default_rng(seed + 1)
    starts = np.flatnonzero(np.diff(tried["learner"].rle_id().to_numpy(), prepend=-1))
    lengths = np.diff(starts, append=tried.height)
    flipped = np.zeros(tried.height, dtype=np.bool_)
    flipped[starts + np.floor(random.random(starts.size) * lengths).astype(np.int64)] = True
    mask = pl.Series(flipped)
    changed = tried.with_columns(
        correct=pl.when(mask).then(1 - pl.col("correct")).otherwise("correct").cast(pl.Int8),
        response_time_ms=pl.when(mask).then(pl.lit(None)).otherwise("response_time_ms"),
        hint_count=pl.when(mask).then(pl.lit(9, pl.Int32)).otherwise("hint_count"),
    )
    after = predict(changed)
    _refuse_moved(tried, before, after, flipped, "changed with the row's own answer")
    return int(flipped.sum()), int((before.probability != after.probability).sum())


def _refuse_moved(tried: pl.DataFrame, before: Said, after: Said, rows: npt.NDArray[np.bool_], law: str) -> None:
    """Refuse any difference, to the last bit, among these rows: first in the features, then in the probabilities."""
    one, other = before.features.values[rows], after.features.values[rows]
    differs = (one != other) & ~(np.isnan(one) & np.isnan(other))
    columns = np.flatnonzero(differs.any(axis=0))
    moved = np.flatnonzero(differs.any(axis=1) | (before.probability[rows] != after.probability[rows]))
    if moved.size:
        first = tried.row(int(np.flatnonzero(rows)[moved[0]]), named=True)
        what = ", ".join(before.features.names[column] for column in columns[:5]) or "the prediction"
        _fail(
            f"{what} {law} in {moved.size} of {int(rows.sum())} rows, the first of learner {first['learner']}, "
            f"{first['day']}, sequence {first['sequence']}",
            "features",
        )


def _fail(what: str, where: str) -> None:
    fixes = {
        "features": "Find the feature that reads the row's own answer or a later one; no figure of this run counts.",
        "statistics": "Fit the statistics on training learners alone; no figure of this run counts.",
        "skill rows": "Join the rows of an answer into one with all its skills; no figure of this run counts.",
    }
    raise ModelError(f"The leak audit failed: {what}", fix=fixes[where])
