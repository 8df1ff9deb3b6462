"""Stage 6, student models: each learner's folded state, ability, mastery and chance of success at each level."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
import polars as pl

from aivo_assets.adaptive.levels import item_bank as item_bank_of
from aivo_assets.adaptive.levels import subject_levels
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, LEVELS
from aivo_assets.assets.describe import columns, fresh_within, owned, step_log
from aivo_assets.assets.main_brain import NO_CHAMPION
from aivo_assets.assets.stored import serving_champion
from aivo_assets.automation.partitions import DAYS, ONE_RUN, as_of, note_days_passed_over
from aivo_assets.drift.schema import DESCRIPTIONS, SCORED_EVENTS
from aivo_assets.drift.scored_events import scored_events as score
from aivo_assets.lake import Dataset, Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets.settings import Settings
from aivo_assets.tracing.features import fold
from aivo_assets.tracing.registry import Registry, Serving
from aivo_assets.tracing.schema import (
    SKILL_MASTERY,
    STATES_ITEMS,
    STATES_LEARNERS,
    STATES_SKILLS,
    STATES_SUBJECTS,
    STUDENT_MODELS,
)
from aivo_assets.tracing.states import LearnerStates
from aivo_assets.tracing.student_models import Brain, build_student_models

STATES = {"learners": STATES_LEARNERS, "subjects": STATES_SUBJECTS, "skills": STATES_SKILLS, "items": STATES_ITEMS}


@dg.asset(
    deps=["main_brain_promotion"],
    description="Level 1 to 10 of every item in its subject, with its uncertainty, from the champion's difficulties.",
    partitions_def=DAYS,
    backfill_policy=ONE_RUN,
    kinds={"polars", "parquet"},
    metadata=columns(ITEM_BANK, COLUMN_DESCRIPTIONS[ITEM_BANK.path]),
    **owned("student_models"),
)
def item_bank(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Give every item that the champion knows its level."""
    day = as_of(context)
    note_days_passed_over(context)
    serving = serving_champion(registry, settings)
    if serving is None:
        return dg.MaterializeResult(metadata={"rows_out": 0, "note": NO_CHAMPION})
    items = serving.brain.statistics.items
    before = newest(lake, LEVELS, until=day - timedelta(days=1))
    levels = subject_levels(items, day=day, settings=settings.policy, before=before)
    bank = item_bank_of(items, levels, day=day)
    lake.write(LEVELS, levels, day=day)
    written = lake.write(ITEM_BANK, bank, day=day)
    return dg.MaterializeResult(
        metadata={"rows_in": items.height, "rows_out": bank.height, "subjects": levels["subject"].n_unique()},
        data_version=dg.DataVersion(written.version),
    )


