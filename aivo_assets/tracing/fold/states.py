"""The folded states as frames and as arrays. Belongs here: choosing and joining them; no recurrence, no late events.

A state is all that the fold remembers of a learner: a row for the learner, and one for each of their subjects, skills
and items.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.arrays import Floats, Ints
from aivo_assets.errors import ModelError
from aivo_assets.lake import Dataset
from aivo_assets.tracing.fold.encoding import Encoded, Pairs, text_hashes
from aivo_assets.tracing.fold.layout import Own, Pair, State
from aivo_assets.tracing.fold.schema import STATES_ITEMS, STATES_LEARNERS, STATES_SKILLS, STATES_SUBJECTS

KINDS: Mapping[str, tuple[Dataset, str]] = {
    "subjects": (STATES_SUBJECTS, "subject"),
    "skills": (STATES_SKILLS, "skill_id"),
    "items": (STATES_ITEMS, "item_id"),
}
_INSTANTS = {"first_event_at": "first_at", "last_event_at": "last_at", "session_started_at": "session_at"}


@dataclass(frozen=True)
class LearnerStates:
    """The states of some learners.

    Attributes:
        learners: STATES_LEARNERS, ascending by learner.
        subjects: STATES_SUBJECTS, ascending by learner, subject.
        skills: STATES_SKILLS, ascending by learner, skill_id.
        items: STATES_ITEMS, ascending by learner, item_id.
    """

    learners: pl.DataFrame
    subjects: pl.DataFrame
    skills: pl.DataFrame
    items: pl.DataFrame

    @classmethod
    def empty(cls) -> "LearnerStates":
        """States of nobody."""
        return cls(STATES_LEARNERS.empty(), STATES_SUBJECTS.empty(), STATES_SKILLS.empty(), STATES_ITEMS.empty())

    @classmethod
    def concat(cls, parts: list["LearnerStates"]) -> "LearnerStates":
        """States of the learners of all parts, who must be different ones."""
        parts = parts or [cls.empty()]
        joined = {name: pl.concat([frame for part in parts for frame in [getattr(part, name)]]) for name in FRAMES}
        return cls(**{name: frame.sort(_order(name)) for name, frame in joined.items()})

    def of(self, learners: pl.Series) -> "LearnerStates":
        """The states of these learners only."""
        chosen = learners.unique().alias("learner").to_frame()
        return LearnerStates(
            **{
                name: getattr(self, name).join(chosen, on="learner", how="semi", maintain_order="left")
                for name in FRAMES
            }
        )

    def without(self, learners: pl.Series) -> "LearnerStates":
        """The states of all but these learners."""
        chosen = learners.unique().alias("learner").to_frame()
        return LearnerStates(
            **{
                name: getattr(self, name).join(chosen, on="learner", how="anti", maintain_order="left")
                for name in FRAMES
            }
        )

    def between(self, first: str, last: str) -> "LearnerStates":
        """The states of the learners from first to last, both included, by binary search."""
        parts = {}
        for name in FRAMES:
            learner = getattr(self, name)["learner"]
            start, stop = (
                int(learner.search_sorted(end, side=side)) for end, side in ((first, "left"), (last, "right"))
            )
            parts[name] = getattr(self, name)[start:stop]
        return LearnerStates(**parts)

    def equals(self, other: "LearnerStates") -> bool:
        """Whether both hold the same, to the last bit."""
        return all(getattr(self, name).equals(getattr(other, name)) for name in FRAMES)


EVENT_SEED = 0
FRAMES = ("learners", "subjects", "skills", "items")


def _order(name: str) -> list[str]:
    return ["learner"] if name == "learners" else ["learner", KINDS[name][1]]


@dataclass(frozen=True)
class Workspace:
    """The states of a batch's learners as arrays that the kernel changes in place.

    Attributes:
        encoded: The batch.
        pairs: Its pairs by kind.
        state: The arrays, one row a learner or pair of the batch. The items have one blank row more, the last, for
            "no item".
        before: The states from which the arrays were filled.
        fold_version: What folds.
        item_names: Names by code: the batch's items, then others that its learners answered last before it.
    """

    encoded: Encoded
    pairs: dict[str, Pairs]
    state: State
    before: LearnerStates
    fold_version: str
    item_names: pl.Series

    @cached_property
    def states(self) -> LearnerStates:
        """All states as frames: those of the batch as they stand in the arrays now, the others as before."""
        return LearnerStates(
            learners=self._learners(),
            **{name: self._of_pairs(name) for name in KINDS},
        )

    def _learners(self) -> pl.DataFrame:
        encoded, own = self.encoded, self.state.learners
        codes = np.arange(len(encoded.learners))
        days = _days(encoded, self.before.learners)
        shards = _shards(encoded)
        frame = pl.DataFrame(
            {"learner": encoded.learners, "shard": shards, "fold_version": [self.fold_version] * len(codes)},
            schema_overrides={"fold_version": pl.String},
        ).with_columns(_columns(own, Own, STATES_LEARNERS))
        frame = frame.join(days, on="learner", how="left", maintain_order="left")
        last = own[:, Own.last_item].astype(np.int64)
        names = (
            self.item_names[np.maximum(last, 0)]
            if len(self.item_names)
            else pl.Series([None] * len(last), dtype=pl.String)
        )
        frame = frame.with_columns(last_item=pl.when(pl.Series(last >= 0)).then(names))
        frame = frame.select(_cast(STATES_LEARNERS))
        return _replaced(self.before.learners, frame, ["learner"])

    def _of_pairs(self, name: str) -> pl.DataFrame:
        dataset, key = KINDS[name]
        pairs, names = self.pairs[name], getattr(self.encoded, name)
        array: Floats = getattr(self.state, name)
        order = np.lexsort((pairs.key, pairs.learner))
        learner, code = pairs.learner[order], pairs.key[order]
        frame = pl.DataFrame(
            {
                "learner": self.encoded.learners[learner],
                key: names[code],
                "shard": _shards(self.encoded)[learner],
            }
        ).with_columns(_columns(array[order], Pair, dataset))
        if name == "skills":
            frame = frame.with_columns(self._subject_of_skills()[order])
        return _replaced(getattr(self.before, name), frame.select(_cast(dataset)), ["learner", key])

    def _subject_of_skills(self) -> pl.Series:
        """The subject in which each pair of learner and skill was last practised."""
        encoded = self.encoded
        last = np.zeros(len(self.pairs["skills"].learner), np.int64)
        # Of repeated positions numpy keeps the last value.
        last[self.pairs["skills"].position] = np.repeat(encoded.subject, np.diff(encoded.skill_offsets))
        return encoded.subjects[last].alias("subject")


def open_workspace(encoded: Encoded, before: LearnerStates, prior: Floats, fold_version: str) -> Workspace:
    """Gather the states of a batch's learners into arrays; who has none begins from the prior.

    Args:
        encoded: The batch.
        before: States, of these learners and any others.
        prior: Variances of ability, subject and skill, float64 [3].
        fold_version: What is about to fold.

    Raises:
        ModelError: A learner's state was folded with other statistics or settings.
    """
    known = _of_codes(before.learners, {"learner": encoded.learners})
    _refuse_other_fold(known, fold_version)
    own = np.zeros((len(encoded.learners), len(Own)))
    own[:, Own.ability_variance] = prior[0]
    own[:, [Own.last_pace, Own.last_hints, Own.last_difficulty]] = np.nan
    own[:, Own.last_item] = -1.0
    names = _item_names(encoded, known)
    _fill(own, known["_learner"].to_numpy(), known.with_columns(_item_codes(known["last_item"], names)), Own)
    pairs = {name: encoded.pairs(name) for name in KINDS}
    arrays = {}
    for kind, (name, (_, key)) in enumerate(KINDS.items(), start=1):
        array = np.zeros((len(pairs[name].learner) + (name == "items"), len(Pair)))
        array[:, Pair.offset_variance] = prior[kind] if kind < len(prior) else 0.0
        array[:, Pair.last_hints] = np.nan
        coded = _of_codes(getattr(before, name), {"learner": encoded.learners, key: getattr(encoded, name)})
        place = pl.DataFrame({"_learner": pairs[name].learner, f"_{key}": pairs[name].key}).with_row_index("_place")
        placed = coded.join(place, on=["_learner", f"_{key}"], how="inner")
        _fill(array, placed["_place"].to_numpy(), placed, Pair)
        arrays[name] = array
    return Workspace(encoded, pairs, State(learners=own, **arrays), before, fold_version, names)


def _item_names(encoded: Encoded, known: pl.DataFrame) -> pl.Series:
    others = known["last_item"].drop_nulls().unique().sort()
    return pl.concat([encoded.items, others.filter(~others.is_in(encoded.items.implode()))])


def _item_codes(last: pl.Series, names: pl.Series) -> pl.Series:
    """Position of each name, -1 for null."""
    return last.cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(-1).alias("last_item")


def _of_codes(frame: pl.DataFrame, names: dict[str, pl.Series]) -> pl.DataFrame:
    """The rows whose names all occur in the batch, with their codes as `_name`."""
    for name, known in names.items():
        code = pl.col(name).cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int32).alias(f"_{name}")
        frame = frame.with_columns(code).filter(pl.col(f"_{name}").is_not_null())
    return frame


def _refuse_other_fold(known: pl.DataFrame, fold_version: str) -> None:
    other = known.filter(pl.col("fold_version") != fold_version)
    if other.height:
        raise ModelError(
            f"{other.height} states, the first of learner {other['learner'][0]}, were folded by "
            f"{other['fold_version'][0]}, and {fold_version} cannot continue them",
            fix="Rebuild the states with the present statistics and settings (job weekly_full_retraining).",
        )


def refuse_late(encoded: Encoded, before: LearnerStates) -> None:
    """Refuse a batch with events that do not lie after their learner's state.

    Raises:
        ModelError: There is one; the message names the first learner.
    """
    known = _of_codes(before.learners, {"learner": encoded.learners})
    first = np.searchsorted(encoded.learner, known["_learner"].to_numpy())
    day, sequence = pl.Series(encoded.day[first]).cast(pl.Date), pl.Series(encoded.sequence[first])
    late = known.filter((day < known["last_day"]) | ((day == known["last_day"]) & (sequence <= known["last_sequence"])))
    if late.height:
        raise ModelError(
            f"{late.height} learners, the first {late['learner'][0]}, have events before or at the last one folded "
            f"({late['last_day'][0]}, sequence {late['last_sequence'][0]})",
            fix="Fold new events only, and rebuild who has late ones (`state_changes`).",
        )


def _source(column: str) -> str:
    return _INSTANTS.get(column, column)


def _fill(array: Floats, place: npt.NDArray[np.integer], frame: pl.DataFrame, layout: type[IntEnum]) -> None:
    """Write a frame's columns to their places in the array."""
    for column in frame.columns:
        if _source(column) in layout.__members__:
            series = frame[column]
            if series.dtype.is_temporal():
                series = series.dt.epoch("s" if column in _INSTANTS else "d")
            array[place, layout[_source(column)]] = series.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _columns(array: Floats, layout: type[IntEnum], dataset: Dataset) -> list[pl.Series]:
    return [
        pl.Series(column, array[:, layout[_source(column)]])
        for column in dataset.schema
        if _source(column) in layout.__members__
    ]


