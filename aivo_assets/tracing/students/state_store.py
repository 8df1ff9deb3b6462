"""Where the folded states are kept. Belongs here: reading and committing states by shard, in layers; no folding.

The four frames of a shard come into force in one commit, together with what they were folded from: the parts of the
days (`Folded`). So the states always say themselves which events they have seen.

There are the present states, which only go forward, and beside them those as of the past day that was asked for last.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256

import polars as pl

from aivo_assets.lake import Lake, Layered, Layers
from aivo_assets.lake.commits.layers import StagedShard, between
from aivo_assets.tracing.fold.schema import STATES_ITEMS, STATES_LEARNERS, STATES_SKILLS, STATES_SUBJECTS
from aivo_assets.tracing.fold.states import LearnerStates

STATES = Layered(
    "states",
    {
        "learners": (STATES_LEARNERS, ("learner",)),
        "subjects": (STATES_SUBJECTS, ("learner", "subject")),
        "skills": (STATES_SKILLS, ("learner", "skill_id")),
        "items": (STATES_ITEMS, ("learner", "item_id")),
    },
)
PAST_STATES = Layered("past_states", STATES.frames)
LAYERED = (STATES, PAST_STATES)
"""All that is kept in layers."""
Parts = Mapping[date, tuple[str, int]]
"""Version and rows of each day's part of a shard."""


@dataclass(frozen=True)
class Folded:
    """What the states of a shard were folded from.

    Attributes:
        fold_version: Statistics and settings that folded.
        champion: Version whose statistics they are.
        parts: The events.
        sequence: Commits so far that changed states.
    """

    fold_version: str
    champion: str
    parts: Parts
    sequence: int = 0

    @property
    def events(self) -> int:
        """Events of all parts."""
        return rows_of(self.parts)

    @property
    def last_day(self) -> date | None:
        """The newest day that was folded; None where there was no event."""
        return max(self.parts, default=None)


def rows_of(parts: Parts) -> int:
    """Events of all parts."""
    return sum(rows for _, rows in parts.values())


