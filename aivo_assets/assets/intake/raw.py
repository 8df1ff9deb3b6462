"""Stage 1, the raw zone: events and learners as given, and what was set aside. Personal data lives here only."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import dagster as dg

from aivo_assets.assets.describe import FRESH_HOURS, columns, daily_spec, fresh_within, owned
from aivo_assets.automation.partitions import ONE_RUN, days_of
from aivo_assets.errors import SourceUnreachableError
from aivo_assets.events.arrivals import FILE_KINDS
from aivo_assets.events.landing.account import lines, outcome, reasons, refuse_nothing_kept, remarks
from aivo_assets.events.landing.events import land
from aivo_assets.events.landing.learners import land_learners
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.base import Window
from aivo_assets.lake import Lake, calendar
from aivo_assets.lake.commits.damage import damaged_days
from aivo_assets.operations.jobs.names import READ_AT
from aivo_assets.privacy.erasure.tombstones import without_forgotten
from aivo_assets.resources.clock import Clock
from aivo_assets.settings import Settings

TRIES_AGAIN = 2
SECONDS_TO_NEXT_TRY = 5.0  # doubles from one to the next


@dg.multi_asset(
    name="ingest",
    specs=[
        daily_spec(
            "events",
            "raw_interactions",
            description="Every answer of every learner, by the UTC day on which it happened. Raw identifiers: nothing "
            "past the privacy stage reads it. The same extract twice changes nothing; late events land in their day.",
            kinds={"parquet"},
            metadata=columns(RAW_INTERACTIONS),
            freshness_policy=fresh_within(hours=FRESH_HOURS),
        ),
        daily_spec(
            "events",
            "quarantine",
            description="Rows that could not be kept, each with file, line, column, value and reason. Raw zone.",
            kinds={"parquet"},
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "every_row_accounted_for",
            asset="raw_interactions",
            description="rows in = kept + duplicates + set aside, for every extract, and the lake's days have as many "
            "rows more as were kept.",
            blocking=True,
        )
    ],
    backfill_policy=ONE_RUN,
    pool="ingest",
)
def ingest(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
) -> Iterator[dg.MaterializeResult]:
    """Read the source for the days of this run and land what is new."""
    days = days_of(context)
    now = clock.now()
    with _tried_again(context):
        source = without_forgotten(open_source(settings, now), lake, settings)
        for sentence in source.how_read():
            context.log.info(sentence)
        window = Window(_first_to_read(lake, settings, days, now), days[-1])
        receipt = land(lake, source, window=window, now=now, run=context.run.run_id)
        for sentence in (*lines(receipt), outcome(receipt), *reasons(receipt)):
            context.log.info(sentence)
        for sentence in remarks(receipt):
            context.log.warning(sentence)
        refuse_nothing_kept(receipt, window)
    _report_late_days(context, lake, receipt)
    too_early = _too_early(receipt, window)
    if too_early:
        context.log.warning("; ".join(f"{name}: {rows}" for name, rows in too_early.items()))
    yield dg.MaterializeResult(
        asset_key="raw_interactions",
        metadata={
            READ_AT: now.isoformat(),
            "rows_in": receipt.rows_in,
            "rows_out": receipt.kept,
            "duplicates": receipt.duplicates,
            "set_aside": receipt.set_aside,
            "forgotten": receipt.forgotten,
            "rows in the lake": _rows_by_manifest(lake, days),
            **too_early,
            **_damage(lake),
        },
        data_version=dg.DataVersion(lake.version(RAW_INTERACTIONS, days=days)),
        check_results=[_every_row_accounted_for(receipt)],
    )
    yield dg.MaterializeResult(
        asset_key="quarantine",
        metadata={"set_aside": receipt.set_aside, "reasons": _reasons(receipt)},
    )


@dg.asset(
    description="What the school knows of each learner. Raw zone; optional.",
    kinds={"parquet"},
    metadata=columns(RAW_LEARNERS),
    **owned("events"),
)
def raw_learners(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
) -> dg.MaterializeResult:
    """Read the source's learner table and merge it: the latest word on a learner wins."""
    now = clock.now()
    with _tried_again(context):
        source = without_forgotten(open_source(settings, now), lake, settings)
        receipt = land_learners(lake, source, now=now, run=context.run.run_id)
    return dg.MaterializeResult(
        metadata={"rows_in": receipt.rows_in, "rows_out": receipt.kept, "set_aside": receipt.set_aside},
        data_version=dg.DataVersion(lake.version(RAW_LEARNERS)),
    )


