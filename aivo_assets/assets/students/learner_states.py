"""Stage 6, the folded states: what is remembered of each learner, kept up with the answers that are new.

The present states only go forward. A past day has states of its own, folded by a champion of its time.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl

from aivo_assets.assets.champion import serving_champion, unanswered, why_none
from aivo_assets.assets.describe import columns, daily_spec, step_log
from aivo_assets.assets.students.as_of import folder_of, states_of
from aivo_assets.automation.partitions import ONE_RUN, as_of
from aivo_assets.drift.schema import DESCRIPTIONS, PAST_SCORED_EVENTS, SCORED_EVENTS
from aivo_assets.drift.scores.scored_window import ScoredWindow, scored_events_of
from aivo_assets.errors import ModelError, RunError
from aivo_assets.lake import ConflictError, Lake
from aivo_assets.operations.jobs.names import WEEKLY_JOB
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import STATES_LEARNERS
from aivo_assets.tracing.judging.registry import Registry, Serving
from aivo_assets.tracing.students.model_store import models_sequence
from aivo_assets.tracing.students.state_store import Parts, StateStore, rows_of
from aivo_assets.tracing.students.state_update import Update, compare, rebuild, update

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
) -> Iterator[dg.MaterializeResult]:
    """Fold what is new with the champion's statistics, shard by shard, and score what lies in the drift window."""
    day = as_of(context)
    serving = serving_champion(registry, settings, as_of=day)
    if serving is None:
        yield from _without_champion(why_none(registry, settings, day))
        return
    store = states_of(lake, registry, settings, serving, day)
    parts, say = lake.parts(ANONYMISED_INTERACTIONS, until=day), step_log(context)
    if store.is_past:
        say(f"{day} lies before what the present states know: it gets states of its own")
    step = Step(lake, store, parts, serving, settings, day)
    updates: list[Update] = []
    if context.job_name == WEEKLY_JOB or context.run.tags.get(STATES_TAG) == COMPARE:
        updates += compare_with_rebuild(lake, registry, settings, say)
    for shard in range(lake.shards):
        done = step.update(shard)
        updates.append(done)
        say(f"shard {shard + 1} of {lake.shards}: {_sentence(done)}")
    grown = store.overgrown(lake.shards, share=settings.students.layer_share, most=settings.students.most_layers)
    if grown is not None:  # one a run, so that no run pays for all
        step.merge(grown)
        say(f"merged the layers of shard {grown + 1}")
    step.forget_other_windows()
    if not store.is_past and lake.read_document(COMPARED) is None:
        compare_with_rebuild(lake, registry, settings, say)  # the first time at once, so that the check knows something
    yield _states_result(lake, store, parts, updates, day)
    yield dg.MaterializeResult(
        asset_key="scored_events",
        metadata={"rows_in": sum(done.events for done in updates), "rows_out": step.scored},
        data_version=dg.DataVersion(lake.version(scored_events_of(past=store.is_past), until=day)),
    )


