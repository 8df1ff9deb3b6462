"""`aivo replay`: a stretch of time through the real definitions, at high speed, and a report of what came of it."""

import logging
import signal
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from aivo_assets.cli.options import (
    FirstDayOption,
    LastDayOption,
    MapOption,
    PathOption,
    SourceOption,
    day_range,
    settings_with,
)
from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import SettingsError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from aivo_assets.events.sources.base import Source
    from aivo_assets.replay.record import Record
    from aivo_assets.replay.ticks import Tick
    from aivo_assets.settings import Settings

REPLAYS = "replays"
NEVER = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)


def add_to(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("replay")(replay)


def replay(  # noqa: PLR0913, PLR0917 - one parameter an option
    source: SourceOption = None,
    path: PathOption = None,
    mapping: MapOption = None,
    first: FirstDayOption = None,
    last: LastDayOption = None,
    learners: Annotated[
        int | None, typer.Option(min=1, help="Replay only this many learners, drawn at random.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting for this replay: group.field=value, such as drift.retrain_score=0.2. May be repeated.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the replay. Default: below AIVO_HOME/replays.")] = None,
    compare: Annotated[Path | None, typer.Option(help="Folder of another replay to compare with.")] = None,
    every_tick: Annotated[
        bool, typer.Option("--every-tick", help="Also make the runs that could change nothing.")
    ] = False,
    documents: Annotated[
        bool,
        typer.Option(
            "--documents", help="Also make the documents for people: drift reports, model cards, policy evaluations."
        ),
    ] = False,
) -> None:
    """Replay past days through the real schedules, sensors and jobs, and report what was decided.

    Without --from and --to, the replay in --out is only compared with --compare.
    """
    console = terminal()
    if first is None and last is None and out is not None and compare is not None:
        _compare(out, compare, console)
        return
    if first is None or last is None:
        raise SettingsError("A replay needs --from and --to", fix="For example: --from 2012-09-01 --to 2012-10-26.")
    from aivo_assets.automation.replay.replaying import ReplayPlan
    from aivo_assets.automation.replay.replaying import replay as run_replay
    from aivo_assets.definitions import build_definitions
    from aivo_assets.events.sources.base import Window
    from aivo_assets.replay.choices import with_values
    from aivo_assets.replay.report import write_report

    days = day_range(first, last, otherwise=(date.min, date.max))
    settings = with_values(settings_with(source, path, mapping), values or [])
    settings = settings.model_copy(update={"pseudonym_key": _key(settings)})
    if out is not None and out.exists() and not out.is_dir():
        raise SettingsError(f"{out} is a file", fix="Name a folder with --out; it is made where it is absent.")
    folder = out or settings.home / REPLAYS / f"{settings.source.kind}_{days[0]}_{days[1]}"
    plan = ReplayPlan(Window(*days), folder.absolute(), learners, seed, every_tick=every_tick, documents=documents)
    for ends in (signal.SIGTERM, signal.SIGINT):  # both end it with a report; Dagster takes one for the other
        signal.signal(ends, signal.default_int_handler)
    logging.getLogger("aivo_assets").setLevel(logging.CRITICAL + 1)  # alerts of a time that is past are in the report
    record, costs = run_replay(build_definitions, plan, settings, _source(settings, days), say=_progress(console))
    console.print(f"\n{len(record.runs):,} runs in {costs.wall / 60:.1f} minutes{_until(record)}.")
    console.print(f"The report: {write_report(plan.out, record, costs)}", soft_wrap=True)
    if compare is not None:
        _compare(plan.out, compare, console)


def _until(record: "Record") -> str:
    return f", stopped on {record.last}" if record.ended == "stopped" else ""


def _source(settings: "Settings", days: tuple[date, date]) -> "Source":
    """The source with all that it will ever show; what is visible when is the feed's business."""
    from aivo_assets.events.sources import open_source
    from aivo_assets.events.sources.base import Window

    if settings.source.kind == "simulator":
        start = settings.simulator.start or days[0]
        whole = settings.simulator.model_copy(update={"start": start})
        end = Window(*days).end
        return open_source(settings.model_copy(update={"simulator": whole}), end)
    return open_source(settings, NEVER)


def _key(settings: "Settings") -> "SecretStr":
    """The key of the replays: equal in all of them, so that they decide equally; never the file of the platform."""
    from pydantic import SecretStr

    from aivo_assets.privacy.keys import key_path, load_key

    if settings.pseudonym_key is not None:
        return settings.pseudonym_key
    home = settings.model_copy(update={"home": settings.home / REPLAYS})
    load_key(home, create=True)
    return SecretStr(key_path(home.home).read_text().strip())


def _progress(console: Console) -> "Callable[[Tick], None]":
    """Says each day as it begins."""
    began, reported = datetime.now(UTC), date.min

    def say(tick: "Tick") -> None:
        nonlocal reported
        if tick.at.date() > reported:
            reported = tick.at.date()
            minutes = (datetime.now(UTC) - began).total_seconds() / 60
            console.print(Text.assemble(f"{reported:%a %Y-%m-%d}   ", (f"after {minutes:.1f} minutes", "dim")))

    return say


def _compare(first: Path, second: Path, console: Console) -> None:
    from aivo_assets.replay.comparison import write_comparison
    from aivo_assets.replay.record import RECORD, read

    if not (first / RECORD).exists():
        raise SettingsError(f"{first} holds no replay", fix="Replay first: --source … --from … --to … --out …")
    one, other = read(first), read(second)
    written = write_comparison(first, (first.name, *one), (second.name, *other))
    console.print(f"Both side by side: {written}", soft_wrap=True)
