"""Forgetting learners: what was asked, the removal, the search and the certificate. The work is in privacy/erasure.

Each asset goes on with every request that has not got so far, so a run that was killed is made good by the next one.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource

from aivo_assets.assets.champion import serving_champion
from aivo_assets.assets.describe import owned, step_log
from aivo_assets.lake import Lake
from aivo_assets.privacy.erasure import forgetting
from aivo_assets.privacy.erasure.forgetting import Ground
from aivo_assets.privacy.erasure.requests import open_requests
from aivo_assets.privacy.erasure.table import ask_for_rows
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.resources.clock import Clock
from aivo_assets.resources.instance import STORAGE_VARIABLE
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.warehouse import exclusive, publish, target_dir, warehouse_path

NOTHING_FOUND = "nothing_found"
_RUNNING = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]


@dg.asset(
    description="Requests to forget a learner: by `aivo forget`, and by the rows of a table (AIVO_FORGET_PATH). From "
    "here on the learner is left out of every extract, and everything by which they are found is written down.",
    kinds={"python"},
    **owned("erasure"),
)
def forget_requests(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    pseudonym_key: dg.ResourceParam[PseudonymKey],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Read the table, and put tombstones."""
    ground = _ground(context, settings, lake, pseudonym_key, registry, clock)
    asked = ask_for_rows(lake, settings, pseudonym_key, now=clock.now())
    learners = forgetting.bury_learners(ground, clock.now())
    return dg.MaterializeResult(metadata={"rows_in": asked, "rows_out": learners, "learners under way": learners})


@dg.asset(
    deps=["forget_requests"],
    description="Their rows, gone from the raw zone, the answers, the states and everything made of them; marts made "
    "again. Nobody else is folded again.",
    kinds={"parquet"},
    **owned("erasure"),
)
def forgotten_in_lake(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    pseudonym_key: dg.ResourceParam[PseudonymKey],
    registry: dg.ResourceParam[Registry],
    dbt: DbtCliResource,
) -> dg.MaterializeResult:
    """Remove their rows."""
    ground = _ground(context, settings, lake, pseudonym_key, registry, clock)
    removed = forgetting.remove_from_lake(ground, clock.now())
    if removed.get("marts"):
        with exclusive(warehouse_path(settings)):
            publish(lake, warehouse_path(settings))
            dbt.cli(["run"], target_path=target_dir(settings) / "runs" / context.run.run_id).wait()
    return dg.MaterializeResult(metadata={"rows_out": sum(removed.values()), **removed})


@dg.asset(
    deps=["forgotten_in_lake"],
    description="Old files, texts, logs and databases; then a search of every byte that is kept, and for each request "
    "a signed certificate: what was removed, what still remembers, and what backups must drop.",
    kinds={"python"},
    check_specs=[
        dg.AssetCheckSpec(
            NOTHING_FOUND,
            asset="forgetting_certificates",
            description="The search found nothing of learners who were forgotten, and no request waits for long.",
        )
    ],
    **owned("erasure"),
)
def forgetting_certificates(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
    pseudonym_key: dg.ResourceParam[PseudonymKey],
    registry: dg.ResourceParam[Registry],
) -> dg.MaterializeResult:
    """Search, and sign."""
    ground = _ground(context, settings, lake, pseudonym_key, registry, clock)
    standing = forgetting.close_requests(ground, clock.now())
    if standing.waits:
        context.log.info(standing.waits)
    return dg.MaterializeResult(
        metadata={
            "rows_out": len(standing.closed),
            "requests closed": len(standing.closed),
            "requests under way": len(open_requests(lake)),
            "waits for": standing.waits or "nothing",
            "still remembers": _remembers(standing.closed),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=NOTHING_FOUND,
                passed=not standing.found,
                metadata={"found": "; ".join(map(str, standing.found[:20])) or "nothing"},
                description=standing.waits or None,
            )
        ],
    )


def _ground(
    context: dg.AssetExecutionContext,
    settings: Settings,
    lake: Lake,
    key: PseudonymKey,
    registry: Registry,
    clock: Clock,
) -> Ground:
    def remembers(before: datetime) -> Mapping[str, Any] | None:
        serving = serving_champion(registry, settings)
        if serving is None or serving.version.registered_at > before:
            return None
        version = serving.version
        return {
            "what": "the main brain's champion",
            "version": version.number,
            "as_of": str(version.as_of),
            "registered_at": version.registered_at.isoformat(),
            "until": "the next training replaces it",
        }

    urls = (os.environ.get(STORAGE_VARIABLE), settings.models_database)
    databases = tuple(dict.fromkeys(url for url in urls if url))
    return Ground(lake, key, settings, databases, remembers, _busy(context, clock), step_log(context))


def _busy(context: dg.AssetExecutionContext, clock: Clock) -> Callable[[datetime], str | None]:
    """Whether a run that began before an instant goes on: it may write what it has read."""
    present: Callable[[datetime], datetime] = getattr(clock, "at", lambda instant: instant)

    def busy(before: datetime) -> str | None:
        for record in context.instance.get_run_records(dg.RunsFilter(statuses=_RUNNING)):
            began = present(record.create_timestamp.replace(tzinfo=record.create_timestamp.tzinfo or UTC))
            if record.dagster_run.run_id != context.run.run_id and began < before:
                return f"run {record.dagster_run.run_id} of {record.dagster_run.job_name} began before the removal"
        return None

    return busy


def _remembers(closed: tuple[Mapping[str, Any], ...]) -> str:
    told = {
        each["still_remembers"]["version"]: each["still_remembers"]["as_of"]
        for each in closed
        if each["still_remembers"]
    }
    return "; ".join(f"version {number}, as of {day}" for number, day in sorted(told.items())) or "nothing"
