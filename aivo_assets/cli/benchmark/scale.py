"""`aivo benchmark scale`: what the work on learners costs by size of the lake and by engine."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import benchmark
from aivo_assets.cli.options import writable_file


def add_to(app: typer.Typer) -> None:
    """Add this module's commands to `aivo benchmark`, which `benchmarks` adds."""
    del app  # it has the group already


@benchmark.command("scale")
def scale(  # noqa: PLR0913, PLR0917 - one parameter an option
    learners: Annotated[str, typer.Option(help="Sizes of the lake, separated by commas; up to 10000000.")] = "1000000",
    events_per_learner: Annotated[int, typer.Option(min=1, help="Answers in each learner's past.")] = 50,
    new_events: Annotated[int, typer.Option(min=1, help="New answers before the check.")] = 1_000_000,
    new_learners: Annotated[int, typer.Option(min=1, help="Learners who give them; at most half of all.")] = 50_000,
    late: Annotated[int, typer.Option(min=1, help="Learners with a late answer after it.")] = 10_000,
    days: Annotated[int, typer.Option(min=2, help="Days of the past.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the school, its answers and the model.")] = 0,
    engines: Annotated[
        str, typer.Option(help="Engines, separated by commas; the others are compared with the first.")
    ] = "1 process,2 processes,2 Ray nodes",
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder in which lakes are made and removed (3 GiB a million learners). Default: temporary."),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
    ] = None,
) -> None:
    """Seconds, core seconds and memory of everything that is done for learners, by size and by engine."""
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.scale.engines import kind_named
    from aivo_assets.benchmarks.scale.report import ScaleReport
    from aivo_assets.benchmarks.scale.scale import measure_scale
    from aivo_assets.benchmarks.students.student_lake import Size
    from aivo_assets.settings import load_settings

    settings, sizes = load_settings(), []
    kinds = [kind_named(name.strip()) for name in engines.split(",")]
    asked = {
        "past": f"{events_per_learner} answers a learner in {days} days",
        "champion": f"at most {settings.training.max_iterations} trees of {settings.training.max_leaves} leaves",
        "seed": str(seed),
    }
    report = ScaleReport(asked=asked, sizes=())
    for many in _sizes(learners):
        size = Size(many, events_per_learner, new_events, min(new_learners, many // 2), days, seed)
        with TemporaryDirectory(dir=folder) as home:
            place = Path(home) / "lakes"
            cost = measure_scale(size, settings, place, kinds, late=late, say=lambda line: typer.echo(line, err=True))
        sizes.append(cost)
        report = ScaleReport(asked=asked | machine(), sizes=tuple(sizes))
        if json is not None:  # after each lake: the next one may not fit
            json.write_text(report.model_dump_json(indent=1))
    typer.echo(report.text())


def _sizes(text: str) -> list[int]:
    """Ascending, each once.

    Raises:
        typer.BadParameter: Something is no number, or fewer than 2.
    """
    words = [word.strip() for word in text.split(",")]
    wrong = [word for word in words if not word.isdecimal() or int(word) < 2]
    if wrong:
        raise typer.BadParameter(f"learners are whole numbers from 2, separated by commas; not {wrong[0]!r}")
    return sorted({int(word) for word in words})
