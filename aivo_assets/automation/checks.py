"""Checks across stages, which no single asset can answer. A check of one asset stands with the asset."""

from datetime import date

import dagster as dg
import polars as pl

from aivo_assets.automation.alerting import ALERTS, CHECK, show
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake
from aivo_assets.lake.damage import damaged_days
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS


@dg.asset_check(
    asset="anonymised_interactions",
    name="as_many_as_raw",
    description="Each day has as many anonymised answers as raw ones: none was lost or doubled at the privacy line.",
    blocking=True,
)
def as_many_as_raw(context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
    """Compare the days of this run."""
    days = [date.fromisoformat(key) for key in context.op_execution_context.partition_keys]
    damaged = damaged_days(lake, RAW_INTERACTIONS, days)  # what was made of them before they were stays as it is
    days = [day for day in days if day not in damaged]
    raw = lake.scan(RAW_INTERACTIONS, days=days).select(pl.len()).collect().item()
    anonymised = lake.scan(ANONYMISED_INTERACTIONS, days=days).select(pl.len()).collect().item()
    metadata = {"raw": raw, "anonymised": anonymised, "days that cannot be read": len(damaged)}
    return dg.AssetCheckResult(passed=raw == anonymised, metadata=metadata)


@dg.asset_check(
    asset=ALERTS,
    name=CHECK,
    description="Everybody who is to be told of an alert has been told. The sensor alert_watch answers it by itself.",
)
def every_alert_delivered(outbox: dg.ResourceParam[Outbox]) -> dg.AssetCheckResult:
    """Look into the outbox now."""
    _, check, _ = show(outbox.entries())
    return dg.AssetCheckResult(passed=check.passed, metadata=check.metadata)


def build_checks() -> list[dg.AssetChecksDefinition]:
    """All checks across stages."""
    return [as_many_as_raw, every_alert_delivered]
