"""Stage 2, the privacy line: what leaves the raw zone, without persons. Everything after reads only from here on."""

from datetime import date

import dagster as dg

from aivo_assets.assets.describe import columns, daily_asset, owned
from aivo_assets.automation.partitions import days_of
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.damage import damaged_days
from aivo_assets.operations.ageing import aged_out
from aivo_assets.privacy.anonymise import AnonymiseTask, stage_days
from aivo_assets.privacy.anonymise import anonymise_learners as anonymise_table
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.lake_key import keep_key
from aivo_assets.privacy.places import places
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS, COLUMN_DESCRIPTIONS
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings

DAYS_AT_ONCE = 31


@daily_asset(
    "privacy",
    description="Answers without persons: keyed pseudonyms, times floored to the privacy resolution, exact order and "
    "gaps as whole numbers, and no column that is not on the allow-list.",
    deps=["raw_interactions"],
    kinds={"parquet", "polars"},
    metadata=columns(ANONYMISED_INTERACTIONS, COLUMN_DESCRIPTIONS),
)
def anonymised_interactions(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    lake: dg.ResourceParam[Lake],
    pseudonym_key: dg.ResourceParam[PseudonymKey],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult:
    """Anonymise the days of this run, a month at a time; of a day whose raw file is damaged, what there is stays."""
    keep_key(lake, pseudonym_key)
    days = days_of(context)
    damaged = damaged_days(lake, RAW_INTERACTIONS, days)
    if damaged:
        context.log.warning(
            f"Raw events of {', '.join(map(str, damaged))} cannot be read; these days stay as they are."
        )
    aged = aged_out(lake, settings, days, clock.now().date())
    if aged:
        context.log.info(f"Raw answers of {len(aged)} days, the first {aged[0]}, were kept for long enough; they stay.")
    task = AnonymiseTask(lake, pseudonym_key, settings.privacy)
    months = _months([day for day in days if day not in {*damaged, *aged}])
    # In this process on every engine: the key leaves neither it nor the machine.
    made = [stage_days(task, month) for month in months]
    lake.commit(one for staged, _ in made for one in staged)
    rows = sum(rows for _, rows in made)
    return dg.MaterializeResult(
        metadata={"rows_in": rows, "rows_out": rows, "columns that left": len(ANONYMISED_INTERACTIONS.schema)},
        data_version=dg.DataVersion(lake.version(ANONYMISED_INTERACTIONS, days=days)),
    )


@dg.asset(
    description="What may be known of each learner: age bands and attributes, generalised and suppressed until every "
    "combination is shared by at least k learners of the same school, classes and teachers, as these stand in answers.",
    deps=["raw_learners", "anonymised_interactions"],
    kinds={"parquet", "polars"},
    metadata=columns(ANONYMISED_LEARNERS, COLUMN_DESCRIPTIONS),
    **owned("privacy"),
)
def anonymised_learners(
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    pseudonym_key: dg.ResourceParam[PseudonymKey],
) -> dg.MaterializeResult:
    """Generalise the learner table."""
    keep_key(lake, pseudonym_key)
    raw = lake.scan(RAW_LEARNERS).collect()
    beside = places(lake.scan(ANONYMISED_INTERACTIONS), settings.privacy.alike_within)
    made = anonymise_table(raw, pseudonym_key, settings.privacy, lake.shards, clock.now().date(), beside)
    written = lake.write(ANONYMISED_LEARNERS, made.frame)
    return dg.MaterializeResult(
        metadata={
            "rows_in": raw.height,
            "rows_out": made.frame.height,
            "k asked for": made.report.k,
            "alike within": settings.privacy.alike_within,
            "k achieved": made.report.achieved_k or 0,
            "learners suppressed": made.report.suppressed_learners,
            "cells suppressed": sum(made.report.suppressed_cells.values()),
            "cells generalised": sum(made.report.generalised_cells.values()),
            "detail lost": round(made.report.loss, 3),
        },
        data_version=dg.DataVersion(written.version),
    )


def _months(days: list[date]) -> list[list[date]]:
    return [days[first : first + DAYS_AT_ONCE] for first in range(0, len(days), DAYS_AT_ONCE)]