class StateStore:
    """The states of all learners of a lake.

    Args:
        lake: Where.
        layered: The present states, or those of a past day.
    """

    def __init__(self, lake: Lake, layered: Layered = STATES) -> None:
        self._layers, self.layered = Layers(lake, layered), layered

    @property
    def is_past(self) -> bool:
        """Whether these are the states of a past day."""
        return self.layered.path == PAST_STATES.path  # also of a store that came from another process

    def folded(self, shard: int) -> Folded | None:
        """What a shard's states were folded from; None where there are none."""
        layered = self._layers.shard(shard)
        if layered is None:
            return None
        notes = layered.notes
        parts = {date.fromisoformat(day): (str(part), int(rows)) for day, (part, rows) in notes["parts"].items()}
        return Folded(notes["fold_version"], notes["champion"], parts, layered.sequence)

    def read(self, shard: int, learners: pl.Series | None = None, *, items: bool = True) -> LearnerStates:
        """States of a shard.

        Args:
            shard: Which.
            learners: Of these; None: of all. Who has none is left out.
            items: Whether those with items are wanted; they are most of the rows, and only a fold reads them.
        """
        return self._read(shard, None if learners is None else _among("learner", learners), items=items)

    def known(self, shard: int, learners: pl.Series) -> LearnerStates:
        """These learners' own rows, without their pairs."""
        layered = self._layers.shard(shard)
        if layered is None:
            return LearnerStates.empty()
        rows = self._layers.read(layered, "learners", _among("learner", learners))
        return replace(LearnerStates.empty(), learners=rows)

    def touched(self, shard: int, known: LearnerStates, events: pl.DataFrame) -> LearnerStates:
        """What a fold of these events reads and writes of known learners: their own rows, and the pairs that occur."""
        layered = self._layers.shard(shard)
        names = events["learner"].unique()
        learners = known.of(names).learners
        if layered is None or learners.is_empty():
            return replace(LearnerStates.empty(), learners=learners)
        pairs = {
            "subjects": events.select("learner", "subject"),
            "skills": events.select("learner", skill_id="skill_ids").explode("skill_id"),
            "items": events.select("learner", "item_id").drop_nulls(),
        }
        frames = {}
        for name, keys in pairs.items():
            key = keys.columns[1]
            rows = self._layers.read(layered, name, _among("learner", learners["learner"]) & _among(key, keys[key]))
            frames[name] = rows.join(keys.unique(), on=["learner", key], how="semi", maintain_order="left")
        return LearnerStates(learners, **frames)

    def parted(self, shard: int, ranges: Sequence[tuple[str, str]]) -> Iterator[LearnerStates]:
        """All states of a shard, parted at the beginnings of these ranges of learners."""
        for where in between(ranges, "learner"):
            yield self._read(shard, where, items=True)

    def blocks(self, shard: int, *, items: bool = True) -> Iterator[LearnerStates]:
        """All states of a shard, some learners after the others, so that memory stays bounded."""
        layered = self._layers.shard(shard)
        for where in between(layered.layers[0].ranges, "learner") if layered else ():
            yield self._read(shard, where, items=items)

    def learners(self, shard: int, columns: Sequence[str]) -> pl.DataFrame:
        """Some columns of all learners of a shard, the learner among them."""
        layered = self._layers.shard(shard)
        if layered is None:
            return STATES_LEARNERS.empty().select(columns)
        return self._layers.read(layered, "learners", None, columns)

    def changed_since(self, shard: int, sequence: int) -> pl.Series | None:
        """Learners, ascending, whose states commits after `sequence` changed; None: perhaps all."""
        layered = self._layers.shard(shard)
        return None if layered is None else self._layers.changed_since(layered, sequence)

    def stage(
        self, shard: int, layers: Iterable[tuple[LearnerStates, pl.Series | None]], folded: Folded, *, onto: int
    ) -> StagedShard:
        """Write states that were continued from a commit, and those of learners (given) who were rebuilt from nothing.

        Raises:
            ConflictError: Another run has committed since.
        """
        rows = [(_frames(states), remade) for states, remade in layers]
        return self._layers.stage(shard, rows, _notes(folded), onto=onto)

    def stage_all(self, shard: int, parts: Iterable[LearnerStates], folded: Folded) -> StagedShard:
        """Write all states of a shard again; the parts follow each other in the order of the learners."""
        return self._layers.stage_base(shard, (_frames(states) for states in parts), _notes(folded))

    def commit(self, staged: StagedShard) -> None:
        """Bring staged states into force.

        Raises:
            ConflictError: Another run has committed since they were made.
        """
        self._layers.commit(staged)

    def version(self, shards: int) -> str:
        """Hash of what all states were folded from; states of equal versions are equal, however they came about."""
        made_of = [_notes(folded) for shard in range(shards) if (folded := self.folded(shard)) is not None]
        return sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]

    def compact(self, shard: int, until: int | None = None) -> None:
        """Merge the layers of a shard, or those of commits up to one; what is read stays the same."""
        self._layers.compact(shard, until)

    def overgrown(self, shards: int, *, share: float, most: int) -> int | None:
        """The shard whose layers have outgrown their base most, or None where none has."""
        worst: tuple[float, int] | None = None
        for number in range(shards):
            layered = self._layers.shard(number)
            if layered is None:
                continue
            base, *layers = layered.layers
            grown = max(sum(layer.bytes for layer in layers) / max(base.bytes, 1) / share, len(layers) / most)
            if grown > 1 and (worst is None or grown > worst[0]):
                worst = (grown, number)
        return None if worst is None else worst[1]

    def _read(self, shard: int, where: pl.Expr | None, *, items: bool) -> LearnerStates:
        layered = self._layers.shard(shard)
        if layered is None:
            return LearnerStates.empty()
        wanted = [name for name in STATES.frames if items or name != "items"]
        return replace(LearnerStates.empty(), **{name: self._layers.read(layered, name, where) for name in wanted})


def states_as_of(lake: Lake, day: date, *, present: bool = True) -> StateStore:
    """The states as of a day: the present ones, unless they know answers after it; then those of a past day.

    Args:
        lake: Where they are.
        day: As of which day.
        present: Whether they are wanted as the champion folds them that serves now; an earlier one folds a past day's.
    """
    store = StateStore(lake)
    folded = [state for shard in range(lake.shards) if (state := store.folded(shard)) is not None] if present else []
    ahead = any(state.last_day is not None and state.last_day > day for state in folded)
    return StateStore(lake, PAST_STATES) if ahead or not present else store


def _among(column: str, names: pl.Series) -> pl.Expr:
    return pl.col(column).is_in(names.unique().implode())


def _frames(states: LearnerStates) -> dict[str, pl.DataFrame]:
    return {name: getattr(states, name) for name in STATES.frames}


def _notes(folded: Folded) -> dict[str, object]:
    return {
        "fold_version": folded.fold_version,
        "champion": folded.champion,
        "parts": {day.isoformat(): list(part) for day, part in sorted(folded.parts.items())},
    }
