"""`aivo roster`, `aivo content`, `aivo audit`, `aivo link`: people by name, and who looked at them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import SettingsError

if TYPE_CHECKING:
    from aivo_assets.lake import Lake
    from aivo_assets.people.audit import AuditLog
    from aivo_assets.people.names import NameBook
    from aivo_assets.settings import Settings

roster = typer.Typer(help="Who is who: names, classes, teachers, parents.", no_args_is_help=True)
content = typer.Typer(help="Titles of skills and exercises.", no_args_is_help=True)
audit = typer.Typer(help="Who looked at whose name.", no_args_is_help=True)
link = typer.Typer(help="One-time links for learners and parents.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    for name, part in (("roster", roster), ("content", content), ("audit", audit), ("link", link)):
        part.callback()(_root)
        app.add_typer(part, name=name)


def _root() -> None:
    """Has commands below it."""


@roster.command("import")
def import_roster(
    file: Annotated[Path, typer.Argument(help="A OneRoster 1.1 or 1.2 zip, or a plain CSV.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be kept.")] = False,
) -> None:
    """Put a roster in the place of the one before; nothing is kept if anything in it is wrong."""
    from aivo_assets.people.oneroster import read_roster
    from aivo_assets.people.roster import replace_roster, to_rows

    _, lake = _opened()
    rows, account = to_rows(lake, read_roster(file), file.name)
    console = terminal()
    table = Table("record", "rows", box=None)
    for record, count in account.kept.items():
        table.add_row(record, f"{count:,}")
    console.print(table)
    for reason, count in sorted(account.left_out.items()):
        console.print(f"Left out: {count:,} × {reason}", markup=False)
    learners, classes = account.kept.get("learner", 0), account.kept.get("class", 0)
    console.print(
        f"{account.learners_with_answers:,} of {learners:,} learners are known to the lake, by {account.learners_by};"
        f" {account.classes_with_answers:,} of {classes:,} classes, by {account.classes_by}.",
        soft_wrap=True,
    )
    if dry_run:
        console.print("Nothing was kept: --dry-run.")
        return
    replace_roster(lake, rows, run="aivo roster import")
    console.print("Kept; the pages show it at the next request.")


@roster.command("find")
def find(name: Annotated[str, typer.Argument(help="A name, or a part of it.")]) -> None:
    """Pseudonyms of the learners of a name. The look is kept in the audit log."""
    settings, lake = _opened()
    book = _book(settings, lake)
    found = book.called(name)
    _log(settings).keep(who="command", role="operator", page="aivo roster find", whose=[who for who, _ in found])
    console = terminal()
    for who, says in found:
        console.print(f"{who}  {says}", markup=False, highlight=False, soft_wrap=True)
    if not found:
        console.print("No learner of the roster is called so.")


@roster.command("show")
def show() -> None:
    """How many people, classes and terms the roster holds, and where it comes from; no name."""
    import polars as pl

    from aivo_assets.people.roster import RAW_ROSTER

    _, lake = _opened()
    rows = lake.scan(RAW_ROSTER).group_by("record", "source").agg(pl.len()).sort("record").collect()
    table = Table("record", "rows", "source", box=None)
    for record, source, count in rows.iter_rows():
        table.add_row(record, f"{count:,}", source)
    terminal().print(table if rows.height else "There is no roster: aivo roster import FILE.")


@content.command("import")
def import_content(file: Annotated[Path, typer.Argument(help="A CSV with id, title, url, subject.")]) -> None:
    """Put titles of skills and exercises in the place of those before."""
    from aivo_assets.people.content import RAW_CONTENT, read_content

    _, lake = _opened()
    rows = read_content(file)
    lake.write(RAW_CONTENT, rows, made_by={"run": "aivo content import"})
    terminal().print(f"Kept: {rows.height:,} titles.")


@audit.command("show")
def show_audit(
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    learner: Annotated[str | None, typer.Option(help="Only looks at this pseudonym.")] = None,
    most: Annotated[int, typer.Option(min=1, help="Most looks shown, the newest.")] = 50,
) -> None:
    """Looks at names, the newest first."""
    settings, _ = _opened()
    table = Table("when (UTC)", "role", "who", "page", "names", box=None)
    looks = _log(settings).looks(first.date() if first else None, last.date() if last else None)
    shown = 0
    for look in looks:
        if learner is not None and learner not in look.whose:
            continue
        if shown == most:
            break
        shown += 1
        table.add_row(look.at[:19], look.role, look.who[:8], look.page, str(len(look.whose)))
    terminal().print(table if shown else "Nobody looked at a name.")


@link.command("make")
def make_link(
    person: Annotated[str, typer.Argument(help="Id of the person in the roster.")],
    role: Annotated[str | None, typer.Option(help="In which role; default: the one the person has.")] = None,
) -> None:
    """A link that signs one person in, once. Hand it over to them alone."""
    from aivo_assets.api.addresses import service_url
    from aivo_assets.people.sessions import Sessions

    settings, lake = _opened()
    found = [each for each in _book(settings, lake).find(person) if role in (None, each.role)]
    if not found:
        raise SettingsError(f"The roster has nobody with the id {person!r}", fix="Give the id of the roster file.")
    hours = settings.people.link_hours
    given = Sessions(settings.home, "links", hours, lambda: datetime.now(UTC)).make(found[0].id, found[0].role, "link")
    console = terminal()
    console.print(f"{service_url(settings.api)}/link/{given}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"For the {found[0].role}; it works once, within {hours:g} hours.")


def _opened() -> "tuple[Settings, Lake]":
    from aivo_assets.lake import open_lake
    from aivo_assets.settings import load_settings

    settings = load_settings()
    return settings, open_lake(settings)


def _book(settings: "Settings", lake: "Lake") -> "NameBook":
    from aivo_assets.people.names import Roster
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.resources.clock import PlatformClock

    today = PlatformClock(settings).now().date()
    book = Roster(lake, lambda: key_of_lake(settings, create=False), lambda: today).book()
    if book is None:
        raise SettingsError("There is no roster", fix="Import one: aivo roster import FILE.")
    return book


def _log(settings: "Settings") -> "AuditLog":
    from aivo_assets.people.audit import AuditLog

    return AuditLog(settings.home, settings.people.audit_days, lambda: datetime.now(UTC))
