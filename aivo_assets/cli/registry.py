"""`aivo registry`: which main brains there are, which is champion, and the way back."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from aivo_assets.resources.clock import SystemClock
from aivo_assets.settings import load_settings
from aivo_assets.tracing.registry import Registry

registry = typer.Typer(help="Versions of the main brain.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(registry, name="registry")


@registry.command("list")
def list_versions() -> None:
    """Every version with its scores, newest first."""
    kept = Registry(load_settings().home)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("version", "as of", "registered", "AUC", "log loss", "calibration error", ""):
        table.add_column(heading)
    for version in kept.versions():
        scores = kept.evaluation(version.number).scores
        table.add_row(
            str(version.number), str(version.as_of), f"{version.registered_at:%Y-%m-%d %H:%M}",
            "" if scores.auc is None else f"{scores.auc:.4f}", f"{scores.log_loss:.4f}", f"{scores.ece:.4f}",
            ", ".join(version.aliases),
        )  # fmt: skip
    Console().print(table)


@registry.command("show")
def show(number: Annotated[int, typer.Argument(help="Which version.")]) -> None:
    """Everything that was measured of a version, and what made it."""
    kept = Registry(load_settings().home)
    version, evaluation = kept.version(number), kept.evaluation(number)
    console = Console()
    console.print(
        f"[bold]Version {version.number}[/] as of {version.as_of}, {', '.join(version.aliases) or 'no alias'}"
    )
    for name, value in sorted(version.tags.items()):
        console.print(f"  {name}: {value}", highlight=False)
    console.print_json(evaluation.model_dump_json(exclude={"reliability", "days"}))


@registry.command("history")
def history() -> None:
    """Every change of champion, with its reason."""
    for move in Registry(load_settings().home).moves():
        Console().print(
            f"{move.at:%Y-%m-%d %H:%M} {move.kind}: {move.before} → {move.after}, asked by {move.by}. {move.reason}",
            highlight=False,
        )


@registry.command("rollback")
def rollback(reason: Annotated[str, typer.Option(help="Why; it is kept.")]) -> None:
    """Make the last sound champion before the present one champion again."""
    move = Registry(load_settings().home).rollback(
        asked_by="aivo registry rollback", reason=reason, now=SystemClock().now()
    )
    Console().print(f"Version {move.after} is champion again; it was {move.before}.")
