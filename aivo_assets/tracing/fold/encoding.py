"""From frames of events to sorted integer arrays. Belongs here: order, codes and pairs; no state, no statistics."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.arrays import Floats, Ints, Ints32
from aivo_assets.errors import LakeError
from aivo_assets.tracing.fold.compiled import compiled
from aivo_assets.tracing.fold.schema import FEATURE_KEYS

_T = TypeVar("_T", bound=np.generic)
SET_SEPARATOR = "\x1f"  # between the names of skills that are taken as one
_NUMBERS = {"gap_s": pl.Int32, "hint_count": pl.Int32}


@dataclass(frozen=True)
class Pairs:
    """The distinct pairs of a learner and a key (subject, skill or item) among some rows.

    Attributes:
        position: int32, of each row's (or row's skill's) pair; -1 where there is no key.
        learner: Code of each pair's learner.
        key: Code of each pair's key.
    """

    position: Ints32
    learner: Ints32
    key: Ints32


@dataclass(frozen=True)
class Encoded:
    """Events sorted by learner, day and sequence, n rows; a code is a position in the sorted names.

    Attributes:
        keys: The columns of `FEATURE_KEYS` that there are.
        learners, subjects, skills, items: Distinct names, ascending.
        learner, subject, item: Codes [n]; -1 where there is no item.
        skill: Codes of all rows' skills; those of row i are at skill_offsets[i] : skill_offsets[i + 1], distinct.
        gap: Exact seconds since the learner's event before on that day; -1 for none.
    """

    keys: pl.DataFrame
    learners: pl.Series
    subjects: pl.Series
    skills: pl.Series
    items: pl.Series
    learner: Ints32
    subject: Ints32
    item: Ints32
    skill: Ints32
    skill_offsets: Ints
    time: Ints
    day: Ints32
    sequence: Ints32
    gap: Ints32
    correct: npt.NDArray[np.int8]
    log_response: Floats
    hints: Floats

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.learner)

    @property
    def skill_learner(self) -> Ints32:
        """Code of the learner of each element of `skill`."""
        return np.repeat(self.learner, np.diff(self.skill_offsets))

    def pairs(self, key: str) -> Pairs:
        """Distinct pairs of learner and `key`, which is "subjects", "skills" or "items"."""
        learner = self.skill_learner if key == "skills" else self.learner
        code, codes = {
            "subjects": (self.subject, len(self.subjects)),
            "skills": (self.skill, len(self.skills)),
            "items": (self.item, len(self.items)),
        }[key]
        position, first = _pair_up(learner, code, codes)
        return Pairs(position, learner[first], code[first])

    @cached_property
    def skill_set(self) -> pl.Series:
        """The skills of each row together, as one text [n]: names ascending."""
        if len(self.skill) == self.height:
            return self.skills[self.skill]
        row = np.repeat(np.arange(self.height), np.diff(self.skill_offsets))
        flat = pl.DataFrame({"row": row, "skill": self.skills[self.skill]})
        return flat.group_by("row", maintain_order=True).agg(pl.col("skill").str.join(SET_SEPARATOR))["skill"]

    def bounds(self, parts: int) -> list[int]:
        """Row numbers 0 = b0 ≤ b1 … = n that cut the rows into parts of similar size, between learners."""
        wanted = np.linspace(0, self.height, parts + 1).astype(np.int64)[1:-1]
        inner = np.searchsorted(self.learner, self.learner[wanted], side="left") if self.height else wanted
        return [0, *(int(cut) for cut in inner), self.height]


def encode(events: pl.DataFrame | pl.LazyFrame) -> Encoded:
    """Sort events and give every name a code.

    Args:
        events: Columns of ANONYMISED_INTERACTIONS, in any order of rows; of `FEATURE_KEYS`, `event`, `shard` and
            `response_time_ms` may be absent, as may `gap_s` and `hint_count`. A null item has code -1.

    Raises:
        LakeError: An event has no skill, or two of a learner's events have the same place in their order.
    """
    frame = _needed(events)
    learners, learner = _codes(frame["learner"])
    order = _order(frame, learner)
    if order is not None:
        frame, learner = frame[order], learner[order]
    subjects, subject = _codes(frame["subject"])
    items, item = _codes(frame["item_id"])
    skills, skill, offsets = _skills(frame)
    encoded = Encoded(
        keys=frame.select(name for name in FEATURE_KEYS if name in frame.columns),
        learners=learners,
        subjects=subjects,
        skills=skills,
        items=items,
        learner=learner,
        subject=subject,
        item=item,
        skill=skill,
        skill_offsets=offsets,
        time=_writable(frame["occurred_at"].dt.epoch("s").to_numpy()),
        day=_writable(frame["day"].to_physical().to_numpy()),
        sequence=_writable(frame["sequence"].to_numpy()),
        gap=_writable(frame["gap_s"].fill_null(-1).to_numpy()),
        correct=_writable(frame["correct"].to_numpy()),
        log_response=_log_response(frame),
        hints=_writable(frame["hint_count"].cast(pl.Float64).fill_null(np.nan).to_numpy()),
    )
    _refuse_same_place(encoded)
    return encoded


def text_hashes(texts: pl.Series, seed: int) -> npt.NDArray[np.uint64]:
    """A hash of each text and the seed, uint64 [n], the same on every machine.

    FNV-1a over the UTF-8 bytes, finished by the mixer of splitmix64 (Steele et al. 2014).
    """
    content = b"".join(text.encode() for text in texts.to_list())
    ends = np.cumsum(texts.str.len_bytes().to_numpy(), dtype=np.int64)
    return _hashed(np.frombuffer(content, np.uint8), ends, np.uint64(seed))


def _needed(events: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    lazy = events.lazy()
    present = lazy.collect_schema().names()
    absent = {name: dtype for name, dtype in _NUMBERS.items() if name not in present}
    wanted = [*(name for name in FEATURE_KEYS if name in present), "skill_ids", *_NUMBERS]
    return lazy.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in absent.items()).select(wanted).collect()


def _codes(names: pl.Series) -> tuple[pl.Series, Ints32]:
    distinct = names.drop_nulls().unique().sort()
    codes = names.cast(pl.Enum(distinct)).to_physical().cast(pl.Int32).fill_null(-1)
    return distinct, _writable(codes.to_numpy())


def _writable(array: npt.NDArray[_T]) -> npt.NDArray[_T]:
    """The array, or a copy: for what polars lends read-only, numba would compile everything a second time."""
    return np.require(array, requirements=["C", "W"])


def _order(frame: pl.DataFrame, learner: Ints32) -> Ints | None:
    """Positions that sort the rows, or None where they are in order already."""
    day, sequence = frame["day"].to_physical().to_numpy().astype(np.int64), frame["sequence"].to_numpy()
    if not len(day):
        return None
    days, places = int(day.max() - day.min()) + 1, int(sequence.max()) + 1
    place = (learner.astype(np.int64) * days + (day - day.min())) * places + sequence
    if np.all(place[1:] > place[:-1]):
        return None
    return pl.Series(place).arg_sort().cast(pl.Int64).to_numpy()


def _skills(frame: pl.DataFrame) -> tuple[pl.Series, Ints32, Ints]:
    counts = frame["skill_ids"].list.len().fill_null(0).to_numpy()
    if len(counts) and counts.min() == 0:
        row = frame.row(int(counts.argmin()), named=True)
        raise LakeError(
            f"The event of learner {row['learner']} on {row['day']}, sequence {row['sequence']}, has no skill",
            fix="Let an item without skills be its own skill, as the intake does.",
        )
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    names, codes = _codes(frame["skill_ids"].explode(empty_as_null=False))
    if offsets[-1] > len(counts):
        codes, offsets = _distinct(codes.copy(), offsets)
    return names, codes, offsets


def _log_response(frame: pl.DataFrame) -> Floats:
    """Ln of the response time in ms (at least 1), NaN where unknown."""
    if "response_time_ms" not in frame.columns:
        return np.full(frame.height, np.nan)
    known = frame["response_time_ms"].clip(lower_bound=1).cast(pl.Float64).log()
    return _writable(known.fill_null(np.nan).to_numpy())


def _refuse_same_place(encoded: Encoded) -> None:
    same = ((np.diff(encoded.learner) == 0) & (np.diff(encoded.day) == 0) & (np.diff(encoded.sequence) == 0)).nonzero()[
        0
    ]
    if len(same):
        row = encoded.keys.row(int(same[0]), named=True)
        raise LakeError(
            f"{len(same)} events share a place with another, the first: learner {row['learner']}, {row['day']}, "
            f"sequence {row['sequence']}",
            fix="Re-materialise that day of anonymised_interactions.",
        )


@compiled
def _pair_up(learner: Ints32, code: Ints32, codes: int) -> tuple[Ints32, Ints]:
    """Dense positions of the pairs (learner, code), in order of first occurrence.

    `learner` [n] must be grouped. Returns each element's position [n], -1 for a negative code, and the element at
    which each pair occurs first [pairs].
    """
    position = np.empty(len(code), np.int32)
    first = np.empty(len(code), np.int64)
    newest = np.full(codes, -1, np.int64)
    pairs = start = 0
    for i in range(len(code)):
        if i == 0 or learner[i] != learner[i - 1]:
            start = pairs  # pairs from here on are this learner's
        if code[i] < 0:
            position[i] = -1
            continue
        if newest[code[i]] < start:
            newest[code[i]] = pairs
            first[pairs] = i
            pairs += 1
        position[i] = newest[code[i]]
    return position, first[:pairs].copy()


@compiled
def _distinct(code: Ints32, offsets: Ints) -> tuple[Ints32, Ints]:
    """Sort each row's codes and drop repeated ones; in place, returns the shortened codes and the new offsets."""
    counts = np.zeros_like(offsets)
    end = 0
    for i in range(len(offsets) - 1):
        row = np.sort(code[offsets[i] : offsets[i + 1]])
        for s in range(len(row)):
            if s == 0 or row[s] != row[s - 1]:
                code[end] = row[s]
                end += 1
        counts[i + 1] = end
    return code[:end].copy(), counts


@compiled
def _hashed(content: npt.NDArray[np.uint8], ends: Ints, seed: np.uint64) -> npt.NDArray[np.uint64]:
    """Hash of each text, of which the bytes stand one after the other; text i ends before `ends[i]`."""
    out = np.empty(len(ends), np.uint64)
    start = 0
    for i in range(len(ends)):
        value = np.uint64(0xCBF29CE484222325) ^ seed
        for j in range(start, ends[i]):
            value = (value ^ np.uint64(content[j])) * np.uint64(0x100000001B3)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out[i] = value ^ (value >> np.uint64(31))
        start = ends[i]
    return out
