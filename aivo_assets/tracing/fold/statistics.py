"""Population statistics of items and skills. Belongs here: what they are, out of fold, and storing; no learner's state.

How difficulties are estimated stands in `difficulty`.
"""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.arrays import Floats, Ints, Ints32
from aivo_assets.errors import ModelError
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.behaviour import Order, Transitions, fit_behaviour, order_of
from aivo_assets.tracing.fold.difficulty import fit_difficulties
from aivo_assets.tracing.fold.encoding import Encoded, encode, text_hashes

ITEM_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "subject": pl.String,
    "skill_ids": pl.List(pl.String),
    "events": pl.Int64,
    "wins": pl.Int64,
    "difficulty": pl.Float64,
    "difficulty_sd": pl.Float64,
    "log_response_time": pl.Float64,
    "factors": pl.List(pl.Float64),
    "tendency": pl.Float64,
    "discrimination": pl.Float64,
    "repeat_surprise": pl.List(pl.Float64),
    "repeat_events": pl.List(pl.Int64),
    "previous": pl.List(pl.String),
    "previous_events": pl.List(pl.Int64),
    "previous_surprise": pl.List(pl.Float64),
    "previous_surprise_wrong": pl.List(pl.Float64),
    "previous_surprise_right": pl.List(pl.Float64),
}
SKILL_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "skill_id": pl.String,
    "subject": pl.String,
    "events": pl.Int64,
    "wins": pl.Int64,
    "difficulty": pl.Float64,
    "difficulty_sd": pl.Float64,
    "factors": pl.List(pl.Float64),
}
SKILL_SET_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {"skill_set": pl.String}
_STORED = {"items": ITEM_COLUMNS, "skills": SKILL_COLUMNS, "skill_sets": SKILL_SET_COLUMNS}
_TOTALS = ("events", "base_rate", "difficulty", "prior_sd", "log_response_time")


@dataclass(frozen=True)
class Statistics:
    """Population statistics of items and skills.

    Attributes:
        items: `ITEM_COLUMNS`, ascending by item_id. Difficulties are in logit, higher = harder: an average learner
            (ability 0) answers right with probability sigmoid(−difficulty). `log_response_time` is the mean of ln ms,
            drawn to the mean of all; null where no response time is known at all. From `factors` on: see `Behaviour`;
            the lists that begin with `previous` belong together, ascending by the previous item.
        skills: `SKILL_COLUMNS`, ascending by skill_id.
        events: Number of events the statistics were fitted on.
        base_rate: Share of right answers among them.
        difficulty: Difficulty of what was never seen, logit.
        prior_sd: Spread of items around their skills, and of skills around the whole, logit.
        log_response_time: Mean ln of response times in ms, NaN where none is known.
        skill_sets: Distinct skills of an event taken together, ascending; a set's position is its code.
    """

    items: pl.DataFrame
    skills: pl.DataFrame
    events: int
    base_rate: float
    difficulty: float
    prior_sd: float
    log_response_time: float
    skill_sets: pl.Series = field(default_factory=lambda: pl.Series("skill_set", [], pl.String))

    @cached_property
    def version(self) -> str:
        """Hash of the content."""
        digest = hashlib.sha256()
        for frame in (self.items, self.skills, self.skill_sets.to_frame()):
            for column in frame.iter_columns():
                _digest(digest, column)
        digest.update(repr([getattr(self, name) for name in _TOTALS]).encode())
        return digest.hexdigest()[:32]

    def to_frames(self) -> dict[str, pl.DataFrame]:
        """Frames `items`, `skills`, `skill_sets` and `totals` (one row), to be stored with a model."""
        totals = pl.DataFrame({name: [getattr(self, name)] for name in _TOTALS})
        return {
            "items": self.items,
            "skills": self.skills,
            "skill_sets": self.skill_sets.to_frame(),
            "totals": totals,
        }

    @classmethod
    def from_frames(cls, frames: Mapping[str, pl.DataFrame]) -> "Statistics":
        """The statistics that `to_frames` gave.

        Raises:
            ModelError: A frame is absent or has other columns.
        """
        for name, columns in _STORED.items():
            if name not in frames or dict(frames[name].schema) != columns:
                present = dict(frames[name].schema) if name in frames else "nothing"
                raise ModelError(
                    f"Stored statistics have no usable frame {name!r}: expected {columns}, got {present}",
                    fix="Train the main brain again; the stored model is damaged or of another version.",
                )
        totals = frames["totals"].row(0, named=True)
        return cls(frames["items"], frames["skills"], **totals, skill_sets=frames["skill_sets"]["skill_set"])


