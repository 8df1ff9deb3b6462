"""Which rows fit, which calibrate, which evaluate. Belongs here: cuts by time and folds by learner; no model.

A cut by time asks the question of practice: trained on what was, how good is it on what came after? A fold by learner
asks another one: how good is it for somebody never seen? Boosting stops early on held-out learners; everything that
is reported or decided upon comes from later time.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aivo_assets.errors import ModelError
from aivo_assets.settings import TrainingSettings

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Row numbers of a frame, cut twice in time: every `fit` row is earlier than every `calibrate` row, and so on.

    Attributes:
        fit: Rows that fit the boosted models, ascending.
        calibrate: Rows that calibrate, ascending.
        evaluate: Rows that evaluate, ascending; nothing is ever fitted on them.
        calibrate_from: The earliest time of a `calibrate` row, UTC.
        evaluate_from: The earliest time of an `evaluate` row, UTC; the model has seen nothing from here on.
        until: The latest time of any row, UTC.
        by: Whether the cuts fall between days, or within one.
    """

    fit: Rows
    calibrate: Rows
    evaluate: Rows
    calibrate_from: datetime
    evaluate_from: datetime
    until: datetime
    by: Literal["day", "time"]


def split_by_time(keys: pl.DataFrame, settings: TrainingSettings) -> Split:
    """Cut rows into fit | calibrate | evaluate by `occurred_at`.

    Cuts fall between UTC days where that gives every part between half and twice its share, and otherwise between
    distinct times; rows of equal time stay together.

    Args:
        keys: A frame with `occurred_at` (Datetime, UTC); any order of rows.
        settings: Shares, and the fewest events of the whole and of a part.

    Raises:
        ModelError: There are too few events, or no cut leaves each part enough.
    """
    if keys.height < settings.minimum_events:
        raise ModelError(
            f"There are {keys.height} events to train on; the fewest that train a model are {settings.minimum_events}",
            fix="Load more days, or lower AIVO_TRAINING_MINIMUM_EVENTS.",
        )
    shares = np.array([1 - settings.calibration_share - settings.evaluation_share, 1 - settings.evaluation_share])
    for by, values in (("day", keys["occurred_at"].dt.truncate("1d")), ("time", keys["occurred_at"])):
        instants = values.to_physical().to_numpy()
        bounds = _bounds(instants, shares)
        if bounds is None:
            continue
        parts = np.searchsorted(bounds, instants, side="right")
        counts = np.bincount(parts, minlength=3)
        wanted = np.diff(shares, prepend=0.0, append=1.0) * keys.height
        balanced = bool(((counts >= wanted / 2) & (counts <= wanted * 2)).all())
        enough = bool((counts >= settings.minimum_part_events).all())
        if enough and (balanced or by == "time"):
            return _split(keys["occurred_at"], parts, "day" if by == "day" else "time")
    raise ModelError(
        f"{keys.height} events cannot be cut in time into fit, calibrate and evaluate parts "
        f"of at least {settings.minimum_part_events} events each",
        fix="Load more days, or lower AIVO_TRAINING_MINIMUM_PART_EVENTS or change the shares of calibration "
        "and evaluation.",
    )


def _bounds(instants: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """First instants of the second and the third part, nearest to the shares; None where there are too few instants."""
    distinct, counts = np.unique(instants, return_counts=True)
    if distinct.size < 3:
        return None
    before = (np.cumsum(counts) - counts) / instants.size  # share of rows earlier than each instant
    first = 1 + int(np.argmin(np.abs(before[1:-1] - shares[0])))
    second = first + 1 + int(np.argmin(np.abs(before[first + 1 :] - shares[1])))
    return distinct[[first, second]]


def _split(occurred_at: pl.Series, parts: NDArray[np.intp], by: Literal["day", "time"]) -> Split:
    fit, calibrate, evaluate = (np.flatnonzero(parts == part) for part in range(3))
    return Split(
        fit=fit,
        calibrate=calibrate,
        evaluate=evaluate,
        calibrate_from=_instant(occurred_at[calibrate].min()),
        evaluate_from=_instant(occurred_at[evaluate].min()),
        until=_instant(occurred_at.max()),
        by=by,
    )


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)  # a part is never empty
    return value


def learner_folds(learners: pl.Series, *, folds: int, seed: int) -> NDArray[np.int32]:
    """Fold (0 … folds-1) of each row's learner, by a stable hash: the same on every machine, in any order, for ever.

    Another hash than that of `statistics.learner_folds`, on purpose: with the same one, the learners who stop the
    boosting would also be whoever one of the out-of-fold statistics was fitted without.

    Args:
        learners: Pseudonyms, one a row.
        folds: How many folds.
        seed: Another seed deals the learners otherwise.

    Returns:
        Int32 of the length of `learners`; all rows of a learner have one fold.
    """
    names = learners.unique()
    key = seed.to_bytes(8, "big", signed=True)
    dealt = [
        int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8, key=key).digest(), "big") % folds
        for name in names.to_list()
    ]
    fold_of = pl.DataFrame({"learner": names, "fold": pl.Series(dealt, dtype=pl.Int32)})
    rows = learners.alias("learner").to_frame().join(fold_of, on="learner", how="left", maintain_order="left")
    return rows["fold"].to_numpy()
