"""`aivo retention plan`: what is kept for how long, what is due, and when the next will be; nothing is removed."""

import typer
from rich.table import Table

from aivo_assets.cli.terminal import terminal

retention = typer.Typer(help="How long anything is kept.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(retention, name="retention")


@retention.callback()
def _several() -> None:
    """Keep `plan` a command of its own."""


@retention.command("plan")
def plan() -> None:
    """Show what names people, for how long it may be kept, what is due to go and when. Nothing is removed."""
    from aivo_assets.lake import open_lake
    from aivo_assets.operations.ageing import plan as worked_out
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    settings = load_settings()
    kept = worked_out(
        open_lake(settings), settings, key_of_lake(settings, create=False), PlatformClock(settings).now().date()
    )
    table = Table("what", "kept for", "there are", "oldest", "due now", "next due", "setting")
    for each in kept:
        table.add_row(
            each.kind,
            "without end" if each.days is None else f"{each.days} days",
            f"{each.units:,} {each.unit}",
            "" if each.oldest is None else str(each.oldest),
            f"{len(each.due):,}",
            "" if each.next_due is None else str(each.next_due),
            each.setting,
        )
    console = terminal(width=160)
    console.print(table)
    endless = [each.setting for each in kept if each.days is None]
    if endless:
        console.print(f"Kept without end: set {' and '.join(endless)}. For children's data the law asks for an end.")
    keep = settings.retention
    console.print(
        f"Models, recommendations and reports: {keep.derived_days} days; scored answers: {keep.scored_days}; receipts:"
        f" {keep.receipt_days}; runs with their logs: {keep.run_days}. Backups are yours: let them go as soon.",
        soft_wrap=True,
    )