def _every_row_accounted_for(receipt: Receipt) -> dg.AssetCheckResult:
    counted = receipt.kept + receipt.duplicates + receipt.set_aside
    return dg.AssetCheckResult(
        check_name="every_row_accounted_for",
        passed=receipt.rows_in == counted and receipt.stored == receipt.kept,
        metadata={
            "rows in": receipt.rows_in,
            "kept": receipt.kept,
            "rows more in the lake": receipt.stored,
            "duplicates": receipt.duplicates,
            "set aside": receipt.set_aside,
        },
    )


def _first_to_read(lake: Lake, settings: Settings, days: list[date], now: datetime) -> date:
    """The first day that is landed: of a watched file past days as well, because answers come late.

    These are the days that the lake knows, as far back as the settings say. Only a run that brings the platform up to
    the present does so; one over past days lands only these.
    """
    if settings.source.kind not in FILE_KINDS or days[-1] < now.date() - timedelta(days=1):
        return days[0]
    known = calendar.first_day(lake, otherwise=days[0])
    return min(days[0], max(known, days[-1] - timedelta(days=settings.schedule.late_days)))


def _too_early(receipt: Receipt, window: Window) -> dict[str, int]:
    """Rows of days before all that are read; nobody lands them unless these days are asked for."""
    if not receipt.before_window:
        return {}
    last = window.first - timedelta(days=1)
    return {f"rows not read, of {receipt.earliest} to {last} (aivo run --from … lands them)": receipt.before_window}


@contextmanager
def _tried_again(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Ask for another try only where one can help: a file that is wrong stays wrong, and so does an interrupt.

    Dagster's retry policy would start a step again that a person has just ended.
    """
    try:
        yield
    except SourceUnreachableError as error:
        if context.retry_number >= TRIES_AGAIN:
            raise
        pause = SECONDS_TO_NEXT_TRY * 2**context.retry_number
        raise dg.RetryRequested(max_retries=TRIES_AGAIN, seconds_to_wait=pause) from error


def _report_late_days(context: dg.AssetExecutionContext, lake: Lake, receipt: Receipt) -> None:
    """Tell Dagster of days outside this run that got events, so that what depends on them shows as out of date."""
    for day in sorted(set(receipt.days_changed) - set(days_of(context))):
        context.log_event(
            dg.AssetMaterialization(
                "raw_interactions",
                partition=day.isoformat(),
                description="Late events landed here.",
                tags={"dagster/data_version": lake.version(RAW_INTERACTIONS, days=[day])},
            )
        )


def _rows_by_manifest(lake: Lake, days: list[date]) -> int:
    manifests = (lake.manifest(RAW_INTERACTIONS, day=day) for day in days)
    return sum(int(manifest["rows"]) for manifest in manifests if manifest is not None)


def _damage(lake: Lake) -> dict[str, str]:
    """Days that stay damaged after this landing, if any; the alert says what can be done."""
    days = damaged_days(lake, RAW_INTERACTIONS, lake.days(RAW_INTERACTIONS))
    return {"days with a damaged file": ", ".join(map(str, days))} if days else {}


def _reasons(receipt: Receipt) -> dg.MetadataValue:
    """Counts by reason; the values themselves stay in the raw zone."""
    if not receipt.by_reason:
        return dg.MetadataValue.text("nothing was set aside")
    return dg.MetadataValue.table(
        [dg.TableRecord({"reason": reason, "rows": count}) for reason, count in sorted(receipt.by_reason.items())]
    )
