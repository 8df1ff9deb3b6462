"""The last word on privacy: every derived file, report and piece of metadata is searched for raw values."""

import json

import dagster as dg
import polars as pl

from aivo_assets.assets.describe import owned
from aivo_assets.errors import LakeError
from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.damage import damaged_days
from aivo_assets.lake.lake_reader import polars_options
from aivo_assets.people.roster import people_as_learners
from aivo_assets.privacy.artefacts import Text, artefacts_below
from aivo_assets.privacy.leak_scan import Finding, scan
from aivo_assets.privacy.raw_values import RawValues

SECONDS_TO_SETTLE = 5
MARTS = ("dim_items", "dim_skills", "fct_learner_skill_daily", "mart_class_progress")


@dg.asset(
    deps=["recommendations", "drift_report", "training_need", *MARTS],
    description="Every file past the raw zone, every report and all asset metadata, searched for raw identifiers, "
    "names, e-mails and birth dates.",
    kinds={"polars"},
    check_specs=[
        dg.AssetCheckSpec(
            "no_raw_values",
            asset="privacy_audit",
            description="Nothing raw was found past the raw zone.",
            blocking=True,
        )
    ],
    **owned("audit"),
)
def privacy_audit(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> dg.MaterializeResult:
    """Search everything derived."""
    _refuse_damage(lake)
    known = pl.concat([lake.scan(RAW_LEARNERS), people_as_learners(lake)], how="diagonal")
    raw = RawValues.collect(lake.scan(RAW_INTERACTIONS), known, raw_overrides(lake).lazy())
    artefacts = [*artefacts_below(lake.root, options=polars_options(lake.storage)), *_metadata(context)]
    try:
        findings = scan(raw, artefacts)
    except FileNotFoundError as gone:  # replaced twice while the search went on; it starts over with those that exist
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=SECONDS_TO_SETTLE) from gone
    return dg.MaterializeResult(
        metadata={"rows_in": raw.frame.height, "rows_out": len(findings), "places searched": len(artefacts)},
        check_results=[
            dg.AssetCheckResult(
                check_name="no_raw_values",
                passed=not findings,
                metadata={"findings": _table(findings), "raw values sought": raw.frame.height},
            )
        ],
    )


def _refuse_damage(lake: Lake) -> None:
    """An audit that does not know all raw values would say too much.

    Raises:
        LakeError: The file of a day is damaged.
    """
    damaged = damaged_days(lake, RAW_INTERACTIONS, lake.days(RAW_INTERACTIONS))
    if damaged:
        raise LakeError(
            f"The raw events of {', '.join(map(str, damaged))} cannot be read, so what to search for is not known",
            fix="Bring their files back from a backup; the alert about damaged files names them.",
        )


def _metadata(context: dg.AssetExecutionContext) -> list[Text]:
    """The latest metadata of every asset, as texts."""
    texts = []
    for key in context.instance.all_asset_keys():
        event = context.instance.get_latest_materialization_event(key)
        if event is not None and event.asset_materialization is not None:
            values = {name: str(value.value) for name, value in event.asset_materialization.metadata.items()}
            texts.append(Text.of(f"metadata of {key.to_user_string()}", json.dumps(values)))
    return texts


def _table(findings: list[Finding]) -> dg.MetadataValue:
    if not findings:
        return dg.MetadataValue.text("none")
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"artefact": each.artefact, "place": each.place, "kind": each.kind, "count": each.count})
            for each in findings[:100]
        ]
    )
