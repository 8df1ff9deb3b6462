"""What names people is kept for a while. Belongs here: the daily asset; what is due is in operations/ageing.py."""

import dagster as dg

from aivo_assets.assets.describe import owned
from aivo_assets.lake import Lake
from aivo_assets.operations.ageing import carry_out, plan
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings

NOTHING_OVERDUE = "nothing_overdue"


@dg.asset(
    description="Raw answers, names and the quarantine are kept for as long as the settings say "
    "(AIVO_RETENTION_RAW_DAYS, _NAMES_DAYS, _QUARANTINE_DAYS; `aivo retention plan` shows what is due). States do not "
    "hang on raw answers: they can be folded from nothing from the first anonymised day on.",
    kinds={"python"},
    check_specs=[
        dg.AssetCheckSpec(
            NOTHING_OVERDUE,
            asset="personal_retention",
            description="Nothing that names people is kept for longer than the settings say.",
        )
    ],
    **owned("ageing"),
)
def personal_retention(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    pseudonym_key: dg.ResourceParam[PseudonymKey],
) -> dg.MaterializeResult:
    """Remove what is due, and look whether anything still is."""
    removed = carry_out(lake, settings, pseudonym_key, clock.now(), context.run.run_id)
    left = plan(lake, settings, pseudonym_key, clock.now().date())
    overdue = {each.kind: len(each.due) for each in left if each.due}
    rebuilt_from = lake.days(ANONYMISED_INTERACTIONS)
    return dg.MaterializeResult(
        metadata={
            "rows_out": sum(removed.values()),
            **removed,
            "states can be rebuilt from": str(rebuilt_from[0]) if rebuilt_from else "nothing yet",
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=NOTHING_OVERDUE,
                passed=not overdue,
                metadata={"overdue": ", ".join(f"{kind}: {count}" for kind, count in overdue.items()) or "nothing"},
            )
        ],
    )
