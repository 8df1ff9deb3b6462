"""`aivo benchmark`: the figures of the documentation, for anyone to make again."""

from pathlib import Path
from typing import Annotated

import typer

benchmark = typer.Typer(help="Measure what the documentation claims.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(benchmark, name="benchmark")


@benchmark.command("features")
def features(
    file: Annotated[Path, typer.Argument(help="Parquet or CSV with learner, item, correct, and what else is known.")],
) -> None:
    """Rows a second and peak memory of the fold, end to end."""
