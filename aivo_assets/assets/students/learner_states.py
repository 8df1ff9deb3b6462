"""Stage 6, the folded states: what is remembered of each learner, kept up with the answers that are new.

The present states only go forward. A past day has states of its own, folded by a champion of its time.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from aivo_assets.assets.champion import serving_champion, unanswered, why_none
from aivo_assets.assets.describe import columns, daily_spec, step_log
from aivo_assets.assets.students.as_of import states_of
from aivo_assets.automation.partitions import ONE_RUN, as_of
from aivo_assets.drift.schema import DESCRIPTIONS, PAST_SCORED_EVENTS, SCORED_EVENTS
from aivo_assets.drift.scores.folding import (
    CompareTask,
    FoldedShard,
    FoldTask,
    commit_shard,
    compare_shard,
    fold_shard,
)
from aivo_assets.drift.scores.scored_window import scored_events_of
from aivo_assets.engine import Engine
from aivo_assets.errors import ModelError
from aivo_assets.lake import Lake
from aivo_assets.operations.jobs.names import WEEKLY_JOB
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import STATES_LEARNERS
from aivo_assets.tracing.judging.registry import Registry, Serving
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
            "folded; a learner whose past changed, and everybody under a new champion, is folded from nothing. A past "
            "day gets states of its own, and the present ones stay as they are.",
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
            description="The weekly run folds every learner from nothing: the same states to the last bit as those "
            "that are stored; so does the first one. Shows the last comparison.",
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
    serving = serving_champion(registry, settings, as_of=day)
    if serving is None:
        yield from _without_champion(why_none(registry, settings, day))
        return
    store = states_of(lake, registry, settings, serving, day)
    say = step_log(context)
    if store.is_past:
        say(f"{day} lies before what the present states know: it gets states of its own")
    task = _task(lake, store, serving, settings, day)
    compared: list[FoldedShard] = []
    if context.job_name == WEEKLY_JOB or context.run.tags.get(STATES_TAG) == COMPARE:
        compared = compare_with_rebuild(lake, registry, settings, engine, say)
    staged = list(engine.map(fold_shard, task, range(lake.shards), say=say, describe=_sentence))
    folded = [commit_shard(task, done) for done in staged]
    grown = store.overgrown(lake.shards, share=settings.students.layer_share, most=settings.students.most_layers)
    if grown is not None:  # one a run, so that no run pays for all
        _merge(task, grown)
        say(f"merged the layers of shard {grown}")
    _forget_other_windows(task)
    if not store.is_past and lake.read_document(COMPARED) is None:
        # The first time at once, so that the check knows something.
        compare_with_rebuild(lake, registry, settings, engine, say)
    done = [*compared, *folded]
    yield _states_result(lake, store, task.parts, [each.update for each in done], day)
    yield dg.MaterializeResult(
        asset_key="scored_events",
        metadata={
            "rows_in": sum(each.update.events for each in done),
            "rows_out": sum(each.scored_rows for each in done),
        },
        data_version=dg.DataVersion(lake.version(scored_events_of(past=store.is_past), until=day)),
    )


def compare_with_rebuild(
    lake: Lake, registry: Registry, settings: Settings, engine: Engine, say: Callable[[str], None]
) -> list[FoldedShard]:
    """Fold from nothing, beside the present states, what they say that they have seen, and compare with what is stored.

    Each shard is brought up to date first with the champion that folded it, as of the last day that it has seen. Equal
    states have their layers merged; others are folded again. The result is kept for the check.
    """
    store, serving = StateStore(lake), serving_champion(registry, settings)
    folded_shards = [folded for shard in range(lake.shards) if (folded := store.folded(shard)) is not None]
    last = max((folded.last_day or date.min for folded in folded_shards), default=None)
    if last is None or serving is None:
        return []
    fold = _task(lake, store, serving, settings, last)
    task = CompareTask(fold, _loaded(registry, serving, {folded.champion for folded in folded_shards}))
    done = list(engine.map(compare_shard, task, range(lake.shards), say=say, describe=_seen))
    for each in done:
        if each.update.compared and not each.update.differing:
            _merge(fold, each.shard)
    counts = {name: sum(getattr(each.update, name) for each in done) for name in ("compared", "differing")}
    lake.write_bytes(COMPARED, json.dumps({"as of": last.isoformat(), **counts}).encode())
    return done


def _task(lake: Lake, store: StateStore, serving: Serving, settings: Settings, day: date) -> FoldTask:
    return FoldTask(
        lake=lake,
        store=store,
        champion=serving.brain,
        number=serving.version.number,
        parts=lake.parts(ANONYMISED_INTERACTIONS, until=day),
        day=day,
        window_days=settings.drift.window_days,
        features=settings.features,
        events_at_once=settings.students.events_at_once,
    )


def _loaded(registry: Registry, serving: Serving, numbers: set[str]) -> dict[str, MainBrain]:
    """By number, the versions that load."""
    loaded = {}
    for number in sorted(numbers):
        with suppress(ModelError):  # the comparison says of which shard it could not be made
            serves = number == str(serving.version.number)
            loaded[number] = serving.brain if serves else registry.load(int(number))
    return loaded


def _merge(task: FoldTask, shard: int) -> None:
    """Merge the layers that the student models know already: of the others they have yet to learn who changed."""
    task.store.compact(shard, models_sequence(task.lake, task.store, shard, until=task.day))


def _forget_other_windows(task: FoldTask) -> None:
    """Of past days only the window of the one that was asked for last is kept."""
    if task.store.is_past:
        for day in task.lake.days(PAST_SCORED_EVENTS):
            if not task.day - timedelta(days=task.window_days) < day <= task.day:
                task.lake.remove(PAST_SCORED_EVENTS, day=day)


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
    """What the last comparison found, whichever run made it; one that compared nobody is no success."""
    content = lake.read_document(COMPARED)
    nobody: dict[str, Any] = {"as of": "none", "compared": 0, "differing": 0}
    counts = nobody if content is None else json.loads(content)
    return dg.AssetCheckResult(
        check_name=SAME_FROM_NOTHING,
        passed=counts["differing"] == 0 and counts["compared"] > 0,
        severity=dg.AssetCheckSeverity.ERROR if counts["differing"] else dg.AssetCheckSeverity.WARN,
        metadata={"as of": counts["as of"], "learners compared": counts["compared"], "differing": counts["differing"]},
        description=f"{counts['compared']:,} learners compared as of {counts['as of']}, "
        f"{counts['differing']:,} differ.",
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


def _without_champion(note: str) -> Iterator[dg.MaterializeResult]:
    """Nothing is folded, so neither check has anything to look at, and neither passes; they stop nothing."""
    yield dg.MaterializeResult(
        asset_key="learner_states",
        metadata={"rows_out": 0, "note": note},
        check_results=unanswered((FOLDED_ONCE, SAME_FROM_NOTHING), note),
    )
    yield dg.MaterializeResult(asset_key="scored_events", metadata={"rows_out": 0, "note": note})
