"""Folding what is new in a shard with the champion, and scoring it. Belongs here: the work on a shard, and its commit.

Any process that reaches the lake can do the work; it stages what it made. Whoever asked for it commits: the scored
events first, so that a run that ends between the two is followed by one that makes the same again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from aivo_assets.drift.scores.scored_window import ScoredWindow
from aivo_assets.errors import RunError
from aivo_assets.lake import ConflictError, Lake, Staged
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.students.state_store import Parts, StateStore
from aivo_assets.tracing.students.state_update import Folder, Update, compare, stage_rebuild, stage_update


@dataclass(frozen=True)
class FoldTask:
    """What the work on every shard has in common.

    Attributes:
        lake: Where answers and scored events are.
        store: Where states are: the present ones, or those of a past day.
        champion: Folds and scores.
        number: Its version in the registry.
        parts: By shard, the days up to the as-of day.
        day: The as-of day; the last one of the drift window.
        window_days: Days of the drift window.
        features: Settings of the fold.
        events_at_once: Events folded at once.
    """

    lake: Lake
    store: StateStore
    champion: MainBrain
    number: int
    parts: Mapping[int, Parts]
    day: date
    window_days: int
    features: FeatureSettings
    events_at_once: int

    @property
    def folder(self) -> Folder:
        """What folds."""
        return Folder(self.champion.statistics, self.features, str(self.number), self.events_at_once)

    def window(self, shard: int) -> ScoredWindow:
        """The drift window of a shard, ready to be shown events."""
        return ScoredWindow(
            self.lake,
            shard,
            self.champion.predict,
            model_version=str(self.number),
            day=self.day,
            days=self.window_days,
            past=self.store.is_past,
        )


@dataclass(frozen=True)
class CompareTask:
    """What the comparison of every shard has in common.

    Attributes:
        fold: How a shard is brought up to date; its champion gives way to the one that folded the shard.
        champions: By number, the versions under which states were folded, as far as they load.
    """

    fold: FoldTask
    champions: Mapping[str, MainBrain]


@dataclass(frozen=True)
class FoldedShard:
    """What was made of one shard. It is small and may be sent to another process.

    Attributes:
        shard: Which.
        update: What was folded, and the staged states.
        scored: Scored events that were staged.
        scored_rows: How many events were scored.
        problem: Why a comparison could not be made; empty where it was, or none was asked for.
    """

    shard: int
    update: Update
    scored: tuple[Staged, ...] = ()
    scored_rows: int = 0
    problem: str = ""


def fold_shard(task: FoldTask, shard: int) -> FoldedShard:
    """Fold and score what is new in a shard, and stage it.

    Raises:
        RunError: A run of a later day folded meanwhile: that is not taken back.
    """
    folded = task.store.folded(shard)
    if not task.store.is_past and folded is not None and folded.last_day and folded.last_day > task.day:
        raise RunError(
            f"Another run folded answers of {folded.last_day} while this one folded those up to {task.day}",
            fix=f"Materialise learner_states of {task.day} once more: it gets states of its own then.",
        )
    window = task.window(shard)
    done = stage_update(task.lake, task.store, shard, task.parts[shard], task.folder, window)
    return FoldedShard(shard, done, tuple(window.staged), window.rows)


def commit_shard(task: FoldTask, done: FoldedShard) -> FoldedShard:
    """Bring a shard's staged work into force; where another run committed states of it meanwhile, do it once more.

    Raises:
        RunError: As for `fold_shard`.
    """
    while True:
        task.lake.commit(done.scored)
        if done.update.staged is None:
            return done
        try:
            task.store.commit(done.update.staged)
            return done
        except ConflictError:
            done = fold_shard(task, done.shard)


def compare_shard(task: CompareTask, shard: int) -> FoldedShard:
    """Bring a shard up to date with the champion that folded it, and fold all of it from nothing beside.

    States that differ are folded again and committed.
    """
    before = task.fold.store.folded(shard)
    if before is None:
        return FoldedShard(shard, Update())
    brain = task.champions.get(before.champion)
    if brain is None:
        return FoldedShard(shard, Update(), problem=f"its champion, version {before.champion}, does not load")
    fold = replace(task.fold, champion=brain, number=int(before.champion))
    done = commit_shard(fold, fold_shard(fold, shard))
    seen = compare(fold.lake, fold.store, shard, fold.folder)
    if seen.differing:
        window, reason = fold.window(shard), "The comparison with a rebuild found differences."
        made = stage_rebuild(fold.lake, fold.store, shard, fold.parts[shard], fold.folder, window, reason=reason)
        commit_shard(fold, FoldedShard(shard, made, tuple(window.staged), window.rows))
    update = replace(done.update, staged=None, compared=seen.compared, differing=seen.differing)
    return FoldedShard(shard, update, scored_rows=done.scored_rows)
