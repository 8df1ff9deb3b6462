"""Shapes of knowledge tracing: the feature table and the datasets of states and student models. No computation here.

The order of the features is fixed by `layout.Feature`; what each means is said in `catalogue`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.lake import Dataset

_TIME = pl.Datetime("us", "UTC")

FEATURE_KEYS: dict[str, pl.DataType | type[pl.DataType]] = {
    "event": pl.String,
    "learner": pl.String,
    "shard": pl.Int32,
    "day": pl.Date,
    "sequence": pl.Int32,
    "occurred_at": _TIME,
    "item_id": pl.String,
    "subject": pl.String,
    "correct": pl.Int8,
    "response_time_ms": pl.Int64,
}


@dataclass(frozen=True)
class FeatureSchema:
    """What a row of features means, so that a model can refuse a table of another meaning.

    Attributes:
        names: Feature names in column order.
        hash: Hash of the names, of the fold's version and of every setting that changes a feature's value.
    """

    names: tuple[str, ...]
    hash: str


@dataclass(frozen=True)
class FeatureTable:
    """One row of features per event (or per hypothetical event).

    Attributes:
        keys: Columns of `FEATURE_KEYS`, height n: what each row is about. For hypothetical events (`query`): the
            columns of the queries instead.
        values: float32 [n, F], NaN where unknown; row i belongs to row i of `keys`.
        schema: Names of the F columns, and their hash.
    """

    keys: pl.DataFrame
    values: npt.NDArray[np.float32]
    schema: FeatureSchema

    def __post_init__(self) -> None:
        if self.values.shape != (self.keys.height, len(self.schema.names)):
            raise ValueError(
                f"values {self.values.shape} do not match {self.keys.height} keys x {len(self.schema.names)} names"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Feature names in column order."""
        return self.schema.names

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.keys.height

    @property
    def target(self) -> npt.NDArray[np.float64]:
        """The answers, float64 [n], 0 or 1."""
        return self.keys["correct"].cast(pl.Float64).to_numpy()

    def column(self, name: str) -> npt.NDArray[np.float32]:
        """One feature by name, float32 [n].

        Raises:
            KeyError: There is no such feature.
        """
        if name not in self.schema.names:
            raise KeyError(f"no feature {name!r}; there are {', '.join(self.schema.names)}")
        return self.values[:, self.schema.names.index(name)]

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> "FeatureTable":
        """The rows at these positions, or where a mask is true, in that order."""
        positions = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return FeatureTable(self.keys[positions], self.values[positions], self.schema)


_RESIDUALS = {f"residual_{place}": pl.Float64 for place in range(1, 5)}  # in the order of settings.half_lives

# What the fold keeps of a learner. `last_outcomes`: up to four answers as bits, newest lowest, below a leading 1.
STATES_LEARNERS = Dataset(
    "states/learners",
    {
        "learner": pl.String,
        "shard": pl.Int32,
        "fold_version": pl.String,  # statistics and settings that made the state; another fold refuses it
        "last_day": pl.Date,
        "last_sequence": pl.Int32,
        "first_event_at": _TIME,
        "last_event_at": _TIME,
        "events": pl.Int64,
        "wins": pl.Int64,
        **_RESIDUALS,
        "ability": pl.Float64,  # logit, mean of the filter just after the last event
        "ability_variance": pl.Float64,
        "streak": pl.Int64,  # answers of one kind in a row: right > 0, wrong < 0
        "last_outcomes": pl.Int64,
        "pace": pl.Float64,  # weighted sum of log response time beyond the item's typical
        "pace_weight": pl.Float64,
        "last_pace": pl.Float64,
        "hints": pl.Float64,  # weighted sum of "a hint was taken"
        "hints_weight": pl.Float64,
        "last_hints": pl.Float64,
        "last_difficulty": pl.Float64,
        "session_started_at": _TIME,
        "session_events": pl.Int64,
        "today_events": pl.Int64,  # on `last_day`
        "last_item": pl.String,
        "factor_ability": pl.Float64,  # logit, moved together with the factors
        **{f"factor_{place}": pl.Float64 for place in range(1, 9)},
        "days": pl.List(pl.Date),  # every day with events, ascending …
        "day_events": pl.List(pl.Int32),  # … how many were folded …
        "day_marks": pl.List(pl.UInt64),  # … and which, as one number: tells another past from the one that was folded
    },
    unit="layers",
)

STATES_SUBJECTS = Dataset(
    "states/subjects",
    {
        "learner": pl.String,
        "subject": pl.String,
        "shard": pl.Int32,
        "events": pl.Int64,
        "wins": pl.Int64,
        **_RESIDUALS,
        "offset": pl.Float64,  # logit, beside the learner's ability
        "offset_variance": pl.Float64,
        "streak": pl.Int64,
        "last_outcomes": pl.Int64,
        "last_event_at": _TIME,
        "last_index": pl.Int64,  # place of that event among all of the learner's, from 0
        "last_hints": pl.Float64,
    },
    unit="layers",
)

_PAIR = {name: dtype for name, dtype in STATES_SUBJECTS.schema.items() if name not in ("learner", "subject", "shard")}

STATES_SKILLS = Dataset(
    "states/skills",
    {"learner": pl.String, "skill_id": pl.String, "shard": pl.Int32, "subject": pl.String, **_PAIR},
    unit="layers",
)

STATES_ITEMS = Dataset(
    "states/items",
    {
        "learner": pl.String,
        "item_id": pl.String,
        "shard": pl.Int32,
        **{name: dtype for name, dtype in _PAIR.items() if not name.startswith("offset")},
    },
    unit="layers",
)

STUDENT_MODELS = Dataset(
    "student_models/learners",
    {
        "learner": pl.String,
        "shard": pl.Int32,
        "day": pl.Date,
        "events": pl.Int64,
        "ability": pl.Float64,
        "ability_sd": pl.Float64,
        "ability_lower": pl.Float64,
        "ability_upper": pl.Float64,
        "last_event_at": _TIME,
        "model_version": pl.String,
    },
    unit="day",
    sharded=True,
)

SKILL_MASTERY = Dataset(
    "student_models/skills",
    {
        "learner": pl.String,
        "shard": pl.Int32,
        "day": pl.Date,
        "subject": pl.String,
        "skill_id": pl.String,
        "opportunities": pl.Int64,
        "wins": pl.Int64,
        "mastery": pl.Float64,
        "mastery_sd": pl.Float64,
        "mastery_lower": pl.Float64,
        "mastery_upper": pl.Float64,
        "last_practised_at": _TIME,
        "level_probabilities": pl.List(pl.Float32),  # P(success) at levels 1 … 10
        "level": pl.Int8,  # at which the learner is to work, 1 … 10, as recommended; null where nothing is in force
        "plan": pl.String,  # what they are on: practice, remediation, enrichment, change_approach
        "success_at_level": pl.Float64,  # P(success) at that level
        "model_version": pl.String,
    },
    unit="day",
    sharded=True,
)
