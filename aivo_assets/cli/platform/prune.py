"""`aivo prune`: remove now what the asset `retention` removes every day."""

import typer

from aivo_assets.cli.terminal import terminal


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("prune")(prune)


def prune() -> None:
    """Remove what has been kept for as long as AIVO_RETENTION_… says: old days, runs, versions, builds, receipts."""
    from aivo_assets.assets.retention import remove_what_is_old
    from aivo_assets.lake import open_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.resources.instance import open_instance
    from aivo_assets.settings import load_settings

    settings, console = load_settings(), terminal()
    with open_instance(settings) as instance:
        removed = remove_what_is_old(instance, open_lake(settings), settings, PlatformClock(settings).now().date())
    for kind, number in removed.items():
        if number:
            console.print(f"{number:,} {kind}", highlight=False)
    if not any(removed.values()):
        console.print("Nothing was old enough. `aivo settings` tells how long each kind is kept (AIVO_RETENTION_…).")
