"""Stage 6, the folded states: what is remembered of each learner, kept up with the answers that are new."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from aivo_assets.assets.brain.main_brain import NO_CHAMPION
from aivo_assets.assets.describe import columns, daily_spec, step_log
from aivo_assets.assets.stored import serving_champion
from aivo_assets.automation.partitions import ONE_RUN, as_of
from aivo_assets.drift.schema import DESCRIPTIONS, SCORED_EVENTS
from aivo_assets.drift.scores.folding import (
    FoldedShard,
    FoldTask,
    commit_shard,
    compare_shard,
    fold_shard,
)
from aivo_assets.engine import Engine
from aivo_assets.errors import ModelError
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.names import WEEKLY_JOB
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import STATES_LEARNERS
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.model.main_brain import MainBrain
from aivo_assets.tracing.students.model_store import models_sequence
from aivo_assets.tracing.students.state_store import Parts, StateStore, rows_of
from aivo_assets.tracing.students.state_update import Update

STATES_TAG, COMPARE = "aivo/states", "compare"  # of a run: fold everything from nothing beside, whatever the job
COMPARED = "states/compared.json"
FOLDED_ONCE = "every_answer_folded_once"
SAME_FROM_NOTHING = "incremental_equals_rebuild"


@dg.multi_asset(
    name="fold_learners",
    specs=[
        daily_spec(
            "student_models",
            "learner_states",
            deps=["main_brain_promotion", "anonymised_interactions"],
            description="All that is remembered of each learner: the heart of the student model. Only new answers are "
            "folded; a learner whose past changed, and everybody under a new champion, is folded from nothing.",
            kinds={"numba", "parquet"},
            metadata=columns(STATES_LEARNERS),
        ),
        daily_spec(
            "student_models",
            "scored_events",
            deps=["main_brain_promotion", "anonymised_interactions"],
            description="What the champion said of each answer of the last days before it saw it.",
            kinds={"lightgbm", "parquet"},
            metadata=columns(SCORED_EVENTS, DESCRIPTIONS[SCORED_EVENTS.path]),
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            FOLDED_ONCE,
            asset="learner_states",
            description="The states' events add up to the anonymised answers up to the as-of day.",
            blocking=True,
        ),
        dg.AssetCheckSpec(
            SAME_FROM_NOTHING,
            asset="learner_states",
            description="The weekly run folds every learner from nothing: the same states to the last bit. Shows the "
            "last comparison.",
        ),
    ],
    backfill_policy=ONE_RUN,
    pool="student_models",
)
def fold_learners(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
    engine: dg.ResourceParam[Engine],
) -> Iterator[dg.MaterializeResult]:
    """Fold what is new with the champion's statistics, shard by shard, and score what lies in the drift window."""
    day = as_of(context)
    serving = serving_champion(registry, settings)
    if serving is None:
        yield from _without_champion()
        return
    store, parts, say = StateStore(lake), lake.parts(ANONYMISED_INTERACTIONS, until=day), step_log(context)
    task = FoldTask(
        lake=lake,
        champion=serving.brain,
        number=serving.version.number,
        parts=parts,
        day=day,
        window_days=settings.drift.window_days,
        features=settings.features,
        events_at_once=settings.students.events_at_once,
    )
    compared: list[FoldedShard] = []
    if context.job_name == WEEKLY_JOB or context.run.tags.get(STATES_TAG) == COMPARE:
        compared = _compare(replace(task, earlier=_earlier(registry, store, lake.shards)), store, engine, say)
    staged = list(engine.map(fold_shard, task, range(lake.shards), say=say, describe=_sentence))
    folded = [commit_shard(task, done) for done in staged]
    grown = store.overgrown(lake.shards, share=settings.students.layer_share, most=settings.students.most_layers)
    if grown is not None:  # one a run, so that no run pays for all
        _merge(task, store, grown)
        say(f"merged the layers of shard {grown}")
    yield _states_result(lake, store, parts, [done.update for done in (*compared, *folded)], day)
    yield dg.MaterializeResult(
        asset_key="scored_events",
        metadata={
            "rows_in": sum(done.update.events for done in (*compared, *folded)),
            "rows_out": sum(done.scored_rows for done in (*compared, *folded)),
        },
        data_version=dg.DataVersion(lake.version(SCORED_EVENTS, until=day)),
    )


