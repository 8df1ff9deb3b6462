"""`aivo demo`, `aivo run` and `aivo ingest`: events in, and everything that follows from them."""

import os
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aivo_assets.cli.options import (
    CorrectThresholdOption,
    CorrectValuesOption,
    FirstDayOption,
    LastDayOption,
    MapOption,
    PathOption,
    SourceOption,
    TimeFormatOption,
    TimeUnitOption,
    TimeZoneOption,
    day_range,
    reading_of,
    settings_with,
)
from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import SettingsError, nearest

if TYPE_CHECKING:
    import polars as pl

    from aivo_assets.events.receipts import Receipt
    from aivo_assets.settings import Settings

MAIN_JOB = "end_to_end"


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("demo")(demo)
    app.command("run")(run)
    app.command("ingest")(ingest)


def demo() -> None:
    """Make a simulated school and take it from raw events to recommendations and drift report."""
    from aivo_assets.api.addresses import service_url
    from aivo_assets.lake import open_lake
    from aivo_assets.people.simulated import write_simulated_roster
    from aivo_assets.privacy.lake_key import key_of_lake

    console = terminal()
    settings = settings_with("simulator", None, None)
    key_of_lake(settings, create=True)
    first, last = _simulated_days(settings)
    learners = f"{settings.simulator.learners:,} learners"
    summary = f" of {learners}, {first} to {last}, everything kept in {settings.home.absolute()}.\n"
    console.print(Text.assemble(("A simulated school", "bold"), summary))
    _run_and_tell(settings, (first, last), cause="aivo demo", console=console)
    write_simulated_roster(open_lake(settings), seed=settings.simulator.seed, run="aivo demo")
    said = "aivo up opens the pages with names: choose a teacher at "
    console.print(f"{said}{service_url(settings.api)}/sign-in", soft_wrap=True)


def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    source: SourceOption = None,
    path: PathOption = None,
    mapping: MapOption = None,
    time_unit: TimeUnitOption = None,
    time_format: TimeFormatOption = None,
    time_zone: TimeZoneOption = None,
    correct_values: CorrectValuesOption = None,
    correct_threshold: CorrectThresholdOption = None,
    first: FirstDayOption = None,
    last: LastDayOption = None,
    every: Annotated[
        str | None, typer.Option("--every", help="day or week: make a model as of each, not only as of the last day.")
    ] = None,
    job: Annotated[str, typer.Option("--job", help="Job to run. Default: everything.")] = MAIN_JOB,
) -> None:
    """Run a job over a range of days: data for every day, models as of the last one."""
    from aivo_assets.events.before_a_run import refuse_unreadable
    from aivo_assets.lake import calendar, open_lake
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.resources.clock import PlatformClock

    console = terminal()
    _refuse_unknown_job(job)
    reading = reading_of(time_unit, time_format, time_zone, correct_values, correct_threshold)
    settings = settings_with(source, path, mapping, reading)
    key_of_lake(settings, create=False)
    now = PlatformClock(settings).now()
    yesterday = now.date() - timedelta(days=1)
    days = day_range(first, last, otherwise=(yesterday, yesterday))
    parts = _parts(days, every)
    before = [] if every is not None or job != MAIN_JOB else _before_the_last(days, settings.schedule.days_per_run)
    parts = parts if not before else [(before[-1][1] + timedelta(days=1), days[1])]
    _refuse_days_to_come(days[1], now)
    tell_unused(console, settings)
    for sentence in refuse_unreadable(settings, now):
        console.print(sentence, soft_wrap=True)
    calendar.extend(open_lake(settings), days[0])
    for first_day, last_day in before:
        console.print(f"Data of {first_day} to {last_day}; models are made of the whole range by the last run.")
        _fill(settings, (first_day, last_day), console)
    for part in parts:
        _run_and_tell(settings, part, cause="aivo run", console=console, job=job)


def ingest(  # noqa: PLR0913, PLR0917 - one parameter an option
    source: SourceOption = None,
    path: PathOption = None,
    mapping: MapOption = None,
    time_unit: TimeUnitOption = None,
    time_format: TimeFormatOption = None,
    time_zone: TimeZoneOption = None,
    correct_values: CorrectValuesOption = None,
    correct_threshold: CorrectThresholdOption = None,
    first: FirstDayOption = None,
    last: LastDayOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how the source is read, ten events and the counts; land nothing.")
    ] = False,
) -> None:
    """Land events and learners in the raw zone, and say what was kept and what was set aside and why."""
    from aivo_assets.events.landing.account import refuse_nothing_kept
    from aivo_assets.events.landing.events import land, rehearse
    from aivo_assets.events.landing.learners import land_learners
    from aivo_assets.events.sources import open_source
    from aivo_assets.events.sources.base import Window
    from aivo_assets.lake import calendar, open_lake
    from aivo_assets.privacy.erasure.tombstones import without_forgotten
    from aivo_assets.privacy.lake_key import refuse_other_settings
    from aivo_assets.resources.clock import PlatformClock

    console = terminal()
    reading = reading_of(time_unit, time_format, time_zone, correct_values, correct_threshold)
    settings = settings_with(source, path, mapping, reading)
    refuse_other_settings(settings)
    now = PlatformClock(settings).now()
    lake = open_lake(settings)
    opened = without_forgotten(open_source(settings, now), lake, settings)
    window = None
    if first is not None or last is not None:
        window = Window(*day_range(first, last, otherwise=(date(1990, 1, 1), now.date())))
    tell_unused(console, settings)
    for sentence in opened.how_read():
        console.print(sentence, soft_wrap=True)
    if dry_run:
        receipt, events = rehearse(lake, opened, window=window, now=now)
        console.print(_shown(events))
        _tell_account(console, receipt)
        console.print("Nothing was landed: --dry-run.")
        refuse_nothing_kept(receipt, window)
        return
    name = f"aivo-ingest-{now:%Y%m%dT%H%M%S}-{os.getpid()}"  # two at once have a receipt each
    receipt = land(lake, opened, window=window, now=now, run=name)
    land_learners(lake, opened, now=now, run=name)
    if receipt.days_changed:
        calendar.extend(lake, min(receipt.days_changed))
    refuse_nothing_kept(receipt, window)
    _tell_account(console, receipt)
    if receipt.set_aside:
        console.print("The rows with their reasons: aivo lake show raw/quarantine", style="dim")