@dataclass(frozen=True)
class OutOfFold:
    """Statistics for training features: what a learner's rows use was fitted without that learner.

    Attributes:
        folds: Statistics k was fitted without the learners of fold k.
        seed: Seed of the assignment.
        skill_sets: Of all learners, for a set's code must be the same in every fold and when the model serves. Which
            sets there are says nothing of answers.
    """

    folds: tuple[Statistics, ...]
    seed: int
    skill_sets: pl.Series

    @cached_property
    def version(self) -> str:
        """Hash of the content."""
        return hashlib.sha256(repr(([part.version for part in self.folds], self.seed)).encode()).hexdigest()[:32]

    def fold_of(self, learners: pl.Series) -> Ints32:
        """Fold of each learner, int32 in 0 … folds - 1; a function of name and seed only."""
        return learner_folds(learners, len(self.folds), self.seed)


def learner_folds(learners: pl.Series, folds: int, seed: int) -> Ints32:
    """Assign learners to folds by a hash of name and seed, the same on every machine and in every subset."""
    return (text_hashes(learners, seed) % np.uint64(folds)).astype(np.int32)


def fit_statistics(events: pl.DataFrame | pl.LazyFrame, settings: FeatureSettings) -> Statistics:
    """Fit the statistics on all events.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS, in any order of rows.
        settings: Strength of the priors, number of passes.

    Raises:
        ModelError: There is no event.
    """
    encoded = encode(events)
    return _fit(encoded, _shared(encoded), np.ones(len(encoded.learners), np.bool_), settings)


def out_of_fold(
    events: pl.DataFrame | pl.LazyFrame, settings: FeatureSettings, *, folds: int, seed: int, threads: int | None = None
) -> OutOfFold:
    """Fit `folds` statistics, each without a fold of learners.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS, in any order of rows.
        settings: As for `fit_statistics`.
        folds: Number of folds, at least 2.
        seed: Seed of the assignment of learners to folds.
        threads: Folds fitted at once; default as many as polars uses threads. Does not change the result.

    Raises:
        ModelError: A fold leaves no learner to fit on.
    """
    encoded = encode(events)
    fold = learner_folds(encoded.learners, folds, seed)
    shared = _shared(encoded)
    with ThreadPoolExecutor(threads or pl.thread_pool_size()) as pool:
        parts = pool.map(lambda k: _fit(encoded, shared, fold != k, settings), range(folds))
        return OutOfFold(tuple(parts), seed, shared.sets)


def _digest(digest: "hashlib._Hash", column: pl.Series) -> None:
    if column.dtype == pl.List:
        digest.update(column.list.len().fill_null(0).to_numpy().tobytes())
        column = column.explode(empty_as_null=False)
    if column.dtype.is_numeric():
        digest.update(column.fill_null(0).to_numpy().tobytes())
        digest.update(column.is_null().cast(pl.UInt8).to_numpy().tobytes())
    else:
        digest.update("\x1e".join(column.to_list()).encode())


class _Shared(NamedTuple):
    """What is the same whoever is included.

    Attributes:
        order: Of the answers.
        sets: Distinct sets of skills, ascending.
        set_code: Position of each row's set [n].
        skill_learner: `Encoded.skill_learner`.
        skill_row: Row of each element of `Encoded.skill`.
    """

    order: Order
    sets: pl.Series
    set_code: Ints
    skill_learner: Ints32
    skill_row: Ints


def _shared(encoded: Encoded) -> _Shared:
    sets = _distinct_sets(encoded.skill_set)
    code = encoded.skill_set.cast(pl.Enum(sets)).to_physical().to_numpy().astype(np.int64)
    row = np.repeat(np.arange(encoded.height), np.diff(encoded.skill_offsets))
    return _Shared(order_of(encoded), sets, code, encoded.skill_learner, row)