def _cast(dataset: Dataset) -> list[pl.Expr]:
    """Array columns to the dataset's dtypes; NaN is null in a whole number or an instant."""
    chosen = []
    for column, dtype in dataset.schema.items():
        value = pl.col(column)
        if column in _INSTANTS:
            value = (value.cast(pl.Int64) * 1_000_000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        elif column == "last_day":
            value = value.cast(pl.Int32)
        chosen.append(value.cast(dtype))
    return chosen


def _replaced(before: pl.DataFrame, after: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    if before.is_empty():
        return after
    unchanged = before.join(after.select(keys), on=keys, how="anti")
    return pl.concat([unchanged, after]).sort(keys)


def event_marks(events: pl.Series) -> npt.NDArray[np.uint64]:
    """A number for each event pseudonym, uint64 [n]; those of a day, joined by xor, tell its events from others.

    Events without a pseudonym (simulated trials, whose past never changes) share one number.
    """
    return text_hashes(events.fill_null(""), EVENT_SEED)


def _shards(encoded: Encoded) -> pl.Series:
    """Shard of each learner by code; 0 where the events name none."""
    if "shard" not in encoded.keys.columns:
        return pl.repeat(0, len(encoded.learners), dtype=pl.Int32, eager=True)
    first: Ints = np.searchsorted(encoded.learner, np.arange(len(encoded.learners)))
    return encoded.keys["shard"][first]


def _days(encoded: Encoded, before: pl.DataFrame) -> pl.DataFrame:
    """learner, days, day_events, day_marks: of each learner of the batch, the days known before included."""
    changes = np.flatnonzero(np.diff(encoded.learner, prepend=-1) | np.diff(encoded.day, prepend=-1))
    named = "event" in encoded.keys.columns
    marks = event_marks(encoded.keys["event"]) if named else np.zeros(encoded.height, np.uint64)
    counted = pl.DataFrame(
        {
            "learner": encoded.learners[encoded.learner[changes]],
            "days": pl.Series(encoded.day[changes]).cast(pl.Date),
            "day_events": pl.Series(np.diff(changes, append=encoded.height)).cast(pl.Int32),
            "day_marks": np.bitwise_xor.reduceat(marks, changes) if len(changes) else marks,
        }
    )
    lists = ["days", "day_events", "day_marks"]
    known = before.select("learner", *lists).join(
        encoded.learners.alias("learner").to_frame(), on="learner", how="semi"
    )
    if known.height:
        both = pl.concat([known.explode(lists), counted]).group_by("learner", "days")
        summed = both.agg(pl.col("day_events").sum().cast(pl.Int32), pl.col("day_marks").bitwise_xor())
        counted = summed.sort("learner", "days")
    return counted.group_by("learner", maintain_order=True).agg(lists)
