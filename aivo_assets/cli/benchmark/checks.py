"""`aivo benchmark students`: what a two-hourly check costs with so many learners and so much past."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import benchmark
from aivo_assets.cli.options import writable_file


def add_to(app: typer.Typer) -> None:
    """Add this module's commands to `aivo benchmark`, which `benchmarks` adds."""
    del app  # it has the group already


@benchmark.command("students")
def students(  # noqa: PLR0913, PLR0917 - one parameter an option
    learners: Annotated[str, typer.Option(help="Sizes of the lake, separated by commas.")] = "10000,100000",
    events_per_learner: Annotated[int, typer.Option(min=1, help="Answers in each learner's past.")] = 50,
    new_events: Annotated[int, typer.Option(min=1, help="New answers before each check.")] = 100_000,
    new_learners: Annotated[int, typer.Option(min=1, help="Learners who give them; at most half of all.")] = 20_000,
    checks: Annotated[int, typer.Option(min=1, help="Checks on the same day, each with other learners.")] = 2,
    late: Annotated[int, typer.Option(min=0, help="Learners with a late answer before a last check.")] = 100,
    days: Annotated[int, typer.Option(min=2, help="Days of the past.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the school, its answers and the model.")] = 0,
    folder: Annotated[
        Path | None, typer.Option(help="Folder in which lakes are made and removed. Default: a temporary one.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
    ] = None,
) -> None:
    """Seconds and memory of a two-hourly check on the student models: new answers, then late ones, at each size."""
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.students.student_lake import Size
    from aivo_assets.benchmarks.students.students import StudentsReport, measure_students
    from aivo_assets.settings import load_settings

    settings, lakes = load_settings(), []
    asked = machine() | {
        "past": f"{events_per_learner} answers a learner in {days} days",
        "new": f"{new_events:,} answers of {new_learners:,} learners (at most half of all)",
        "champion": f"at most {settings.training.max_iterations} trees of {settings.training.max_leaves} leaves, "
        f"learning rate {settings.training.learning_rate:g}, patience {settings.training.patience}",
        "seed": str(seed),
    }
    report = StudentsReport(asked=asked, lakes=())
    for many in sorted(int(number) for number in learners.split(",")):
        active = min(new_learners, many // 2)
        size = Size(many, events_per_learner, new_events, active, days, seed)
        with TemporaryDirectory(dir=folder) as home:
            lake = measure_students(
                size,
                settings,
                Path(home) / "lake",
                checks=checks,
                late=late,
                say=lambda line: typer.echo(line, err=True),
            )
        lakes.append(lake)
        report = StudentsReport(asked=asked, lakes=tuple(lakes))
        if json is not None:  # after each lake: the next one may not fit
            json.write_text(report.model_dump_json(indent=1))
    typer.echo(report.text())
