"""Keeping the folded states up to date. Belongs here: which events are new or late, and what must be folded for them.

A shard's states say which parts of which days they have seen. What differs from the days as they are now is read, and
nothing else: events after a learner's state are folded onto it; a learner whose past changed is folded from nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Protocol

import polars as pl

from aivo_assets.lake import Lake
from aivo_assets.lake.commits.layers import StagedShard
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import fold, fold_version
from aivo_assets.tracing.fold.schema import FEATURE_KEYS, FeatureTable
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.fold.statistics import Statistics
from aivo_assets.tracing.students.state_changes import differing_learners, late_learners, new_events
from aivo_assets.tracing.students.state_store import Folded, Parts, StateStore

_READ = [*FEATURE_KEYS, "skill_ids", "gap_s", "hint_count"]


@dataclass(frozen=True)
class Folder:
    """What folds.

    Attributes:
        statistics: Of the champion.
        settings: Of the fold.
        champion: Its version.
        events_at_once: Events folded at once; learners stay whole.
    """

    statistics: Statistics
    settings: FeatureSettings
    champion: str
    events_at_once: int

    @cached_property
    def version(self) -> str:
        """What makes a state; see `fold_version`."""
        return fold_version(self.statistics, self.settings)

    def folded(self, parts: Parts) -> Folded:
        """That these parts were folded by this."""
        return Folded(self.version, self.champion, parts)


class FoldObserver(Protocol):
    """Who wants the features of what is folded, as they were before each answer."""

    def see(self, features: FeatureTable) -> None:
        """Is shown every event that is folded, some learners after the others."""

    def stage(self, remade: pl.Series | None) -> None:
        """Is told that all was shown and that the states are staged next.

        Args:
            remade: Learners, besides those continued, whose whole past was shown; None: everybody's was.
        """

    def commit(self) -> None:
        """Brings into force what it staged, before the states are.

        A run that ends between the two is followed by one that shows the same events again.
        """


@dataclass(frozen=True)
class Update:
    """What was done for a shard.

    Attributes:
        events: Events that were folded.
        learners: Learners whose states were written.
        late: Of them, those who were folded from nothing because their past had changed.
        whole: Why everybody was folded from nothing; None where not.
        compared: Learners whose stored states were compared with those folded from nothing.
        differing: Of them, those whose states were not the same to the last bit.
        staged: The states, which `StateStore.commit` brings into force; None where nothing is to be committed.
    """

    events: int = 0
    learners: int = 0
    late: int = 0
    whole: str | None = None
    compared: int = 0
    differing: int = 0
    staged: StagedShard | None = None


def stage_update(
    lake: Lake, store: StateStore, shard: int, parts: Parts, folder: Folder, observer: FoldObserver | None = None
) -> Update:
    """Fold what a shard's states have not seen of its present events, and stage the states that follow.

    Args:
        lake: Where the events are.
        store: Where the states are.
        shard: Which.
        parts: The shard's days up to the as-of day (`Lake.parts`).
        folder: What folds.
        observer: Is shown what is folded.

    Returns:
        What was done, to be committed; nothing where no part differs from what was folded.

    Raises:
        ConflictError: Another run committed states of the shard meanwhile; nothing was kept of this one's.
    """
    before = store.folded(shard)
    reason = reason_to_rebuild(before, parts, folder)
    if before is None or reason is not None:
        return stage_rebuild(lake, store, shard, parts, folder, observer, reason=reason or "")
    changed = sorted(day for day, part in parts.items() if before.parts.get(day) != part)
    if not changed:
        return Update()
    events = lake.scan(ANONYMISED_INTERACTIONS, days=changed, shards=[shard]).select(_READ).collect()
    known = store.known(shard, events["learner"])
    late = _changed_pasts(store, shard, events, known, before, changed)
    new = new_events(events, known).filter(~pl.col("learner").is_in(late.implode()))
    layers: list[tuple[LearnerStates, pl.Series | None]] = []
    done = Update(late=len(late))
    for first, last in cut(_counted(new), folder.events_at_once):
        batch = new.filter(_within(first, last))
        folded = fold(batch, folder.statistics, store.touched(shard, known, batch), folder.settings)
        if observer is not None:
            observer.see(folded.features)
        layers.append((folded.states, None))
        done = _plus(done, batch, folded.states)
    for learners, history in _histories(lake, store, shard, late, parts, changed, folder.events_at_once):
        folded = fold(history, folder.statistics, None, folder.settings)
        if observer is not None:
            observer.see(folded.features)
        layers.append((folded.states, learners))
        done = _plus(done, history, folded.states)
    if observer is not None:
        observer.stage(late)
    return replace(done, staged=store.stage(shard, layers, folder.folded(parts), onto=before.sequence))


def stage_rebuild(
    lake: Lake,
    store: StateStore,
    shard: int,
    parts: Parts,
    folder: Folder,
    observer: FoldObserver | None = None,
    *,
    reason: str,
) -> Update:
    """Fold a shard from nothing and stage that in the place of its states, learner by learner within bounded memory.

    Args:
        lake: As for `stage_update`.
        store: As for `stage_update`.
        shard: As for `stage_update`.
        parts: As for `stage_update`.
        folder: As for `stage_update`.
        observer: As for `stage_update`.
        reason: Why.
    """
    counts = {"events": 0, "learners": 0}

    def states() -> Iterator[LearnerStates]:
        for events in _blocks(lake, shard, parts, folder.events_at_once):
            folded = fold(events, folder.statistics, None, folder.settings)
            if observer is not None:
                observer.see(folded.features)
            counts["events"] += events.height
            counts["learners"] += folded.states.learners.height
            yield folded.states
        if observer is not None:
            observer.stage(None)

    staged = store.stage_all(shard, states(), folder.folded(parts))
    return Update(events=counts["events"], learners=counts["learners"], whole=reason, staged=staged)


def update(
    lake: Lake, store: StateStore, shard: int, parts: Parts, folder: Folder, observer: FoldObserver | None = None
) -> Update:
    """`stage_update`, committed at once."""
    return commit(store, stage_update(lake, store, shard, parts, folder, observer), observer)


def commit(store: StateStore, done: Update, observer: FoldObserver | None = None) -> Update:
    """Bring into force what was staged for a shard.

    Args:
        store: Where the states are.
        done: What `stage_update` or `stage_rebuild` returned.
        observer: The one who was shown it.

    Raises:
        ConflictError: Another run committed states of the shard meanwhile; nothing was kept of this one's.
    """
    if observer is not None:
        observer.commit()
    if done.staged is not None:
        store.commit(done.staged)
    return done


def compare(lake: Lake, store: StateStore, shard: int, folder: Folder) -> Update:
    """Fold from nothing what a shard's states say that they have seen, and compare; nothing is written.

    Args:
        lake: As for `stage_update`; a day that has changed since is compared as it is now, so `update` first.
        store: As for `stage_update`.
        shard: As for `stage_update`.
        folder: With the statistics that folded the states.
    """
    before = store.folded(shard)
    if before is None or before.fold_version != folder.version:
        return Update()
    blocks = _ranges(lake, shard, before.parts, folder.events_at_once)
    compared = differing = 0
    if not blocks:
        return Update()
    for (first, last), stored in zip(blocks, store.parted(shard, blocks), strict=True):
        events = _between(lake, shard, before.parts, first, last)
        folded = fold(events, folder.statistics, None, folder.settings).states
        both = pl.concat([folded.learners["learner"], stored.learners["learner"]])
        compared += both.n_unique()
        differing += len(differing_learners(folded, stored))
    return Update(compared=compared, differing=differing)


def reason_to_rebuild(before: Folded | None, parts: Parts, folder: Folder) -> str | None:
    """Why states cannot be continued, in a sentence; None where they can."""
    if before is None:
        return "There were no states."
    if before.fold_version != folder.version:
        return "The champion's statistics, or the settings or the code of the fold, have changed."
    if before.champion != folder.champion:
        return "There is a new champion."
    gone = sorted(before.parts.keys() - parts.keys())
    if gone:
        return f"{len(gone)} days were folded, the first {gone[0]}, that are gone or lie after the as-of day."
    return None


def _changed_pasts(
    store: StateStore,
    shard: int,
    events: pl.DataFrame,
    known: LearnerStates,
    before: Folded,
    changed: Sequence[date],
) -> pl.Series:
    """Learners whose folded past is no longer what it was: an event came late, or is gone."""
    late = late_learners(events, known)
    theirs = pl.col("learner").is_in(late.implode())
    expected = sum(before.parts.get(day, ("", 0))[1] for day in changed)
    expected += new_events(events.filter(~theirs), known).height + events.filter(theirs).height
    folded = known.learners.filter(theirs).select("days", "day_events").explode("days", "day_events")
    expected -= int(folded.filter(pl.col("days").is_in(changed))["day_events"].sum())
    if expected == events.height:
        return late
    # Someone has no event left on a day, and so is in none of the rows that were read.
    everybody = store.learners(shard, ["learner", "days"]).explode("days").filter(pl.col("days").is_in(changed))
    gone = everybody.join(events, left_on=["learner", "days"], right_on=["learner", "day"], how="anti")
    return pl.concat([late, gone["learner"]]).unique().sort()


def _histories(
    lake: Lake,
    store: StateStore,
    shard: int,
    learners: pl.Series,
    parts: Parts,
    changed: Sequence[date],
    events_at_once: int,
) -> Iterator[tuple[pl.Series, pl.DataFrame]]:
    """All events of these learners, some learners after the others; only days on which they have any are read."""
    known = store.known(shard, learners).learners
    for first, last in cut(known.select("learner", len="events"), events_at_once):
        within = known.filter(_within(first, last))
        days = set(within["days"].explode().to_list()) | set(changed)
        wanted = pl.col("learner").is_in(within["learner"].implode())
        scan = lake.scan(ANONYMISED_INTERACTIONS, days=sorted(days & parts.keys()), shards=[shard])
        yield within["learner"], scan.filter(wanted).select(_READ).collect()


def _blocks(lake: Lake, shard: int, parts: Parts, events_at_once: int) -> Iterator[pl.DataFrame]:
    for first, last in _ranges(lake, shard, parts, events_at_once):
        yield _between(lake, shard, parts, first, last)


def _ranges(lake: Lake, shard: int, parts: Parts, events_at_once: int) -> list[tuple[str, str]]:
    """First and last learner of blocks that have about so many events each, ascending."""
    counted = lake.scan(ANONYMISED_INTERACTIONS, days=parts, shards=[shard]).group_by("learner").len()
    return cut(counted.collect(engine="streaming").sort("learner"), events_at_once)


def _between(lake: Lake, shard: int, parts: Parts, first: str, last: str) -> pl.DataFrame:
    scan = lake.scan(ANONYMISED_INTERACTIONS, days=parts, shards=[shard])
    return scan.filter(_within(first, last)).select(_READ).collect()


def _within(first: str, last: str) -> pl.Expr:
    return pl.col("learner").is_between(pl.lit(first), pl.lit(last))


def _counted(events: pl.DataFrame) -> pl.DataFrame:
    return events.group_by("learner").len().sort("learner")


def cut(counted: pl.DataFrame, events_at_once: int) -> list[tuple[str, str]]:
    """First and last learner of blocks of about so many events; `counted` (learner, len) is ascending by learner."""
    block = (pl.col("len").cast(pl.Int64).cum_sum() - pl.col("len")) // events_at_once
    blocks = counted.group_by(block.alias("block"), maintain_order=True)
    ends = blocks.agg(pl.col("learner").first(), last=pl.col("learner").last())
    return [(first, last) for _, first, last in ends.rows()]


def _plus(done: Update, events: pl.DataFrame, states: LearnerStates) -> Update:
    return replace(done, events=done.events + events.height, learners=done.learners + states.learners.height)
