"""Stage 7, student models: each learner's ability, mastery and chance of success at each level."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
import polars as pl

from aivo_assets.adaptive.advice.plans import outdated, plans_before, recommended_plans
from aivo_assets.adaptive.policy.levels import item_bank as item_bank_of
from aivo_assets.adaptive.policy.levels import subject_levels
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, LEVELS
from aivo_assets.assets.champion import nothing_yet, serving_champion, why_none
from aivo_assets.assets.describe import FRESH_HOURS, columns, daily_asset, fresh_within, step_log
from aivo_assets.assets.students.as_of import folded_states
from aivo_assets.automation.partitions import as_of
from aivo_assets.engine import Engine
from aivo_assets.lake import Dataset, Lake
from aivo_assets.operations.jobs.causes import Cause
from aivo_assets.operations.jobs.names import UPDATE_JOB, WEEKLY_JOB
from aivo_assets.privacy.schema import ANONYMISED_LEARNERS
from aivo_assets.settings import Settings
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS
from aivo_assets.tracing.judging.registry import Registry, Serving
from aivo_assets.tracing.students.intervals import INTERVALS, Intervals
from aivo_assets.tracing.students.model_store import ModelsTask, ModelUpdate, make_models
from aivo_assets.tracing.students.student_models import Brain, ModelsAsOf


@daily_asset(
    "student_models",
    deps=["main_brain_promotion"],
    description="Level 1 to 10 of every item in its subject, with its uncertainty, from the champion's difficulties.",
    kinds={"polars", "parquet"},
    metadata=columns(ITEM_BANK, COLUMN_DESCRIPTIONS[ITEM_BANK.path]),
)
def item_bank(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Give every item that the champion knows its level."""
    day = as_of(context)
    serving = serving_champion(registry, settings, as_of=day)
    if serving is None:
        return dg.MaterializeResult(metadata={"rows_out": 0, "note": why_none(registry, settings, day)})
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


@daily_asset(
    "student_models",
    deps=["learner_states", "item_bank", "anonymised_learners", "student_intervals"],
    description="Ability and mastery of every learner with honest bands, and the main brain's probability of success "
    "at each level of each of their skills, with the level and plan in force. A learner without events gets the "
    "population's answer. A day holds the models made as of that day; the newest of each learner is in force.",
    kinds={"lightgbm", "parquet"},
    metadata=columns(SKILL_MASTERY),
    freshness_policy=fresh_within(hours=FRESH_HOURS),
    pool="student_models",
)
def student_models(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
    engine: dg.ResourceParam[Engine],
) -> dg.MaterializeResult:
    """Make the student models of who has new answers, of who is concerned, or everybody's, from the folded states."""
    day = as_of(context)
    serving, levels = serving_champion(registry, settings, as_of=day), newest(lake, LEVELS, until=day)
    if serving is None or levels is None:
        return nothing_yet(registry, settings, day, asset="item_bank")
    task = _task(lake, registry, settings, serving, levels, day, context.job_name == WEEKLY_JOB)
    say, made = step_log(context), list[ModelUpdate]()
    if not _asked_by_recommendations(context):
        made += engine.map(make_models, task, range(lake.shards), say=say, describe=_made)
        lake.commit(staged for each in made for staged in each.staged)
    if _asked_by_recommendations(context) or context.job_name == UPDATE_JOB:
        lagging = outdated(lake, day=day)
        concerned = replace(task, plans=recommended_plans, asked=lagging)
        made += engine.map(make_models, concerned, _shards(lagging), say=say, describe=_updated)
    learners, skills = sum(each.learners for each in made), sum(each.skills for each in made)
    versions = [lake.version(dataset, until=day) for dataset in (STUDENT_MODELS, SKILL_MASTERY)]
    return dg.MaterializeResult(
        metadata={
            "rows_in": learners,
            "rows_out": skills,
            "learners": learners,
            "learner x skill": skills,
            "shards made whole": sum(each.whole for each in made),
        },
        data_version=dg.DataVersion("-".join(versions)),
    )


def _task(
    lake: Lake,
    registry: Registry,
    settings: Settings,
    serving: Serving,
    levels: pl.DataFrame,
    day: date,
    whole: bool,
) -> ModelsTask:
    """What the work on every shard has in common."""
    brain = Brain(
        serving.brain.predict,
        serving.brain.statistics,
        settings.features,
        version=str(serving.version.number),
        intervals=Intervals.from_frame(newest(lake, INTERVALS, until=day)),
    )

    asked = (
        brain.version,
        brain.intervals.model_dump_json(),
        settings.students.interval,
        settings.students.starting_skills,
    )
    return ModelsTask(
        lake=lake,
        store=folded_states(lake, registry, settings, serving, day),
        build=ModelsAsOf(brain, levels, end_of(day), settings.students, day),
        version=" ".join(map(str, asked)),
        plans=plans_before,
        enrolled=lake.scan(ANONYMISED_LEARNERS).select("learner", "shard").collect(),
        day=day,
        whole=whole,
    )


def _made(made: ModelUpdate) -> str:
    return f"{made.learners:,} student models made"


def _updated(made: ModelUpdate) -> str:
    return f"{made.learners:,} student models got another level or plan"


def _shards(learners: pl.DataFrame) -> list[int]:
    return learners["shard"].unique().sort().to_list()


def _asked_by_recommendations(context: dg.AssetExecutionContext) -> bool:
    """Whether a run is about those learners alone whose models hold another level or plan than is recommended."""
    cause = Cause.of(context.run.tags)
    return cause is not None and cause.kind == "recommendations"


def end_of(day: date) -> datetime:
    """The first instant after a UTC day: all of the day is known, nothing of the next."""
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)


def newest(lake: Lake, dataset: Dataset, *, until: date) -> pl.DataFrame | None:
    """The newest partition of a dataset up to a day, or None where there is none."""
    days = lake.newest_days(dataset, 1, until=until)
    return lake.scan(dataset, days=days).collect() if days else None