def _compare(task: FoldTask, store: StateStore, engine: Engine, say: Callable[[str], None]) -> list[FoldedShard]:
    """Fold every shard from nothing beside, and keep what was found for the check."""
    done = list(engine.map(compare_shard, task, range(task.lake.shards), say=say, describe=_seen))
    for each in done:
        if each.update.compared and not each.update.differing:
            _merge(task, store, each.shard)
    found = {name: sum(getattr(each.update, name) for each in done) for name in ("compared", "differing")}
    task.lake.write_bytes(COMPARED, json.dumps({"as of": task.day.isoformat(), **found}).encode())
    return done


def _merge(task: FoldTask, store: StateStore, shard: int) -> None:
    """Merge the layers that the student models know already: of the others they have yet to learn who changed."""
    store.compact(shard, models_sequence(task.lake, shard, until=task.day))


def _earlier(registry: Registry, store: StateStore, shards: int) -> dict[str, MainBrain]:
    """By number, the versions under which states of some shard were folded, as far as they load."""
    numbers = {folded.champion for shard in range(shards) if (folded := store.folded(shard)) is not None}
    loaded = {}
    for number in sorted(numbers):
        with suppress(ModelError):  # the comparison says of which shard it could not be made
            loaded[number] = registry.load(int(number))
    return loaded


def _states_result(
    lake: Lake, store: StateStore, parts: Mapping[int, Parts], updates: Sequence[Update], day: date
) -> dg.MaterializeResult:
    events = {shard: store.learners(shard, ["learner", "events"])["events"] for shard in range(lake.shards)}
    whole = sorted({done.whole for done in updates if done.whole})
    return dg.MaterializeResult(
        asset_key="learner_states",
        metadata={
            "rows_in": sum(done.events for done in updates),
            "rows_out": sum(done.learners for done in updates),
            "late learners folded anew": sum(done.late for done in updates),
            "everybody folded anew": "; ".join(whole) or "no",
            "answers": sum(rows_of(each) for each in parts.values()),
            "learners": sum(len(shard) for shard in events.values()),
        },
        data_version=dg.DataVersion(store.version(lake.shards)),
        check_results=[folded_once(lake, events, parts, day), _comparison(lake)],
    )


def folded_once(
    lake: Lake, events: Mapping[int, pl.Series], parts: Mapping[int, Parts], day: date
) -> dg.AssetCheckResult:
    """Whether the states have seen each answer once; of a shard that got answers meanwhile the next run tells.

    Args:
        lake: Where the answers are.
        events: Of each shard the number of events in each learner's state.
        parts: Of each shard the days that were folded, as they were listed.
        day: The as-of day.
    """
    present = lake.parts(ANONYMISED_INTERACTIONS, until=day)
    still = [shard for shard in events if present[shard] == parts[shard]]
    folded, answers = sum(int(events[shard].sum()) for shard in still), sum(rows_of(parts[shard]) for shard in still)
    return dg.AssetCheckResult(
        check_name=FOLDED_ONCE,
        passed=folded == answers,
        metadata={"answers": answers, "folded": folded, "shards that got answers meanwhile": len(events) - len(still)},
    )


def _comparison(lake: Lake) -> dg.AssetCheckResult:
    """What the last comparison found, whichever run made it."""
    content = lake.read_document(COMPARED)
    if content is None:
        return dg.AssetCheckResult(
            check_name=SAME_FROM_NOTHING, passed=True, description="No weekly run has compared yet."
        )
    found = json.loads(content)
    return dg.AssetCheckResult(
        check_name=SAME_FROM_NOTHING,
        passed=found["differing"] == 0,
        metadata={"as of": found["as of"], "learners compared": found["compared"], "differing": found["differing"]},
        description=f"{found['compared']:,} learners compared as of {found['as of']}, {found['differing']:,} differ.",
    )


def _seen(each: FoldedShard) -> str:
    if each.problem:
        return f"not compared, {each.problem}"
    return f"{each.update.compared:,} learners compared with a rebuild, {each.update.differing:,} differ"


def _sentence(each: FoldedShard) -> str:
    done = each.update
    if done.whole:
        return f"{done.learners:,} learners folded from nothing: {done.whole}"
    return f"{done.events:,} events of {done.learners:,} learners folded, {done.late:,} of them from nothing"


def _without_champion() -> Iterator[dg.MaterializeResult]:
    nothing: dict[str, Any] = {"rows_out": 0, "note": NO_CHAMPION}
    checks = [
        dg.AssetCheckResult(check_name=name, passed=True, description=NO_CHAMPION)
        for name in (FOLDED_ONCE, SAME_FROM_NOTHING)
    ]
    yield dg.MaterializeResult(asset_key="learner_states", metadata=nothing, check_results=checks)
    yield dg.MaterializeResult(asset_key="scored_events", metadata=nothing)
