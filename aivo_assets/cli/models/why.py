"""`aivo why`: the chain of a run, from cause to effect, which automation/runs/why.py finds."""

from typing import Annotated

import typer

from aivo_assets.cli.terminal import terminal


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("why")(why)


def why(run: Annotated[str, typer.Argument(help="Id of the run, or its first eight characters.")]) -> None:
    """Explain why a run was started, on what evidence, what it did, and what that led to."""
    from aivo_assets.automation.runs.why import explain
    from aivo_assets.lake import open_lake
    from aivo_assets.resources.instance import open_instance
    from aivo_assets.settings import load_settings

    settings = load_settings()
    console = terminal()
    with open_instance(settings) as instance:
        for line in explain(instance, open_lake(settings), run):
            console.print(line, soft_wrap=True)