class Step:
    """One run's work on the states of all shards.

    Args:
        lake: Where events and scored events are.
        store: Where states are.
        parts: The days of each shard up to the as-of day.
        serving: The champion.
        settings: All of them.
        day: The as-of day.
    """

    def __init__(
        self, lake: Lake, store: StateStore, parts: Mapping[int, Parts], serving: Serving, settings: Settings, day: date
    ) -> None:
        self._lake, self.store, self._parts, self._day = lake, store, parts, day
        self._serving, self._settings = serving, settings
        self.folder = folder_of(serving, settings)
        self.scored = 0

    def update(self, shard: int) -> Update:
        """Fold what is new, and score it; once more where another run committed states of the shard meanwhile.

        Raises:
            RunError: That run is of a later day: what it folded is not taken back.
        """
        while True:
            folded = self.store.folded(shard)
            if not self.store.is_past and folded is not None and folded.last_day and folded.last_day > self._day:
                raise RunError(
                    f"Another run folded answers of {folded.last_day} while this one folded those up to {self._day}",
                    fix=f"Materialise learner_states of {self._day} once more: it gets states of its own then.",
                )
            window = self._window(shard)
            try:
                done = update(self._lake, self.store, shard, self._parts[shard], self.folder, window)
                break
            except ConflictError:
                continue
        self.scored += window.rows
        return done

    def rebuild(self, shard: int, reason: str) -> None:
        """Fold a shard from nothing."""
        window = self._window(shard)
        rebuild(self._lake, self.store, shard, self._parts[shard], self.folder, window, reason=reason)

    def merge(self, shard: int) -> None:
        """Merge the layers that the student models know already: of the others they have yet to learn who changed."""
        self.store.compact(shard, models_sequence(self._lake, self.store, shard, until=self._day))

    def forget_other_windows(self) -> None:
        """Of past days only the window of the one that was asked for last is kept."""
        if self.store.is_past:
            for day in self._lake.days(PAST_SCORED_EVENTS):
                if not self._day - timedelta(days=self._settings.drift.window_days) < day <= self._day:
                    self._lake.remove(PAST_SCORED_EVENTS, day=day)

    def _window(self, shard: int) -> ScoredWindow:
        return ScoredWindow(
            self._lake,
            shard,
            self._serving.brain.predict,
            model_version=self.folder.champion,
            day=self._day,
            days=self._settings.drift.window_days,
            past=self.store.is_past,
        )


def compare_with_rebuild(
    lake: Lake, registry: Registry, settings: Settings, say: Callable[[str], None]
) -> list[Update]:
    """Fold from nothing, beside the present states, what they say that they have seen, and compare with what is stored.

    Each shard is brought up to date first with the champion that folded it, as of the last day that it has seen. What
    is the same has its layers merged; what is not is folded anew. What was found is kept for the check.
    """
    done, store, serving = list[Update](), StateStore(lake), serving_champion(registry, settings)
    last = max(
        (kept.last_day or date.min for shard in range(lake.shards) if (kept := store.folded(shard))), default=None
    )
    if last is None or serving is None:
        return done
    parts = lake.parts(ANONYMISED_INTERACTIONS, until=last)
    for shard in range(lake.shards):
        before = store.folded(shard)
        if before is None:
            continue
        try:
            by = serving if str(serving.version.number) == before.champion else _champion(registry, before.champion)
        except ModelError as error:
            say(f"shard {shard + 1} cannot be compared, its champion does not load: {error.what}")
            continue
        step = Step(lake, store, parts, by, settings, last)
        updated = step.update(shard)
        seen = compare(lake, store, shard, step.folder)
        if seen.differing:
            step.rebuild(shard, "The comparison with a rebuild found differences.")
        else:
            step.merge(shard)
        say(f"shard {shard + 1}: {seen.compared:,} learners compared with a rebuild, {seen.differing:,} differ")
        done.append(replace(updated, compared=seen.compared, differing=seen.differing))
    found = {"compared": sum(one.compared for one in done), "differing": sum(one.differing for one in done)}
    lake.write_bytes(COMPARED, json.dumps({"as of": last.isoformat(), **found}).encode())
    return done


def _champion(registry: Registry, number: str) -> Serving:
    return Serving(registry.load(int(number)), registry.version(int(number)), ())


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
    found = nobody if content is None else json.loads(content)
    return dg.AssetCheckResult(
        check_name=SAME_FROM_NOTHING,
        passed=found["differing"] == 0 and found["compared"] > 0,
        severity=dg.AssetCheckSeverity.ERROR if found["differing"] else dg.AssetCheckSeverity.WARN,
        metadata={"as of": found["as of"], "learners compared": found["compared"], "differing": found["differing"]},
        description=f"{found['compared']:,} learners compared as of {found['as of']}, {found['differing']:,} differ.",
    )


def _sentence(done: Update) -> str:
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
