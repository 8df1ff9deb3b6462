"""Upkeep: what only grows is kept for a while. Belongs here: the asset; what goes is in operations/retention.py."""

from datetime import UTC, datetime

import dagster as dg

from aivo_assets.assets.advice.policy_evaluation import POLICY_EVALUATION
from aivo_assets.assets.brain.main_brain import CANDIDATES
from aivo_assets.assets.describe import owned
from aivo_assets.automation.runs.old_runs import remove_old_runs
from aivo_assets.lake import Lake
from aivo_assets.operations.retention import prune
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
    removed = prune(lake, settings, clock.now().date(), others=(CANDIDATES, POLICY_EVALUATION))
    runs = remove_old_runs(context.instance, settings.retention, datetime.now(UTC))
    return dg.MaterializeResult(metadata={"rows_out": sum(removed.values()) + runs, **removed, "runs": runs})
