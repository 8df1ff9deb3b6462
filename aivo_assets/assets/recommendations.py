"""Stage 7, recommendations: the signals of every learner and skill, and what should happen next, with its evidence."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl

from aivo_assets.adaptive.confidence import Confidence
from aivo_assets.adaptive.prerequisites import SkillGraph, read_prerequisites, skill_graph
from aivo_assets.adaptive.recommendations import Known, code_version, recommend
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, OUTCOMES, RECOMMENDATIONS, SIGNALS
from aivo_assets.adaptive.signals_by_shard import assignments_of, signals_of
from aivo_assets.adaptive.wording import load_wording
from aivo_assets.assets.describe import columns, fresh_within, owned
from aivo_assets.assets.main_brain import NO_CHAMPION
from aivo_assets.assets.student_models import newest
from aivo_assets.automation.partitions import DAYS, ONE_RUN, as_of, note_days_passed_over
from aivo_assets.lake import Lake
from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets.settings import Settings
from aivo_assets.tracing.model_store import has_models, mastery_in_force


@dg.asset(
    deps=["anonymised_interactions", "student_models", "item_bank"],
    description="What a recommendation weighs, for every learner and skill active in the window: accuracy, time, "
    "focus, sessions, hints, level and what happened there, trends, and the main brain's answers.",
    partitions_def=DAYS,
    backfill_policy=ONE_RUN,
    kinds={"polars", "parquet"},
    metadata=columns(SIGNALS, COLUMN_DESCRIPTIONS[SIGNALS.path]),
    **owned("recommendations"),
)
def learning_signals(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Compute the signals as of the last day of this run."""
    day = as_of(context)
    note_days_passed_over(context)
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


@dg.asset(
    deps=["learning_signals", "item_bank", "student_models", "recommendation_outcomes", "overrides"],
    description="For every active learner what should happen next: one of seven kinds, with its level, reasons in "
    "plain words, evidence, confidence, content and expected effect. Rank 1 is the learner's recommendation.",
    partitions_def=DAYS,
    backfill_policy=ONE_RUN,
    kinds={"polars", "parquet"},
    metadata=columns(RECOMMENDATIONS, COLUMN_DESCRIPTIONS[RECOMMENDATIONS.path]),
    freshness_policy=fresh_within(hours=6),
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
    **owned("recommendations"),
)
def recommendations(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings], lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Decide and explain as of the last day of this run."""
    day = as_of(context)
    note_days_passed_over(context)
    bank = newest(lake, ITEM_BANK, until=day)
    if bank is None:
        return dg.MaterializeResult(metadata={"rows_out": 0, "note": NO_CHAMPION}, check_results=_nothing_to_check())
    graph, known = _known(lake, bank, day, settings)
    wording = load_wording(settings.policy)
    told: list[dict[str, int]] = []
    kinds: list[pl.DataFrame] = []

    def shards() -> Iterator[tuple[int, pl.DataFrame]]:
        made_by = _made_by(lake, day, wording.language)
        for shard in range(lake.shards):
            signals = lake.scan(SIGNALS, days=[day], shards=[shard]).collect()
            here = replace(known, mastery=_mastery(lake, day, shard, signals, graph))
            made = recommend(signals, bank, settings=settings.policy, wording=wording, made_by=made_by, known=here)
            told.append(_told(signals, made))
            kinds.append(made.filter(pl.col("rank") == 1).group_by("kind").agg(learners=pl.len()))
            yield shard, made

    written = lake.write_by_shard(RECOMMENDATIONS, shards(), day=day)
    counts = {name: sum(shard[name] for shard in told) for name in told[0]}
    return dg.MaterializeResult(
        metadata={
            "rows_in": counts["rows_in"],
            "rows_out": written.rows,
            "learners": counts["learners"],
            "changed": counts["changed"],
            "under a teacher's word": counts["override"],
            "confidence rests on": known.confidence.outcomes,
            "by kind": _by_kind(pl.concat(kinds)),
        },
        data_version=dg.DataVersion(written.version),
        check_results=[_one_each(counts), _sound(graph)],
    )


def _known(lake: Lake, bank: pl.DataFrame, day: date, settings: Settings) -> tuple[SkillGraph, Known]:
    """What is known beside the signals as of a day."""
    graph = SkillGraph.none()
    if settings.policy.prerequisites is not None:
        skills = bank["skill_ids"].explode(empty_as_null=True).drop_nulls().unique()
        graph = skill_graph(read_prerequisites(Path(settings.policy.prerequisites)), skills)
    known = Known(
        confidence=Confidence.fit(newest(lake, OUTCOMES, until=day), settings.policy),
        overrides=lake.scan(OVERRIDES).collect(),
        graph=graph,
    )
    return graph, known


def _mastery(lake: Lake, day: date, shard: int, signals: pl.DataFrame, graph: SkillGraph) -> pl.DataFrame | None:
    """Mastery of the learners who have signals, which only a skill graph asks for."""
    if graph.closure.is_empty():
        return None
    learners = signals["learner"].unique().implode()
    return mastery_in_force(lake, until=day, shards=[shard]).filter(pl.col("learner").is_in(learners)).collect()


def _told(signals: pl.DataFrame, made: pl.DataFrame) -> dict[str, int]:
    """What is told of the recommendations of a shard."""
    first = made.filter(pl.col("rank") == 1)
    learners = first["learner"].n_unique()
    return {
        "rows_in": signals.height,
        "learners": learners,
        "changed": int(made["changed"].sum()),
        "override": made["override"].count(),
        "without": signals["learner"].n_unique() - learners,
        "twice": first.height - learners,
        "outside": made.filter(~pl.col("recommended_level").is_between(1, 10)).height,
    }


def _made_by(lake: Lake, day: date, language: str) -> str:
    """Versions of the data and of the code, without which nobody could make the same again."""
    versions = {
        "signals": lake.version(SIGNALS, days=[day]),
        "item bank": lake.version(ITEM_BANK, until=day),
        "outcomes": lake.version(OUTCOMES, until=day),
        "overrides": lake.version(OVERRIDES),
        "code": code_version(),
    }
    return "; ".join([*(f"{name} {version[:12]}" for name, version in versions.items()), f"wording {language}"])


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


def _by_kind(kinds: pl.DataFrame) -> dg.MetadataValue:
    counts = kinds.group_by("kind").agg(pl.col("learners").sum()).sort("learners", "kind", descending=[True, False])
    return dg.MetadataValue.table(
        [dg.TableRecord(row) for row in counts.to_dicts()] or [dg.TableRecord({"kind": "none"})]
    )


def _one_each(told: dict[str, int]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name="one_for_every_active_learner",
        passed=not any(told[name] for name in ("without", "twice", "outside")),
        metadata={"learners without": told["without"], "levels outside 1 to 10": told["outside"]},
    )
