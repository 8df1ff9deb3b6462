"""What Dagster loads: one builder, whose settings, resources and clock tests and replays may replace."""

import logging
from collections.abc import Mapping

import dagster as dg

from aivo_assets.assets import all_assets
from aivo_assets.assets.delta_tables import equal_to_the_lake
from aivo_assets.automation.alerting import SHOWS_ALERTS
from aivo_assets.automation.checks import build_checks
from aivo_assets.automation.jobs import build_jobs
from aivo_assets.automation.partitions import DAYS_BEFORE_ANY_EVENT, narrow
from aivo_assets.automation.schedules import build_schedules
from aivo_assets.automation.sensors import build_sensors
from aivo_assets.lake import calendar, open_lake
from aivo_assets.operations.doors import close_doors
from aivo_assets.resources.clock import Clock, PlatformClock
from aivo_assets.resources.platform import build_resources
from aivo_assets.settings import Settings, load_settings

_log = logging.getLogger(__name__)


def build_definitions(
    settings: Settings,
    *,
    clock: Clock | None = None,
    resources: Mapping[str, dg.ResourceDefinition] | None = None,
    loggers: Mapping[str, dg.LoggerDefinition] | None = None,
) -> dg.Definitions:
    """Everything that Dagster is to know.

    Args:
        settings: What all of it is built from.
        clock: The clock that everything reads. Default: that of the settings.
        resources: Resources that replace the ones of the same name.
        loggers: Loggers of the runs. Default: Dagster's own.
    """
    clock = clock or PlatformClock(settings)
    first_day = calendar.first_day(open_lake(settings), otherwise=clock.now().date() - DAYS_BEFORE_ANY_EVENT)
    return dg.Definitions(
        assets=[*narrow(all_assets(settings), first_day), SHOWS_ALERTS],
        asset_checks=[*build_checks(), *([equal_to_the_lake] if settings.lake.delta else [])],
        jobs=build_jobs(),
        schedules=build_schedules(settings, clock.at if isinstance(clock, PlatformClock) else None),
        sensors=build_sensors(settings),
        resources={**build_resources(settings, clock=clock), **(resources or {})},
        loggers=loggers,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of a code location, built from its environment."""
    settings = load_settings()
    for sentence in close_doors(settings):
        _log.warning(sentence)
    return build_definitions(settings)
