"""Stage 7, recommendations: the signals of every learner and skill, and what should happen next, with its evidence."""

from datetime import date

import dagster as dg

from aivo_assets.adaptive.advice.coverage import Coverage, coverage, learners_before
from aivo_assets.adaptive.advice.recommendations_by_shard import (
    RecommendTask,
    Tally,
    known_to_all,
    provenance,
    stage_recommendations,
)
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.prerequisites import SkillGraph
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, OUTCOMES, RECOMMENDATIONS, SIGNALS
from aivo_assets.adaptive.signals.signals_by_shard import SignalsTask, assignments_of, stage_signals
from aivo_assets.assets.champion import nothing_yet
from aivo_assets.assets.describe import FRESH_HOURS, columns, daily_asset, fresh_within, step_log
from aivo_assets.assets.students.student_models import newest
from aivo_assets.assets.upstream import missing
from aivo_assets.automation.partitions import as_of
from aivo_assets.engine import Engine
from aivo_assets.lake import Lake, Staged
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.students.model_store import has_models

ONE_EACH, AS_BEFORE = "one_for_every_active_learner", "about_as_many_as_the_day_before"
SOUND = "skill_graph_is_sound"
CHECKS = (ONE_EACH, AS_BEFORE, SOUND)
FEWEST_OF_THE_DAY_BEFORE = 0.5


@daily_asset(
    "recommendations",
    deps=["anonymised_interactions", "student_models", "item_bank"],
    description="What a recommendation weighs, for every learner and skill active in the window: accuracy, time, "
    "focus, sessions, hints, level and what happened there, trends, and the main brain's answers.",
    kinds={"polars", "parquet"},
    metadata=columns(SIGNALS, COLUMN_DESCRIPTIONS[SIGNALS.path]),
)
def learning_signals(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
    engine: dg.ResourceParam[Engine],
) -> dg.MaterializeResult:
    """Compute the signals as of the last day of this run."""
    day = as_of(context)
    bank = newest(lake, ITEM_BANK, until=day)
    if bank is None or not has_models(lake, until=day):
        return nothing_yet(registry, settings, day, asset="item_bank" if bank is None else "student_models")
    task = SignalsTask(lake, bank, assignments_of(lake, day=day, settings=settings), day, settings)
    made = list(engine.map(stage_signals, task, range(lake.shards), say=step_log(context), describe=_learners))
    written = lake.commit([staged for staged, _ in made], whole=True)[SIGNALS.folder(day=day)]
    return dg.MaterializeResult(
        metadata={"rows_out": written.rows, "learners": sum(learners for _, learners in made)},
        data_version=dg.DataVersion(written.version),
    )


@daily_asset(
    "recommendations",
    deps=["learning_signals", "item_bank", "student_models", "recommendation_outcomes", "overrides"],
    description="For every active learner what should happen next: one of seven kinds, with its level, reasons in "
    "plain words, evidence, confidence, content and expected effect. Rank 1 is the learner's recommendation.",
    kinds={"polars", "parquet"},
    metadata=columns(RECOMMENDATIONS, COLUMN_DESCRIPTIONS[RECOMMENDATIONS.path]),
    freshness_policy=fresh_within(hours=FRESH_HOURS),
    check_specs=[
        dg.AssetCheckSpec(
            ONE_EACH,
            asset="recommendations",
            description="Every learner with signals has exactly one recommendation of rank 1, at a level from 1 to 10.",
        ),
        dg.AssetCheckSpec(
            AS_BEFORE,
            asset="recommendations",
            description="About as many learners have a recommendation as on the newest day before that holds any.",
        ),
        dg.AssetCheckSpec(
            SOUND,
            asset="recommendations",
            description="The skill graph that was given has no cycle and no skill that no item practises.",
        ),
    ],
)
def recommendations(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
    engine: dg.ResourceParam[Engine],
) -> dg.MaterializeResult:
    """Decide and explain as of the last day of this run."""
    day = as_of(context)
    wording = load_wording(settings.policy)
    made_by = provenance(lake, day=day, wording=wording)  # before anything is read
    bank = newest(lake, ITEM_BANK, until=day)
    if bank is None:
        return nothing_yet(registry, settings, day, asset="item_bank", checks=CHECKS)
    if lake.manifest(SIGNALS, day=day) is None:
        raise missing("learning_signals", day, lake.days(SIGNALS))
    known = known_to_all(lake, bank, newest(lake, OUTCOMES, until=day), settings.policy)

    task = RecommendTask(lake, bank, known, day, settings.policy, wording, made_by)
    made = list(engine.map(stage_recommendations, task, range(lake.shards), say=step_log(context), describe=_told))
    written = lake.commit([staged for staged, _ in made], whole=True)[RECOMMENDATIONS.folder(day=day)]
    tally = sum((of_shard for _, of_shard in made), Tally())
    covered = coverage(lake, day)
    return dg.MaterializeResult(
        metadata={
            "rows_in": tally.rows_in,
            "rows_out": written.rows,
            "learners": tally.learners,
            "changed": tally.changed,
            "under a teacher's word": tally.overridden,
            "confidence rests on": known.confidence.outcomes,
            "by kind": _by_kind(tally),
        },
        data_version=dg.DataVersion(written.version),
        check_results=[
            _one_each(covered),
            _as_before(covered.recommended, learners_before(lake, day)),
            _sound(known.graph),
        ],
    )


def _learners(made: tuple[Staged, int]) -> str:
    return f"signals of {made[1]:,} learners"


def _told(made: tuple[Staged, Tally]) -> str:
    return f"{made[1].learners:,} learners"


def _sound(graph: SkillGraph) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=SOUND,
        passed=not graph.problems,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "edges left out": len(graph.problems),
            "first problems": "; ".join(graph.problems[:20]) or "none",
            "skills with prerequisites": graph.closure["skill_id"].n_unique(),
        },
    )


def _by_kind(tally: Tally) -> dg.MetadataValue:
    kinds = sorted(tally.kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    return dg.MetadataValue.table(
        [dg.TableRecord({"kind": kind, "learners": learners}) for kind, learners in kinds]
        or [dg.TableRecord({"kind": "none"})]
    )


def _one_each(covered: Coverage) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=ONE_EACH,
        passed=covered.one_each,
        metadata={
            "active learners": covered.active,
            "learners without": covered.without,
            "second recommendations of rank 1": covered.twice,
            "levels outside 1 to 10": covered.outside,
        },
        description=None if covered.active else "Nobody was active in the window: there was nothing to compare.",
    )


def _as_before(now: int, before: tuple[date, int] | None) -> dg.AssetCheckResult:
    """Fails where nobody is left, warns where fewer than half are, and says with which day it compared."""
    if before is None:
        return dg.AssetCheckResult(
            check_name=AS_BEFORE, passed=True, description="No earlier day holds recommendations: this is the first."
        )
    day, learners = before
    return dg.AssetCheckResult(
        check_name=AS_BEFORE,
        passed=now >= learners * FEWEST_OF_THE_DAY_BEFORE,
        severity=dg.AssetCheckSeverity.WARN if now else dg.AssetCheckSeverity.ERROR,
        metadata={"learners": now, f"learners on {day}": learners},
        description=f"{now:,} learners have a recommendation, {learners:,} had one on {day}.",
    )
