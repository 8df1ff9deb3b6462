"""Stage 8, back to the start: what became of earlier recommendations, which the next ones' confidence rests on."""

import dagster as dg
import polars as pl

from aivo_assets.adaptive.advice.confidence import Confidence
from aivo_assets.adaptive.advice.outcomes import judge
from aivo_assets.adaptive.schema import COLUMN_DESCRIPTIONS, ITEM_BANK, OUTCOMES, RECOMMENDATIONS
from aivo_assets.assets.champion import nothing_yet
from aivo_assets.assets.describe import columns, daily_asset
from aivo_assets.assets.students.student_models import newest
from aivo_assets.automation.partitions import as_of
from aivo_assets.lake import Lake
from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry


@daily_asset(
    "recommendations",
    deps=["anonymised_interactions", "item_bank", "overrides"],
    description="Which expectations of earlier recommendations held: of the learner's next answers at the recommended "
    "level, were enough correct? The confidence of the next recommendations is calibrated on it, and a teacher's word "
    "stands beside each.",
    kinds={"polars", "parquet"},
    metadata=columns(OUTCOMES, COLUMN_DESCRIPTIONS[OUTCOMES.path]),
)
def recommendation_outcomes(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Judge the expectations of the last weeks as of the last day of this run."""
    day = as_of(context)
    bank = newest(lake, ITEM_BANK, until=day)
    if bank is None:
        return nothing_yet(registry, settings, day, asset="item_bank")
    judged = judge(
        lake.scan(RECOMMENDATIONS, until=day),
        lake.scan(ANONYMISED_INTERACTIONS, until=day),
        bank.lazy(),
        as_of=day,
        settings=settings.policy,
        overrides=lake.scan(OVERRIDES).collect(),
    )
    written = lake.write(OUTCOMES, judged, day=day)
    fitted = Confidence.fit(judged, settings.policy)
    return dg.MaterializeResult(
        metadata={
            "rows_out": written.rows,
            "learners": judged["learner"].n_unique(),
            "held": _mean(judged["held"]),
            "confidence was": _mean(judged["confidence"]),
            "calibration rests on": fitted.outcomes,
            "calibration": dg.MetadataValue.json(fitted.model_dump()),
            "by kind and teacher's word": _table(judged),
        },
        data_version=dg.DataVersion(written.version),
    )


def _mean(values: pl.Series) -> float:
    return round(float(values.cast(pl.Float64).mean() or 0.0), 3)  # type: ignore[arg-type]


def _table(judged: pl.DataFrame) -> dg.MetadataValue:
    rows = (
        judged.group_by("kind", word=pl.coalesce("override", "answered", pl.lit("none")))
        .agg(judged=pl.len(), held=pl.col("held").mean().round(3), confidence=pl.col("confidence").mean().round(3))
        .sort("kind", "word")
    )
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows.to_dicts()] or [dg.TableRecord({"judged": 0})])
