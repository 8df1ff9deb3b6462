"""Stage 7, recommendations: the signals of every learner and skill, and what should happen next, with its evidence."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from aivo_assets.adaptive.advice.recommendations_by_shard import Tally, known_to_all, provenance, recommendations_of
from aivo_assets.adaptive.advice.wording import load_wording
from aivo_assets.adaptive.policy.prerequisites import SkillGraph
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, OUTCOMES, RECOMMENDATIONS, SIGNALS
from aivo_assets.adaptive.signals.signals_by_shard import assignments_of, signals_of
from aivo_assets.assets.brain.main_brain import NO_CHAMPION
from aivo_assets.assets.describe import FRESH_HOURS, columns, daily_asset, fresh_within
from aivo_assets.assets.students.student_models import newest
from aivo_assets.automation.partitions import as_of
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.students.model_store import has_models


@daily_asset(
    "recommendations",
    deps=["anonymised_interactions", "student_models", "item_bank"],
    description="What a recommendation weighs, for every learner and skill active in the window: accuracy, time, "
    "focus, sessions, hints, level and what happened there, trends, and the main brain's answers.",
    kinds={"polars", "parquet"},
    metadata=columns(SIGNALS, COLUMN_DESCRIPTIONS[SIGNALS.path]),
)
def learning_signals(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Compute the signals as of the last day of this run."""
    day = as_of(context)
    bank = newest(lake, ITEM_BANK, until=day)
    if bank is None or not has_models(lake, until=day):
        return dg.MaterializeResult(metadata={"rows_out": 0, "note": NO_CHAMPION})
    assignments = assignments_of(lake, day=day, settings=settings)
    learners = 0

    def shards() -> Iterator[tuple[int, pl.DataFrame]]:
        nonlocal learners
        for shard in range(lake.shards):
            signals = signals_of(lake, shard, bank, assignments, day=day, settings=settings)
            learners += signals["learner"].n_unique()
            yield shard, signals

    written = lake.write_by_shard(SIGNALS, shards(), day=day)
    return dg.MaterializeResult(
        metadata={"rows_out": written.rows, "learners": learners},
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
            "one_for_every_active_learner",
            asset="recommendations",
            description="Every learner with signals has exactly one recommendation of rank 1, at a level from 1 to 10.",
        ),
        dg.AssetCheckSpec(
            "skill_graph_is_sound",
            asset="recommendations",
            description="The skill graph that was given has no cycle and no skill that no item practises.",
        ),
    ],
)
def recommendations(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Decide and explain as of the last day of this run."""
    day = as_of(context)
    wording = load_wording(settings.policy)
    made_by, tally = provenance(lake, day=day, wording=wording), Tally()  # before anything is read
    bank = newest(lake, ITEM_BANK, until=day)
    if bank is None:
        return dg.MaterializeResult(metadata={"rows_out": 0, "note": NO_CHAMPION}, check_results=_nothing_to_check())
    known = known_to_all(lake, bank, newest(lake, OUTCOMES, until=day), settings.policy)

    def shards() -> Iterator[tuple[int, pl.DataFrame]]:
        nonlocal tally
        for shard in range(lake.shards):
            made, here = recommendations_of(
                lake, shard, bank, known, day=day, settings=settings.policy, wording=wording, made_by=made_by
            )
            tally += here
            yield shard, made

    written = lake.write_by_shard(RECOMMENDATIONS, shards(), day=day)
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
        check_results=[_one_each(tally), _sound(known.graph)],
    )


def _nothing_to_check() -> list[dg.AssetCheckResult]:
    names = ("one_for_every_active_learner", "skill_graph_is_sound")
    return [dg.AssetCheckResult(check_name=name, passed=True, description=NO_CHAMPION) for name in names]


def _sound(graph: SkillGraph) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="skill_graph_is_sound",
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


def _one_each(tally: Tally) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="one_for_every_active_learner",
        passed=tally.one_each,
        metadata={"learners without": tally.without, "levels outside 1 to 10": tally.outside},
    )
