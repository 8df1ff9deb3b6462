"""Stage 7, recommendations: the signals of every learner and skill, and what should happen next, with its evidence."""

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl

from aivo_assets.adaptive.confidence import Confidence
from aivo_assets.adaptive.prerequisites import SkillGraph, read_prerequisites, skill_graph
from aivo_assets.adaptive.recommendations import Known, code_version, recommend
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, OUTCOMES, RECOMMENDATIONS, SIGNALS
from aivo_assets.adaptive.signals import assignment_sizes, compute_signals
from aivo_assets.adaptive.wording import load_wording
from aivo_assets.assets.describe import columns, fresh_within, owned
from aivo_assets.assets.main_brain import NO_CHAMPION
from aivo_assets.assets.student_models import newest
from aivo_assets.automation.partitions import DAYS, ONE_RUN, as_of, note_days_passed_over
from aivo_assets.lake import Lake
from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.model_store import has_models, mastery_in_force, students_in_force


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
    history = [day - timedelta(days=back) for back in range(settings.policy.history_days)]
    interactions = lake.scan(ANONYMISED_INTERACTIONS, days=history)
    signals = compute_signals(
        interactions,
        bank,
        mastery_in_force(lake, until=day).collect(),
        students_in_force(lake, until=day).collect(),
        lake.scan(RECOMMENDATIONS, days=history),
        as_of=day,
        settings=settings.policy,
        session_gap_minutes=settings.features.session_gap_minutes,
        interval=settings.students.interval,
        assignments=assignment_sizes(interactions),
    )
    written = lake.write(SIGNALS, signals, day=day)
    return dg.MaterializeResult(
        metadata={"rows_out": written.rows, "learners": signals["learner"].n_unique()},
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
    signals, bank = lake.scan(SIGNALS, days=[day]).collect(), newest(lake, ITEM_BANK, until=day)
    if bank is None:
        return dg.MaterializeResult(metadata={"rows_out": 0, "note": NO_CHAMPION}, check_results=_nothing_to_check())
    graph, known = _known(lake, bank, day, settings)
    wording = load_wording(settings.policy)
    made = recommend(
        signals,
        bank,
        settings=settings.policy,
        wording=wording,
        made_by=_made_by(lake, day, wording.language),
        known=known,
    )
    written = lake.write(RECOMMENDATIONS, made, day=day)
    return dg.MaterializeResult(
        metadata={
            "rows_in": signals.height,
            "rows_out": written.rows,
            "learners": made["learner"].n_unique(),
            "changed": int(made["changed"].sum()),
            "under a teacher's word": made["override"].count(),
            "confidence rests on": known.confidence.outcomes,
            "by kind": _by_kind(made),
        },
        data_version=dg.DataVersion(written.version),
        check_results=[_one_each(signals, made), _sound(graph)],
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
        mastery=mastery_in_force(lake, until=day).collect(),
    )
    return graph, known


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


def _by_kind(made: pl.DataFrame) -> dg.MetadataValue:
    counts = made.filter(pl.col("rank") == 1).group_by("kind").agg(learners=pl.len()).sort("learners", descending=True)
    return dg.MetadataValue.table(
        [dg.TableRecord(row) for row in counts.to_dicts()] or [dg.TableRecord({"kind": "none"})]
    )


def _one_each(signals: pl.DataFrame, made: pl.DataFrame) -> dg.AssetCheckResult:
    first = made.filter(pl.col("rank") == 1)
    missing = signals["learner"].n_unique() - first["learner"].n_unique()
    outside = made.filter(~pl.col("recommended_level").is_between(1, 10)).height
    return dg.AssetCheckResult(
        check_name="one_for_every_active_learner",
        passed=missing == 0 and first.height == first["learner"].n_unique() and outside == 0,
        metadata={"learners without": missing, "levels outside 1 to 10": outside},
    )
