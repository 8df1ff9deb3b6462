"""`aivo benchmark idle`: what a running platform takes while it has little to do."""

from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import benchmark


def add_to(app: typer.Typer) -> None:
    """The command is added with `aivo benchmark` itself; importing this module registered it there."""


@benchmark.command("idle")
def idle(minutes: Annotated[float, typer.Option(min=0.1, help="For how long to watch.")] = 4.0) -> None:
    """Core seconds a minute and memory of the `aivo up` that runs in AIVO_HOME."""
    from aivo_assets.benchmarks.idle import watch
    from aivo_assets.settings import load_settings

    used = watch(load_settings().home, minutes)
    typer.echo(
        f"{used.core_seconds_per_minute:.1f} core seconds a minute over {used.minutes:.1f} minutes; "
        f"{used.mebibytes:,.0f} MiB (PSS) and {used.python_processes} Python processes at the end"
    )
