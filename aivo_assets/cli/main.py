"""The commands of `aivo`, and how an error reaches a person. Each command's work is in a module of its own."""

import os
import sys
import warnings

import typer
from rich.console import Console
from rich.markup import escape

from aivo_assets.cli import (
    alerts,
    benchmark,
    data,
    keys,
    operate,
    override,
    registry,
    replay,
    student,
    train,
    why,
)
from aivo_assets.errors import AivoError

app = typer.Typer(
    name="aivo",
    help="Knowledge tracing, student models and recommendations that train themselves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (
    data,
    operate,
    train,
    student,
    registry,
    keys,
    override,
    why,
    alerts,
    replay,
    *benchmark.PARTS,
):
    part.add_to(app)


def main() -> None:
    """Run the command line; an error of ours ends it with what was wrong, what to do, and the error's exit code."""
    # Threads of OpenMP that wait by spinning slow down everything else on a busy machine, themselves included.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.filterwarnings("ignore", category=Warning, module=r"dagster|dbt|mlflow|evidently|litestar")
    try:
        app()
    except AivoError as error:
        console = Console(stderr=True)
        kind = type(error).__name__.removesuffix("Error")
        console.print(f"[bold red]{kind}:[/] {escape(error.what)}", highlight=False, soft_wrap=True)
        console.print(f"  → {error.fix}", highlight=False, markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