def _tell_account(console: Console, receipt: "Receipt") -> None:
    """What became of the rows, and why some were set aside."""
    from aivo_assets.events.landing.account import lines, outcome, reasons, remarks

    for sentence in lines(receipt):
        console.print(sentence, soft_wrap=True)
    console.print(f"{receipt.source}: {outcome(receipt)}", soft_wrap=True)
    for sentence in (*reasons(receipt), *remarks(receipt)):
        console.print(sentence, soft_wrap=True)


def _shown(events: "pl.DataFrame") -> Table:
    """Events as a table; columns that are empty in all of them are left out."""
    names = [name for name in events.columns if name != "event_id" and events[name].null_count() < events.height]
    table = Table(title="The first events as they would be kept", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    for row in events.select(names).iter_rows():
        table.add_row(*map(_cell, row))
    return table


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S.%f} UTC".replace(".000000", "")
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def tell_unused(console: Console, settings: "Settings") -> None:
    """Name the settings that were given and that the source does not use."""
    from aivo_assets.events.sources.unused import unused_settings

    for sentence in unused_settings(settings.source):
        console.print(sentence, style="yellow", soft_wrap=True)


def _simulated_days(settings: "Settings") -> tuple[date, date]:
    """First and last day of the demo, which the simulator fixes at first use."""
    from aivo_assets.events.sources.simulator import first_school_day
    from aivo_assets.lake import calendar, open_lake
    from aivo_assets.resources.clock import PlatformClock

    now = PlatformClock(settings).now()
    first = first_school_day(settings.simulator, settings.home, now)
    last = min(first + timedelta(days=settings.simulator.days - 1), now.date() - timedelta(days=1))
    calendar.extend(open_lake(settings), first)
    return first, last


def _refuse_unknown_job(name: str) -> None:
    from aivo_assets.operations.jobs.names import EVERY_JOB

    if name not in EVERY_JOB:
        raise SettingsError(
            f"There is no job {name!r}{nearest(name, EVERY_JOB)}", fix=f"The jobs are {', '.join(EVERY_JOB)}."
        )


def _refuse_days_to_come(last: date, now: datetime) -> None:
    if last > now.date():
        raise SettingsError(
            f"--to {last} lies in the future: today is {now:%Y-%m-%d} (UTC)", fix="Name a last day that has begun."
        )


def _parts(days: tuple[date, date], every: str | None) -> list[tuple[date, date]]:
    """Cut a range so that each part ends where a model is wanted."""
    if every is None:
        return [days]
    steps = {"day": 1, "week": 7}
    if every not in steps:
        raise SettingsError(f"--every {every!r} is neither day nor week", fix="Leave it out for one model.")
    parts, first = [], days[0]
    while first <= days[1]:
        last = min(first + timedelta(days=steps[every] - 1), days[1])
        parts.append((first, last))
        first = last + timedelta(days=1)
    return parts


def _before_the_last(days: tuple[date, date], most: int) -> list[tuple[date, date]]:
    """What of a long range is filled before the run that makes the models, in parts of at most so many days."""
    parts, first = [], days[0]
    while (days[1] - first).days >= most:
        last = first + timedelta(days=most - 1)
        parts.append((first, last))
        first = last + timedelta(days=1)
    return parts


def _fill(settings: "Settings", days: tuple[date, date], console: Console) -> None:
    """Land and anonymise the answers of some days, and make nothing of them."""
    from aivo_assets.cli.running import run_job
    from aivo_assets.operations.jobs.names import FILLING_JOB
    from aivo_assets.resources.instance import open_instance

    with open_instance(settings) as instance:
        run_job(FILLING_JOB, settings, instance, days=days, cause="aivo run", console=console)


def _run_and_tell(
    settings: "Settings", days: tuple[date, date], *, cause: str, console: Console, job: str = MAIN_JOB
) -> None:
    from aivo_assets.adaptive.advice.plans import outdated
    from aivo_assets.cli.running import run_job
    from aivo_assets.cli.summary import tell
    from aivo_assets.lake import open_lake
    from aivo_assets.operations.jobs.names import UPDATE_JOB
    from aivo_assets.resources.instance import open_instance

    with open_instance(settings) as instance:
        outcome = run_job(job, settings, instance, days=days, cause=cause, console=console)
        recommended = any(step.name == "recommendations" for step in outcome.steps)
        changed = outdated(open_lake(settings), day=days[1]).height if recommended else 0
        if changed:  # no daemon is there whose sensor would see to it
            because = f"{cause}; its recommendations changed a level or a plan of {changed} learners"
            last = (days[1], days[1])
            run_job(UPDATE_JOB, settings, instance, days=last, cause=because, console=console)
    tell(console, outcome, settings, as_of=days[1])
