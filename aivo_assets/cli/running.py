"""Runs a job in the terminal, for several commands. The run itself is automation/runs/in_process.py."""

from collections.abc import Sequence
from datetime import date

from rich.console import Console

from aivo_assets.automation.runs.in_process import Outcome, progress_logger, run_in_process
from aivo_assets.definitions import build_definitions
from aivo_assets.resources.instance import Instance
from aivo_assets.settings import Settings


def run_job(
    name: str,
    settings: Settings,
    instance: Instance,
    *,
    days: tuple[date, date],
    cause: str,
    console: Console,
    assets: Sequence[str] | None = None,
) -> Outcome:
    """Run a job of the definitions over a range of days, in this process.

    Args:
        name: Name of the job.
        settings: Settings that the definitions are built from.
        instance: Where the run is recorded.
        days: First and last day, inclusive.
        cause: Who or what asked for the run; kept as a tag.
        console: Where progress goes.
        assets: Of the job, only these. Default: all.

    Raises:
        AivoError: A step failed; with the step's own error where it is one of ours.
    """
    definitions = build_definitions(settings, loggers={"console": progress_logger(console)})
    log = settings.home / "logs" / "run.log"
    return run_in_process(definitions.resolve_job_def(name), instance, log=log, days=days, cause=cause, assets=assets)
