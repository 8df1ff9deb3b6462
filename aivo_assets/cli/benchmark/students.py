"""`aivo benchmark intervals` and `aivo benchmark personalisation`: are student models honest, and worth having?"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.cli.benchmark.commands import FileArgument, MatrixOption, answers_of, benchmark, parts_of
from aivo_assets.cli.options import readable_file, writable_file

if TYPE_CHECKING:
    from aivo_assets.benchmarks.students.true_skills import KnownSchool

JsonOption = Annotated[
    Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
]


def add_to(app: typer.Typer) -> None:
    """The commands are added with `aivo benchmark` itself; importing this module registered them there."""


@benchmark.command("intervals")
def intervals(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A file of real answers, on which counts in blocks are checked. Default: simulated schools.",
            callback=readable_file,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Simulated schools.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first of them.")] = 0,
    learners: Annotated[int, typer.Option(min=50, help="Learners of each; half of them are checked.")] = 1200,
    days: Annotated[int, typer.Option(min=2, help="Days of each.")] = 40,
    q_matrix: MatrixOption = None,
    json: JsonOption = None,
) -> None:
    """How often the bands of ability and mastery contain the truth, by events seen and by time since practice."""
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.students.block_cover import BlockReport, measure_blocks
    from aivo_assets.benchmarks.students.intervals import CoverReport, measure_schools
    from aivo_assets.settings import load_settings

    settings = load_settings()
    asked = {"nominal cover": f"{settings.students.interval:.0%}"}
    report: CoverReport | BlockReport
    if file is not None:
        events = answers_of(file, q_matrix)
        report = measure_blocks(events, settings.features, settings.students)
        asked |= {"file": file.name, "seed": str(settings.students.interval_seed)}
    else:
        schools = _schools(learners, days, range(first_seed, first_seed + seeds))
        report = measure_schools(
            schools, settings.features, settings.students, say=lambda step: typer.echo(step, err=True)
        )
        asked |= {"schools": f"{seeds} of {learners:,} learners and {days} days, seeds from {first_seed}"}
    report = report.model_copy(update={"asked": asked | machine()})
    typer.echo(report.text())
    if json is not None:
        json.write_text(report.model_dump_json(indent=1))


def _schools(learners: int, days: int, seeds: range) -> "Iterator[KnownSchool]":
    from aivo_assets.benchmarks.students.true_skills import live

    return (live(learners=learners, days=days, seed=seed) for seed in seeds)


@benchmark.command("personalisation")
def personalisation(
    file: FileArgument,
    folds: Annotated[int, typer.Option(min=2, help="Folds of learners.")] = 5,
    fold: Annotated[int | None, typer.Option(min=0, help="Only this fold, counted from 0.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the folds.")] = 0,
    q_matrix: MatrixOption = None,
    test: Annotated[
        Path | None, typer.Option(help="A file of other learners to test on.", callback=readable_file)
    ] = None,
    learners: Annotated[
        int | None, typer.Option(min=50, help="Only this many learners of the file, drawn by the seed. Default: all.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Log loss with an empty state, with the learner's, and with further personal parameters, by events seen."""
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.students.personalisation import measure_personalisation
    from aivo_assets.settings import load_settings

    settings = load_settings()
    read = partial(answers_of, q_matrix=q_matrix)
    parts = parts_of(file, test, read, protocol="learners", folds=folds, fold=fold, seed=seed, learners=learners)
    report = measure_personalisation(
        parts, settings.features, settings.training, say=lambda step: typer.echo(step, err=True)
    )
    which = f"learners, {'fold ' + str(fold) if fold is not None else 'all folds'} of {folds}, seed {seed}"
    which += f", {learners:,} learners drawn" if learners else ""
    asked = {"file": file.name, **({"test file": test.name} if test else {"protocol": which})}
    report = report.model_copy(update={"asked": asked | machine()})
    typer.echo(report.text())
    if json is not None:
        json.write_text(report.model_dump_json(indent=1))
