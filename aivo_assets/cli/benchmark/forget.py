"""`aivo benchmark forget`: what it costs to forget learners of a lake of a given size."""

from pathlib import Path
from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import benchmark
from aivo_assets.cli.options import writable_file
from aivo_assets.cli.terminal import terminal


def add_to(app: typer.Typer) -> None:
    """The command is added with `aivo benchmark` itself; importing this module registered it there."""


@benchmark.command("forget")
def forget(
    learners: Annotated[int, typer.Option(min=10, help="Learners of the lake.")] = 20_000,
    answers: Annotated[int, typer.Option(min=1000, help="Answers of the lake.")] = 1_000_000,
    days: Annotated[int, typer.Option(min=1, help="Days over which they are spread.")] = 60,
    together: Annotated[int, typer.Option(min=1, help="Learners that are forgotten together.")] = 1000,
    to: Annotated[Path | None, typer.Option("--to", help="JSON file for the figures.", callback=writable_file)] = None,
) -> None:
    """Forget one learner, then many together, with the search of everything; on random answers."""
    from aivo_assets.benchmarks.forgetting import measure

    console = terminal()
    costs = measure(learners, answers, days, together, lambda line: console.print(line, style="dim"))
    console.print(
        f"{costs.learners:,} learners, {costs.answers:,} answers, {costs.days} days, {costs.lake_mib:,.0f} MiB"
    )
    for each in costs.passes:
        console.print(
            f"{each.learners:,} forgotten: {each.removal_seconds:.1f} s until their {each.rows:,} answers were gone,"
            f" {each.search_seconds:.1f} s for the search of everything ({each.found} places left)"
        )
    if to is not None:
        to.write_text(costs.to_json())
