"""Upkeep: what only grows is kept for a while. Belongs here: the asset; what goes is in operations/retention.py."""

from datetime import UTC, date, datetime

import dagster as dg

from aivo_assets.assets.advice.policy_evaluation import POLICY_EVALUATION
from aivo_assets.assets.brain.main_brain import CANDIDATES
from aivo_assets.assets.describe import owned
from aivo_assets.automation.runs.old_runs import remove_old_runs
from aivo_assets.lake import Lake
from aivo_assets.operations.retention import prune
from aivo_assets.pages.reading.learner_words import LEARNER_WORDS
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings


@dg.asset(
    deps=["recommendations", "drift_report"],
    description="What only grows is kept for as long as the settings say (AIVO_RETENTION_…): old days of models and "
    "reports, scored answers, receipts, searches, runs with their event logs. Answers are never removed; what is "
    "removed is made again when it is asked for.",
    kinds={"python"},
    **owned("upkeep"),
)
def retention(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
) -> dg.MaterializeResult:
    """Remove what has been kept for long enough, and say what it was."""
    removed = remove_what_is_old(context.instance, lake, settings, clock.now().date())
    return dg.MaterializeResult(metadata={"rows_out": sum(removed.values()), **removed})


def remove_what_is_old(instance: dg.DagsterInstance, lake: Lake, settings: Settings, today: date) -> dict[str, int]:
    """Remove what has been kept for long enough, of every kind; kind to number of what went."""
    removed = prune(lake, settings, today, others=(CANDIDATES, POLICY_EVALUATION, LEARNER_WORDS))
    return removed | {"runs": remove_old_runs(instance, settings.retention, datetime.now(UTC))}
