"""The command `aivo up`. Which services it runs is in `platform.py`, and how they are kept in `services.py`."""

from typing import Annotated

import typer

from aivo_assets.cli.terminal import terminal


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("up")(up)


def up(
    host: Annotated[str, typer.Option(help="Address that the web UI listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the web UI.")] = 3000,
) -> None:
    """Start the pages (port 8009), Dagster's web UI and daemon, schedules and sensors on; Ctrl-C stops everything."""
    from aivo_assets.api.security import refuse_open_door
    from aivo_assets.cli.platform.platform import run_platform
    from aivo_assets.operations.server.one_home import only_platform
    from aivo_assets.settings import load_settings

    console = terminal()
    settings = load_settings()
    refuse_open_door(settings.api)
    with only_platform(settings.home.absolute()):
        run_platform(settings, host, port, console)
    console.print("Stopped.")
