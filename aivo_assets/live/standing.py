"""Where a learner stands now. Belongs here: the state of the last check and the answers since; no advice, no endpoint.

The answers since go the way that the next check will send them: merged with the learner's day in the raw zone,
anonymised with the same key, then folded onto the stored state, or from nothing where a day that was folded is another
by now. So the state is, to the last bit, the one that the next check stores.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import polars as pl

from aivo_assets.errors import ServiceError
from aivo_assets.events.inbox import COLUMNS, Inbox
from aivo_assets.events.landing.order import merged
from aivo_assets.events.schema import RAW_INTERACTIONS, Event
from aivo_assets.lake import Lake
from aivo_assets.lake.shards import shard_of
from aivo_assets.privacy.anonymise import anonymise_interactions
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.features import fold, fold_version
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.students.state_changes import late_learners, new_events
from aivo_assets.tracing.students.state_store import Folded, StateStore
from aivo_assets.tracing.students.state_update import ANSWER_COLUMNS
from aivo_assets.tracing.students.student_models import Brain

MOST_IN_A_SHARD = 20_000
"""Learners of a shard whose states are kept in memory as a whole, about 5 kB each; of a larger one they are read one by
one."""
MOST_LEARNERS = 50_000
"""Learners whose stored state and raw day are kept in memory; the one asked for least lately goes first."""
_FRESH_SECONDS = 1.0
_NO_PART = ("", 0)
_Kept = TypeVar("_Kept")


@dataclass(frozen=True)
class LearnerNow:
    """A learner as of this moment.

    Attributes:
        learner: Pseudonym.
        states: Their folded state; empty for one of whom nothing is known.
        since: Answers that the last check did not know.
        checked: The newest day that the last check folded; None where there was none.
        states_version: Number of the commit of the states that it began with; None where there are none.
        unread: Why answers since the last check could not be read; empty where they could.
    """

    learner: str
    states: LearnerStates
    since: int
    checked: date | None
    states_version: int | None
    unread: str = ""


@dataclass(frozen=True)
class _Shard:
    """What is known of a shard for a second.

    Attributes:
        folded: What its states were folded from.
        changed: Of the newest days those whose answers are others than were folded.
    """

    folded: Folded | None
    changed: tuple[date, ...]


@dataclass
class Learners:
    """Where learners stand, by identifier of the source or by pseudonym.

    Attributes:
        settings: Of the platform.
        lake: Where states and answers are.
        key: Of the pseudonyms.
        inbox: Answers that are not landed; None where there is no database.
        clock: Seconds that only grow.
    """

    settings: Settings
    lake: Lake
    key: PseudonymKey
    inbox: Inbox | None
    clock: Callable[[], float]
    _store: StateStore = field(init=False)
    _shards: dict[int, tuple[float, _Shard]] = field(default_factory=dict, init=False)
    _days: dict[date, tuple[float, str | None]] = field(default_factory=dict, init=False)
    _small: dict[int, tuple[int, LearnerStates | None]] = field(default_factory=dict, init=False)
    _kept: OrderedDict[tuple[object, ...], object] = field(default_factory=OrderedDict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._store = StateStore(self.lake)

    def pseudonym(self, learner: str) -> str:
        """The pseudonym of an identifier of the source."""
        return str(pseudonyms(pl.Series([learner]), "learner", self.key)[0])

    def now(self, learner: str, brain: Brain) -> LearnerNow:
        """Where a learner stands.

        Args:
            learner: Pseudonym.
            brain: The champion.

        Raises:
            LakeError: The lake cannot be read.
        """
        shard_number = int(pl.select(shard_of(pl.lit(learner), self.lake.shards)).item())
        shard = self._shard(shard_number)
        pending, unread = self._pending(learner)
        base = self._base(shard_number, shard, learner, brain)
        days = set(shard.changed) | set(pending["occurred_at"].dt.date())
        events = self._events(learner, shard_number, days, pending)
        states, since = self._folded(shard_number, base, events, days, learner, brain)
        folded = shard.folded
        return LearnerNow(
            learner, states, since, None if folded is None else folded.last_day,
            None if folded is None else folded.sequence, unread,
        )  # fmt: skip

    def _pending(self, learner: str) -> tuple[pl.DataFrame, str]:
        nothing = pl.DataFrame(schema={**Event.create_empty().schema, "order": pl.Int64})
        if self.inbox is None:
            return nothing, "No database is known to this service."
        try:
            return self.inbox.of_learner(learner), ""
        except ServiceError as error:
            return nothing, error.what

    def _shard(self, number: int) -> _Shard:
        kept = self._shards.get(number)
        if kept is not None and self.clock() - kept[0] < _FRESH_SECONDS:
            return kept[1]
        folded = self._store.folded(number)
        known = {} if folded is None else folded.parts
        newest = self.lake.newest_days(ANONYMISED_INTERACTIONS, 3)
        parts = {day: self._part(day, number) for day in newest}
        changed = tuple(day for day, part in parts.items() if part != known.get(day, _NO_PART))
        shard = _Shard(folded, changed)
        self._shards[number] = (self.clock(), shard)
        return shard

    def _part(self, day: date, number: int) -> tuple[str, int]:
        """Version and rows of a shard's part of a day, as the states note them."""
        manifest = self.lake.manifest(ANONYMISED_INTERACTIONS, day=day)
        for entry in () if manifest is None else manifest["files"]:
            folder, name = str(entry["path"]).split("/", 1)
            if folder == f"shard={number:04d}":
                return name.split("-", 1)[0].removesuffix(".parquet"), int(entry["rows"])
        return _NO_PART

    def _base(self, number: int, shard: _Shard, learner: str, brain: Brain) -> LearnerStates | None:
        """The stored state; None where it was folded by another champion, and so has to be folded from nothing."""
        folded = shard.folded
        if folded is None:
            return LearnerStates.empty()
        version = fold_version(brain.statistics, brain.fold_settings)
        if (folded.fold_version, folded.champion) != (version, brain.version):
            return None
        whole = self._whole_shard(number, folded.sequence)
        if whole is not None:
            return whole.between(learner, learner)
        return self._remember(
            ("state", learner, folded.sequence), lambda: self._store.read(number, pl.Series([learner]))
        )

    def _whole_shard(self, number: int, sequence: int) -> LearnerStates | None:
        """All states of a small shard, read once after each check; None of one that is too large to be kept."""
        with self._lock:
            kept = self._small.get(number)
            if kept is None or kept[0] != sequence:
                many = len(self._store.learners(number, ["learner"])) > MOST_IN_A_SHARD
                kept = (sequence, None if many else self._store.read(number))
                self._small[number] = kept
        return kept[1]

    def _events(self, learner: str, number: int, days: set[date], pending: pl.DataFrame) -> pl.DataFrame:
        """The learner's answers of some days, anonymised: whole days, with those that are not landed."""
        if pending.is_empty():
            return self._anonymised(learner, number, days)
        learner_id = str(pending["learner_id"][-1])
        held = pl.concat([self._raw_day(learner_id, day) for day in sorted(days)])
        of_day = []
        for day in sorted(days):
            before = held.filter(pl.col("occurred_at").dt.date() == day)
            sent = pending.filter(pl.col("occurred_at").dt.date() == day)
            new = sent.join(before, on="event_id", how="anti", maintain_order="left")
            again = sent.join(before, on="event_id", how="semi").select("event_id", "order")
            of_day.append(merged(before, new, again))
        whole = pl.concat(of_day).select(COLUMNS)
        return anonymise_interactions(whole, self.key, self.settings.privacy, self.lake.shards)

    def _anonymised(self, learner: str, number: int, days: set[date]) -> pl.DataFrame:
        if not days:
            return ANONYMISED_INTERACTIONS.empty()
        scan = self.lake.scan(ANONYMISED_INTERACTIONS, days=sorted(days), shards=[number])
        return scan.filter(pl.col("learner") == learner).collect()

    def _raw_day(self, learner_id: str, day: date) -> pl.DataFrame:
        version = self._raw_version(day)
        if version is None:
            return RAW_INTERACTIONS.empty()
        return self._remember(
            ("raw", learner_id, day, version),
            lambda: self.lake.scan(RAW_INTERACTIONS, days=[day]).filter(pl.col("learner_id") == learner_id).collect(),
        )

    def _raw_version(self, day: date) -> str | None:
        kept = self._days.get(day)
        if kept is None or self.clock() - kept[0] >= _FRESH_SECONDS:
            manifest = self.lake.manifest(RAW_INTERACTIONS, day=day)
            kept = (self.clock(), None if manifest is None else str(manifest["version"]))
            self._days[day] = kept
        return kept[1]

    def _folded(
        self,
        number: int,
        base: LearnerStates | None,
        events: pl.DataFrame,
        days: set[date],
        learner: str,
        brain: Brain,
    ) -> tuple[LearnerStates, int]:
        """The state after all answers, and how many of them the stored one did not know."""
        if base is not None and events.is_empty():
            return base, 0
        if base is not None and not len(late_learners(events, base)):
            new = new_events(events, base).select(ANSWER_COLUMNS)
            if new.is_empty():
                return base, 0
            return fold(new, brain.statistics, base, brain.fold_settings, threads=1).states, new.height
        past = self.lake.scan(ANONYMISED_INTERACTIONS, shards=[number]).filter(
            (pl.col("learner") == learner) & ~pl.col("day").is_in(sorted(days))
        )
        whole = pl.concat([past.select(ANSWER_COLUMNS).collect(), events.select(ANSWER_COLUMNS)])
        states = fold(whole, brain.statistics, None, brain.fold_settings, threads=1).states
        known = 0 if base is None or base.learners.is_empty() else int(base.learners["events"][0])
        return states, max(whole.height - known, 0)

    def _remember(self, what: tuple[object, ...], make: Callable[[], _Kept]) -> _Kept:
        with self._lock:
            if what in self._kept:
                self._kept.move_to_end(what)
                return self._kept[what]  # type: ignore[return-value]
        made = make()
        with self._lock:
            self._kept[what] = made
            while len(self._kept) > 2 * MOST_LEARNERS:
                self._kept.popitem(last=False)
        return made
