"""Where the student models are kept. Belongs here: which learners' models must be rebuilt, and the models in force.

A day holds the models that were made as of that day: all of them after a full build, otherwise those of learners who
had new events. A learner's model in force is the one of their newest day; its `day` says
for which day its bands were made. The
note of a day says from which states its models were made: who changed since is told by the same states only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

import polars as pl

from aivo_assets.lake import Lake, Staged
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.students.state_store import STATES, StateStore
from aivo_assets.tracing.students.student_models import ModelsAsOf, StudentModels

Build = Callable[[LearnerStates, pl.DataFrame], StudentModels]
"""From states, and learner and shard of learners without any, to their models."""


class Plans(Protocol):
    """Gives `PLANS` of a shard as of a day."""

    def __call__(self, lake: Lake, *, day: date, shard: int) -> pl.DataFrame:
        """Read them from the lake."""


@dataclass(frozen=True)
class ModelUpdate:
    """What was done for a shard.

    Attributes:
        learners: Learners whose models were made.
        skills: Their rows of mastery.
        whole: Whether everybody's were.
        staged: The models, which `Lake.commit` brings into force; mastery before the models that speak of it.
    """

    learners: int
    skills: int
    whole: bool
    staged: tuple[Staged, ...] = ()


@dataclass(frozen=True)
class ModelBuilder:
    """What makes student models.

    Attributes:
        build: Makes them.
        version: Of the champion, and of whatever else its answers depend on.
        levels: The levels that are asked about: subject, level, difficulty.
    """

    build: Build
    version: str
    levels: pl.DataFrame

    @property
    def stamp(self) -> str:
        """Models of the same stamp belong together."""
        # Levels are cut again every day from the same items; a difference in the last bits makes no new model.
        levels = self.levels.select("subject", "level", pl.col("difficulty").round(6)).sort("subject", "level")
        return sha256(f"{self.version} {levels.write_json()}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class ModelsTask:
    """What the work on the models of every shard has in common.

    Attributes:
        lake: Where models are.
        store: Where states are.
        build: Makes them, but for the plans.
        version: Of the champion, and of whatever else its answers depend on.
        plans: Function of a module that gives `PLANS` of a shard as of a day.
        enrolled: learner, shard of all learners, with or without events.
        day: As of which; it gets the models.
        whole: Make everybody's, whatever has changed.
        asked: learner, shard of the only learners whose models are made; None: of whoever has something new.
    """

    lake: Lake
    store: StateStore
    build: ModelsAsOf
    version: str
    plans: Plans
    enrolled: pl.DataFrame
    day: date
    whole: bool = False
    asked: pl.DataFrame | None = None


def make_models(task: ModelsTask, shard: int) -> ModelUpdate:
    """Make and stage the models of a shard."""
    here = task.enrolled.filter(pl.col("shard") == shard)
    build = replace(task.build, plans=task.plans(task.lake, day=task.day, shard=shard))
    maker = ModelBuilder(build, task.version, build.levels)
    if task.asked is None:
        return stage_models(task.lake, task.store, shard, maker, here, day=task.day, whole=task.whole)
    asked = task.asked.filter(pl.col("shard") == shard)["learner"]
    return stage_some(task.lake, task.store, shard, maker, here, asked, day=task.day)


def update_models(
    lake: Lake,
    store: StateStore,
    shard: int,
    maker: ModelBuilder,
    enrolled: pl.DataFrame,
    *,
    day: date,
    whole: bool = False,
) -> ModelUpdate:
    """`stage_models`, committed at once."""
    made = stage_models(lake, store, shard, maker, enrolled, day=day, whole=whole)
    lake.commit(made.staged)
    return made


def stage_models(
    lake: Lake,
    store: StateStore,
    shard: int,
    maker: ModelBuilder,
    enrolled: pl.DataFrame,
    *,
    day: date,
    whole: bool = False,
) -> ModelUpdate:
    """Make and stage the models of the learners of a shard whose states have changed since, and of those who are new.

    Args:
        lake: Where models are.
        store: Where states are.
        shard: Which.
        maker: What makes them.
        enrolled: learner, shard of the shard's learners, with or without events.
        day: As of which; it gets the models.
        whole: Make everybody's, whatever has changed.
    """
    folded = store.folded(shard)
    sequence = 0 if folded is None else folded.sequence
    last = _newest_note(lake, shard, day)
    same = last is not None and last["stamp"] == maker.stamp and _states(last) == store.layered.path and not whole
    changed = store.changed_since(shard, int(last["sequence"])) if same and last is not None else None
    note: dict[str, Any] = {"stamp": maker.stamp, "states": store.layered.path, "sequence": sequence}
    if changed is None:
        return _make_all(lake, store, shard, maker, enrolled, day=day, note=note)
    held = students_in_force(lake, until=day, shards=[shard]).select("learner").collect()
    asked = pl.concat([changed, enrolled.join(held, on="learner", how="anti")["learner"]])
    return _make_some(lake, store, shard, maker, enrolled, asked, day=day, note=note)


def stage_some(
    lake: Lake,
    store: StateStore,
    shard: int,
    maker: ModelBuilder,
    enrolled: pl.DataFrame,
    asked: pl.Series,
    *,
    day: date,
) -> ModelUpdate:
    """Make and stage the models of these learners of a shard as of a day, and nobody else's.

    What `stage_models` has to do for others stays to be done: whose states changed, and everybody where what makes
    models has changed. Making the same again changes nothing.

    Args:
        lake: As for `stage_models`.
        store: As for `stage_models`.
        shard: As for `stage_models`.
        maker: As for `stage_models`.
        enrolled: As for `stage_models`.
        asked: Learners of this shard.
        day: As for `stage_models`.
    """
    last = _newest_note(lake, shard, day)
    if last is None:
        return ModelUpdate(0, 0, whole=False)
    if _states(last) != store.layered.path:
        return update_models(lake, store, shard, maker, enrolled, day=day)
    note = {"stamp": last["stamp"], "states": _states(last), "sequence": last["sequence"]}
    return _make_some(lake, store, shard, maker, enrolled, asked, day=day, note=note)


def students_in_force(lake: Lake, *, until: date, shards: Iterable[int] | None = None) -> pl.LazyFrame:
    """STUDENT_MODELS, each learner's newest row of the days up to this one, ascending by shard and learner."""
    frames = []
    for shard in _shards(lake, shards):
        days = _days(lake, shard, until)
        newest = pl.col("day").max().over("learner")
        scan = lake.scan(STUDENT_MODELS, days=days, shards=[shard])
        frames.append(scan if len(days) < 2 else scan.filter(pl.col("day") == newest).sort("learner"))
    return pl.concat(frames)


