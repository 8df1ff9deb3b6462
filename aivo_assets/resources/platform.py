"""Builds what assets are given, from settings. Belongs here: construction and one line of description each; no work.

Assets ask for these by name and type (`lake: dg.ResourceParam[Lake]`) and get the plain object. Tests hand others in.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource

from aivo_assets.engine import Engine, build_engine
from aivo_assets.lake import Lake, open_lake
from aivo_assets.operations.alerts.outbox import build_outbox
from aivo_assets.operations.jobs.names import EVERY_JOB
from aivo_assets.operations.jobs.run_locks import FOLDER, hold
from aivo_assets.operations.published import publish_gold
from aivo_assets.privacy.lake_key import key_of_lake
from aivo_assets.resources.clock import Clock, PlatformClock
from aivo_assets.resources.run_watch import watched
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.warehouse import dbt_executable, environment, project_dir


def build_resources(settings: Settings, *, clock: Clock | None = None) -> Mapping[str, dg.ResourceDefinition]:
    """The resources of all assets, schedules and sensors, by name.

    Args:
        settings: What everything is built from.
        clock: The clock that all of it reads. Default: that of the settings.
    """

    def given(value: Any, description: str) -> dg.ResourceDefinition:
        return dg.ResourceDefinition.hardcoded_resource(value, description=description)

    clock = clock or PlatformClock(settings)
    outbox = build_outbox(settings.alerts, settings.home)
    return {
        "settings": given(settings, "Every setting with its present value; see `aivo settings`."),
        "clock": given(clock, "Tells the time, UTC."),
        "lake": dg.ResourceDefinition(
            lambda context: _lake_of_run(context, settings, watch=isinstance(clock, PlatformClock)),
            description=f"Datasets below {settings.lake_url}.",
        ),
        "engine": dg.ResourceDefinition(
            lambda _: _engine(settings),
            description="Where the work on shards runs: in this process, in several, or on a Ray cluster.",
        ),
        "pseudonym_key": dg.ResourceDefinition(
            lambda _: key_of_lake(settings, create=False),
            description="Secret of the pseudonyms; only what reads the raw zone asks for it.",
        ),
        "registry": given(
            Registry(settings.home, settings.models_database),
            "MLflow registry of the main brain: champion, challenger, history.",
        ),
        "notifier": given(outbox, "Where alerts go: the outbox, which keeps them until everybody has been told."),
        "outbox": given(outbox, "Keeps alerts, and tries again what could not be delivered."),
        "dbt": dg.ResourceDefinition(
            lambda _: _dbt(settings), description="Runs dbt over the anonymised lake, into the warehouse."
        ),
    }


def _lake_of_run(context: dg.InitResourceContext, settings: Settings, *, watch: bool) -> Lake | Iterator[Lake]:
    # Every job asks for the lake, so this is where a run begins to hold its lock and to be watched; a sensor's look is
    # no run. What is materialised by hand has a process for each step, and is over only when all of them are: it holds
    # no lock, and its steps end with the process that started them. A replay ends its runs itself.
    if context.run is None or context.instance is None:
        return open_lake(settings)
    is_ours = context.run.job_name in EVERY_JOB
    if is_ours:
        hold(Path(context.instance.root_directory) / FOLDER / context.run.run_id)
    if not watch:
        return open_lake(settings)
    return _watched_lake(context.instance, context.run.run_id, settings, parent=not is_ours)


def _watched_lake(instance: dg.DagsterInstance, run_id: str, settings: Settings, *, parent: bool) -> Iterator[Lake]:
    with watched(instance, run_id, parent=parent):
        lake = open_lake(settings)
        yield lake
        if parent and settings.lake.delta:  # jobs have an asset for it, which fails where this cannot be done
            publish_gold(lake)


def _engine(settings: Settings) -> Iterator[Engine]:
    engine = build_engine(settings)
    try:
        yield engine
    finally:
        engine.close()


def _dbt(settings: Settings) -> DbtCliResource:
    os.environ.update(environment(settings))  # dbt runs as a process of its own and reads its paths there
    project = str(project_dir())
    return DbtCliResource(project_dir=project, profiles_dir=project, dbt_executable=str(dbt_executable()))
