"""Checks across stages, which no single asset can answer. A check of one asset stands with the asset."""

from datetime import date

import dagster as dg

from aivo_assets.automation.alerting import ALERTS, CHECK, show
from aivo_assets.errors import LakeError
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.commits.damage import damaged_days
from aivo_assets.operations.ageing import aged_out
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings

SHOWN = 20
"""So many days that differ are named."""


@dg.asset_check(
    asset="anonymised_interactions",
    name="as_many_as_raw",
    description="Each day has as many anonymised answers as raw ones: none was lost or doubled at the privacy line.",
    blocking=True,
)
def as_many_as_raw(
    context: dg.AssetCheckExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.AssetCheckResult:
    """Compare the days of this run; every day there is where the check was started without one."""
    days = _days_of(context) or sorted({*lake.days(RAW_INTERACTIONS), *lake.days(ANONYMISED_INTERACTIONS)})
    if not days:
        raise LakeError(
            "There is no day to compare: the lake holds neither raw nor anonymised answers",
            fix="Materialise raw_interactions and anonymised_interactions of a day first.",
        )
    damaged = damaged_days(lake, RAW_INTERACTIONS, days)  # what was made of them before they were stays as it is
    counted = [(day, _rows(lake, RAW_INTERACTIONS, day), _rows(lake, ANONYMISED_INTERACTIONS, day)) for day in days]
    # Raw answers that were kept for long enough are gone, and what was made of them stays.
    aged = [day for day, raw, _ in counted if raw == 0 and lake.manifest(RAW_INTERACTIONS, day=day) is None]
    aged = aged_out(lake, settings, aged, clock.now().date())
    compared = [row for row in counted if row[0] not in {*damaged, *aged}]
    differing = [
        f"{day}: {raw:,} raw, {anonymised:,} anonymised" for day, raw, anonymised in compared if raw != anonymised
    ]
    rows = sum(raw for _, raw, _ in compared)
    return dg.AssetCheckResult(
        passed=not differing and bool(compared),
        metadata={
            "raw": rows,
            "anonymised": sum(anonymised for *_, anonymised in compared),
            "days compared": len(compared),
            "days that differ": "; ".join(differing[:SHOWN]) or "none",
            "days that cannot be read": len(damaged),
        },
        # What cannot be read stops nothing: its own alert tells of it.
        severity=dg.AssetCheckSeverity.ERROR if differing else dg.AssetCheckSeverity.WARN,
        description=_compared(len(compared), rows),
    )


def _compared(days: int, rows: int) -> str:
    if not days:
        return "Nothing was compared: no day of this run can be read."
    return f"{rows:,} raw answers of {days:,} days compared." if rows else "Nobody answered on these days."


def _days_of(context: dg.AssetCheckExecutionContext) -> list[date]:
    """The days that a run covers; none where it was started without any."""
    run = context.op_execution_context
    named = run.has_partition_key or run.has_partition_key_range
    return [date.fromisoformat(key) for key in run.partition_keys] if named else []


def _rows(lake: Lake, dataset: Dataset, day: date) -> int:
    manifest = lake.manifest(dataset, day=day)
    return 0 if manifest is None else int(manifest["rows"])


@dg.asset_check(
    asset=ALERTS,
    name=CHECK,
    description="Everybody who is to be told of an alert has been told. The sensor alert_watch answers it by itself.",
)
def every_alert_delivered(outbox: dg.ResourceParam[Outbox]) -> dg.AssetCheckResult:
    """Look into the outbox now."""
    _, check, _ = show(outbox.entries())
    waiting = check.metadata["undelivered"].value
    return dg.AssetCheckResult(
        passed=check.passed, metadata=check.metadata, description=f"{waiting} alerts wait to be delivered."
    )


def build_checks() -> list[dg.AssetChecksDefinition]:
    """All checks across stages."""
    return [as_many_as_raw, every_alert_delivered]