def mastery_in_force(lake: Lake, *, until: date, shards: Iterable[int] | None = None) -> pl.LazyFrame:
    """SKILL_MASTERY of the same learners and days, ascending by shard, learner, subject and skill."""
    frames = []
    for shard in _shards(lake, shards):
        days = _days(lake, shard, until)
        scan = lake.scan(SKILL_MASTERY, days=days, shards=[shard])
        if len(days) > 1:
            chosen = students_in_force(lake, until=until, shards=[shard]).select("learner", "day")
            scan = scan.join(chosen, on=["learner", "day"], how="semi").sort("learner", "subject", "skill_id")
        frames.append(scan)
    return pl.concat(frames)


def models_sequence(lake: Lake, store: StateStore, shard: int, *, until: date) -> int | None:
    """The commit of these states from which the newest models of a shard were made; None where none were."""
    note = _newest_note(lake, shard, until, store.layered.path)
    return None if note is None else int(note["sequence"])


def has_models(lake: Lake, *, until: date) -> bool:
    """Whether there is a student model of any day up to this one."""
    return bool(lake.newest_days(STUDENT_MODELS, 1, until=until))


def oldest_in_force(lake: Lake, *, until: date) -> date | None:
    """The oldest day whose models are in force on a day; None where there are no models."""
    days = [days[0] for shard in range(lake.shards) if (days := _days(lake, shard, until))]
    return min(days, default=None)


