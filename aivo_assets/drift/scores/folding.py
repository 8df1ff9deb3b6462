"""Folding what is new in a shard with the champion, and scoring it. Belongs here: the work on a shard, and its commit.

Any process that reaches the lake can do the work; it stages what it made. Whoever asked for it commits: the scored
events first, so that a run that ends between the two is followed by one that makes the same again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from aivo_assets.drift.scores.scored_window import ScoredWindow
from aivo_assets.lake import ConflictError, Lake, Staged
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.students.state_store import Parts, StateStore
from aivo_assets.tracing.students.state_update import Folder, Update, compare, stage_rebuild, stage_update


@dataclass(frozen=True)
class FoldTask:
    """What the work on every shard has in common.

    Attributes:
        lake: Where answers, states and scored events are.
        champion: Folds and scores.
        number: Its version in the registry.
        parts: By shard, the days up to the as-of day.
        day: The as-of day; the last one of the drift window.
        window_days: Days of the drift window.
        features: Settings of the fold.
        events_at_once: Events folded at once.
        earlier: By number, champions from before under which states were folded; only a comparison needs them.
    """

    lake: Lake
    champion: MainBrain
    number: int
    parts: Mapping[int, Parts]
    day: date
    window_days: int
    features: FeatureSettings
    events_at_once: int
    earlier: Mapping[str, MainBrain] = field(default_factory=dict)

    def folder(self, earlier: str | None = None) -> Folder:
        """What folds, with the champion or an earlier one."""
        brain = self.champion if earlier is None else self.earlier[earlier]
        return Folder(brain.statistics, self.features, earlier or str(self.number), self.events_at_once)

    def window(self, shard: int) -> ScoredWindow:
        """The drift window of a shard, ready to be shown events."""
        version, predict = str(self.number), self.champion.predict
        return ScoredWindow(self.lake, shard, predict, model_version=version, day=self.day, days=self.window_days)


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
    """Fold and score what is new in a shard, and stage it."""
    window = task.window(shard)
    done = stage_update(task.lake, StateStore(task.lake), shard, task.parts[shard], task.folder(), window)
    return FoldedShard(shard, done, tuple(window.staged), window.rows)


def commit_shard(task: FoldTask, done: FoldedShard) -> FoldedShard:
    """Bring a shard's staged work into force; where another run committed states of it meanwhile, do it once more."""
    while True:
        try:
            _commit(task, done)
            return done
        except ConflictError:
            done = fold_shard(task, done.shard)


def compare_shard(task: FoldTask, shard: int) -> FoldedShard:
    """Bring a shard up to date with the champion that folded it, and fold all of it from nothing beside.

    What is the same can have its layers merged; what is not is folded anew, and committed.
    """
    store = StateStore(task.lake)
    before = store.folded(shard)
    if before is None:
        return FoldedShard(shard, Update())
    same = before.champion == str(task.number)
    if not same and before.champion not in task.earlier:
        return FoldedShard(shard, Update(), problem=f"its champion, version {before.champion}, does not load")
    window, folder = task.window(shard), task.folder(None if same else before.champion)
    done = stage_update(task.lake, store, shard, task.parts[shard], folder, window if same else None)
    brought = FoldedShard(shard, done, tuple(window.staged), window.rows)
    _commit(task, brought)
    seen = compare(task.lake, store, shard, folder)
    if seen.differing and same:
        again = task.window(shard)
        reason = "The comparison with a rebuild found differences."
        made = stage_rebuild(task.lake, store, shard, task.parts[shard], folder, again, reason=reason)
        _commit(task, FoldedShard(shard, made, tuple(again.staged), again.rows))
    update = replace(done, staged=None, compared=seen.compared, differing=seen.differing)
    return FoldedShard(shard, update, scored_rows=window.rows)


def _commit(task: FoldTask, done: FoldedShard) -> None:
    task.lake.commit(done.scored)
    if done.update.staged is not None:
        StateStore(task.lake).commit(done.update.staged)