@dg.multi_asset(
    name="fold_learners",
    specs=[
        dg.AssetSpec(
            "learner_states",
            deps=["main_brain_promotion", "anonymised_interactions"],
            description="All that is remembered of each learner: the heart of the student model.",
            partitions_def=DAYS,
            kinds={"numba", "parquet"},
            metadata=columns(STATES_LEARNERS),
            **owned("student_models"),
        ),
        dg.AssetSpec(
            "scored_events",
            deps=["main_brain_promotion", "anonymised_interactions"],
            description="What the champion said of each answer of the last days before it saw it.",
            partitions_def=DAYS,
            kinds={"lightgbm", "parquet"},
            metadata=columns(SCORED_EVENTS, DESCRIPTIONS[SCORED_EVENTS.path]),
            **owned("student_models"),
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_answer_folded_once",
            asset="learner_states",
            description="The states' events add up to the anonymised answers up to the as-of day.",
            blocking=True,
        )
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
    """Fold every learner's events with the champion's statistics, shard by shard, and score the last days."""
    day = as_of(context)
    note_days_passed_over(context, ["learner_states", "scored_events"])
    serving = serving_champion(registry, settings)
    if serving is None:
        yield dg.MaterializeResult(
            asset_key="learner_states",
            metadata={"rows_out": 0, "note": NO_CHAMPION},
            check_results=[
                dg.AssetCheckResult(check_name="every_answer_folded_once", passed=True, description=NO_CHAMPION)
            ],
        )
        yield dg.MaterializeResult(asset_key="scored_events", metadata={"rows_out": 0, "note": NO_CHAMPION})
        return
    folded, answers, learners, scored = 0, 0, 0, []
    say = step_log(context)
    for shard in range(lake.shards):
        events = lake.scan(ANONYMISED_INTERACTIONS, until=day, shards=[shard]).collect()
        states, last_days = _fold_shard(events, serving, day, settings)
        for name, dataset in STATES.items():
            lake.write(dataset, getattr(states, name), shard=shard, made_by={"as_of": day.isoformat()})
        folded += int(states.learners["events"].sum())
        answers += events.height
        learners += states.learners.height
        scored.append(last_days)
        say(f"shard {shard + 1} of {lake.shards}: {states.learners.height:,} learners")
    by_day = _write_by_day(lake, SCORED_EVENTS, pl.concat(scored).sort("day", "learner", "sequence"))
    yield dg.MaterializeResult(
        asset_key="learner_states",
        metadata={"rows_in": answers, "rows_out": learners, "champion": serving.version.number},
        data_version=dg.DataVersion(lake.version(STATES_LEARNERS)),
        check_results=[
            dg.AssetCheckResult(
                check_name="every_answer_folded_once",
                passed=folded == answers,
                metadata={"answers": answers, "folded": folded},
            )
        ],
    )
    yield dg.MaterializeResult(
        asset_key="scored_events",
        metadata={"rows_in": answers, "rows_out": by_day},
        data_version=dg.DataVersion(lake.version(SCORED_EVENTS, until=day)),
    )


@dg.asset(
    deps=["learner_states", "item_bank", "anonymised_learners"],
    description="Ability and mastery of every learner with honest bands, and the main brain's probability of success "
    "at each level of each of his skills. A learner without events gets the population's answer.",
    partitions_def=DAYS,
    backfill_policy=ONE_RUN,
    kinds={"lightgbm", "parquet"},
    metadata=columns(SKILL_MASTERY),
    freshness_policy=fresh_within(hours=6),
    pool="student_models",
    **owned("student_models"),
)
def student_models(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Make every student model from the folded states, shard by shard."""
    day = as_of(context)
    note_days_passed_over(context)
    serving, levels = serving_champion(registry, settings), newest(lake, LEVELS, until=day)
    if serving is None or levels is None:
        return dg.MaterializeResult(metadata={"rows_out": 0, "note": NO_CHAMPION})
    brain = Brain(
        serving.brain.predict, serving.brain.statistics, settings.features, version=str(serving.version.number)
    )
    enrolled = lake.scan(ANONYMISED_LEARNERS).select("learner", "shard").collect()
    students, mastery = [], []
    for shard in range(lake.shards):
        made = build_student_models(
            stored_states(lake, shard),
            brain,
            levels,
            end_of(day),
            settings.students,
            day=day,
            learners=enrolled.filter(pl.col("shard") == shard),
        )
        students.append(made.learners)
        mastery.append(made.skills)
    learners = lake.write(STUDENT_MODELS, pl.concat(students), day=day)
    skills = lake.write(SKILL_MASTERY, pl.concat(mastery), day=day)
    return dg.MaterializeResult(
        metadata={
            "rows_in": learners.rows,
            "rows_out": skills.rows,
            "learners": learners.rows,
            "learner x skill": skills.rows,
        },
        data_version=dg.DataVersion(f"{learners.version}-{skills.version}"),
    )


def end_of(day: date) -> datetime:
    """The first instant after a UTC day: all of the day is known, nothing of the next."""
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)


def newest(lake: Lake, dataset: Dataset, *, until: date) -> pl.DataFrame | None:
    """The newest partition of a dataset up to a day, or None where there is none."""
    days = [day for day in lake.days(dataset) if day <= until]
    return lake.scan(dataset, days=days[-1:]).collect() if days else None


def stored_states(lake: Lake, shard: int) -> LearnerStates:
    """The folded states of a shard's learners."""
    return LearnerStates(**{name: lake.scan(dataset, shards=[shard]).collect() for name, dataset in STATES.items()})


def _fold_shard(
    events: pl.DataFrame, serving: Serving, day: date, settings: Settings
) -> tuple[LearnerStates, pl.DataFrame]:
    """States after all events, and the scored events of the drift window."""
    folded = fold(events, serving.brain.statistics, None, settings.features)
    first = day - timedelta(days=settings.drift.window_days - 1)
    recent = folded.features.take((folded.features.keys["day"] >= first).to_numpy())
    probability = serving.brain.predict(recent)
    return folded.states, score(recent, probability, model_version=str(serving.version.number))


def _write_by_day(lake: Lake, dataset: Dataset, frame: pl.DataFrame) -> int:
    for (day,), part in frame.partition_by("day", as_dict=True, maintain_order=True).items():
        assert isinstance(day, date)
        lake.write(dataset, part, day=day)
    return frame.height