def _make_some(
    lake: Lake,
    store: StateStore,
    shard: int,
    maker: ModelBuilder,
    enrolled: pl.DataFrame,
    asked: pl.Series,
    *,
    day: date,
    note: dict[str, Any],
) -> ModelUpdate:
    """Put the models of these learners in the place of those that they have on the day; who is gone has none."""
    if asked.is_empty():
        return ModelUpdate(0, 0, whole=False)
    theirs = pl.col("learner").is_in(asked.implode())
    made = maker.build(store.read(shard, asked, items=False), enrolled.filter(theirs))
    today = lake.manifest(STUDENT_MODELS, day=day)
    note = note | {"whole": bool(today and today["made_by"].get(_name(shard), {}).get("whole"))}
    for dataset, rows in ((SKILL_MASTERY, made.skills), (STUDENT_MODELS, made.learners)):
        keys = ["learner"] if dataset is STUDENT_MODELS else ["learner", "subject", "skill_id"]
        lake.update(dataset, partial(_with_theirs, rows, theirs, keys), day=day, shard=shard, made_by=note)
    return ModelUpdate(made.learners.height, made.skills.height, whole=False)


def _with_theirs(rows: pl.DataFrame, theirs: pl.Expr, keys: Sequence[str], held: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([held.filter(~theirs), rows]).sort(keys)


def notes_after_move(notes: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The note of a shard that takes its learners from others: their models count, and all of them are rebuilt next.

    No stamp is empty, so the next update knows these models as made by something else.
    """
    return {"stamp": "", "sequence": 0, "whole": all(note.get("whole", False) for note in notes)}


def _make_all(
    lake: Lake,
    store: StateStore,
    shard: int,
    maker: ModelBuilder,
    enrolled: pl.DataFrame,
    *,
    day: date,
    note: dict[str, Any],
) -> ModelUpdate:
    known = store.learners(shard, ["learner"])
    strangers = enrolled.join(known, on="learner", how="anti")
    made = [maker.build(states, enrolled.clear()) for states in store.blocks(shard, items=False)]
    made.append(maker.build(LearnerStates.empty(), strangers))
    skills = pl.concat([part.skills for part in made]).sort("learner", "subject", "skill_id")
    learners = pl.concat([part.learners for part in made]).sort("learner")
    note = note | {"whole": True}
    staged = tuple(
        lake.stage(dataset, rows, day=day, shard=shard, made_by=note)
        for dataset, rows in ((SKILL_MASTERY, skills), (STUDENT_MODELS, learners))
    )
    return ModelUpdate(learners.height, skills.height, whole=True, staged=staged)


def _newest_note(lake: Lake, shard: int, until: date, states: str | None = None) -> dict[str, Any] | None:
    """What the newest day up to this one says of its models of a shard; None where there are none.

    Args:
        lake: Where models are.
        shard: Which.
        until: The last day.
        states: Only models made from these states.
    """
    for day in lake.days_back(STUDENT_MODELS, until=until):
        note = _note(lake, shard, day)
        if note is not None and states in (None, _states(note)):
            return note
    return None


def _states(note: Mapping[str, Any]) -> str:
    """From which states models were made; a note from before there were several does not say it."""
    return str(note.get("states", STATES.path))


def _days(lake: Lake, shard: int, until: date) -> list[date]:
    """Days, ascending, from the newest full build on."""
    chain = []
    for day in lake.days_back(STUDENT_MODELS, until=until):
        note = _note(lake, shard, day)
        if note is not None:
            chain.append(day)
            if note["whole"]:
                break
    return chain[::-1]


def _note(lake: Lake, shard: int, day: date) -> dict[str, Any] | None:
    manifest = lake.manifest(STUDENT_MODELS, day=day)
    note: dict[str, Any] | None = manifest["made_by"].get(_name(shard)) if manifest else None
    return note


def _name(shard: int) -> str:
    return f"shard={shard:04d}"


def _shards(lake: Lake, shards: Iterable[int] | None) -> list[int]:
    return list(range(lake.shards) if shards is None else shards)