def _fit(encoded: Encoded, shared: _Shared, included: npt.NDArray[np.bool_], settings: FeatureSettings) -> Statistics:
    if not encoded.height or not included.any():
        raise ModelError(
            f"No event is left to fit statistics on ({encoded.height} events, {int(included.sum())} learners kept)",
            fix="Give a longer window of days, or fewer folds.",
        )
    fitted = fit_difficulties(encoded, included, settings)
    behaviour = fit_behaviour(encoded, shared.order, included, fitted.items[:, 2].copy(), settings)
    # Last first: of repeated positions numpy keeps the last value.
    rows = np.flatnonzero(included[encoded.learner])[::-1]
    first_row = np.zeros(len(encoded.items), np.int64)
    first_row[encoded.item[rows]] = rows
    items = _frame(encoded.items.alias("item_id"), encoded, first_row, fitted.items)
    items = items.with_columns(
        skill_ids=_skill_names(encoded, first_row),
        log_response_time=pl.Series(fitted.log_response).fill_nan(None),
        factors=_lists(behaviour.item_factors),
        tendency=behaviour.tendency,
        discrimination=behaviour.discrimination,
        repeat_surprise=_lists(behaviour.repeats),
        repeat_events=_lists(behaviour.repeat_events),
        **_previous(behaviour.transitions, encoded.items),
    )
    skill_row = np.zeros(len(encoded.skills), np.int64)
    elements = np.flatnonzero(included[shared.skill_learner])[::-1]
    skill_row[encoded.skill[elements]] = shared.skill_row[elements]
    skills = _frame(encoded.skills.alias("skill_id"), encoded, skill_row, fitted.skills)
    skills = skills.with_columns(factors=_lists(behaviour.skill_factors))
    return Statistics(
        items=items.filter(pl.col("events") > 0).select(list(ITEM_COLUMNS)),
        skills=skills.filter(pl.col("events") > 0).select(list(SKILL_COLUMNS)),
        events=fitted.events,
        base_rate=fitted.base_rate,
        difficulty=fitted.difficulty,
        prior_sd=fitted.prior_sd,
        log_response_time=fitted.typical_log_response,
        skill_sets=shared.sets.filter(pl.Series(np.bincount(shared.set_code[rows], minlength=len(shared.sets)) > 0)),
    )


def skill_set_codes(statistics: Statistics | OutOfFold, sets: pl.Series) -> Floats:
    """Code of each set of skills, float64 [n]; NaN where the statistics know no such set."""
    sets_known = statistics.skill_sets
    known = pl.DataFrame({"skill_set": sets_known, "code": np.arange(len(sets_known), dtype=np.float64)})
    asked = sets.alias("skill_set").to_frame()
    return asked.join(known, on="skill_set", how="left", maintain_order="left")["code"].fill_null(np.nan).to_numpy()


def _distinct_sets(sets: pl.Series) -> pl.Series:
    return sets.unique().sort().alias("skill_set")


def _frame(names: pl.Series, encoded: Encoded, row: Ints, columns: Floats) -> pl.DataFrame:
    """Names, the subject of a row that has each, and events, wins, difficulty and its sd."""
    events, wins, difficulty, sd = columns.T
    return pl.DataFrame(
        {
            names.name: names,
            "subject": encoded.subjects[encoded.subject[row]],
            "events": pl.Series(events).cast(pl.Int64),
            "wins": pl.Series(wins).cast(pl.Int64),
            "difficulty": difficulty,
            "difficulty_sd": sd,
        }
    )


def _lists(values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> pl.Series:
    """The rows of an array as lists."""
    return pl.Series(values).arr.to_list()


def _previous(transitions: Transitions, names: pl.Series) -> dict[str, pl.Series]:
    """The transitions to each item, by code, as lists."""
    flat = pl.DataFrame(
        {
            "item": transitions.item,
            "previous": names[transitions.previous],
            "previous_events": transitions.events,
            "previous_surprise": transitions.residual[:, 0].copy(),
            "previous_surprise_wrong": transitions.residual[:, 1].copy(),
            "previous_surprise_right": transitions.residual[:, 2].copy(),
        }
    )
    lists = flat.group_by("item", maintain_order=True).agg(pl.all())
    items = pl.DataFrame({"item": np.arange(len(names))})
    joined = items.join(lists, on="item", how="left", maintain_order="left").drop("item")
    return {name: joined[name].fill_null(pl.Series([[]], dtype=joined[name].dtype)) for name in joined.columns}


def _skill_names(encoded: Encoded, row: Ints) -> pl.Series:
    """Skills of these rows, as lists of names."""
    counts = np.diff(encoded.skill_offsets)[row]
    element = np.repeat(encoded.skill_offsets[row] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    flat = pl.DataFrame(
        {"row": np.repeat(np.arange(len(row)), counts), "skill": encoded.skills[encoded.skill[element]]}
    )
    return flat.group_by("row", maintain_order=True).agg("skill")["skill"]
