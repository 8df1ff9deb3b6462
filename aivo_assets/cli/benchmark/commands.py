"""`aivo benchmark`: the figures of the documentation, for anyone to make again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aivo_assets.cli.benchmark.drift import drift
from aivo_assets.cli.options import readable_file, writable_file
from aivo_assets.errors import SourceError

if TYPE_CHECKING:
    from aivo_assets.benchmarks.partitions import Part

benchmark = typer.Typer(help="Measure what the documentation claims.", no_args_is_help=True)

FileArgument = Annotated[
    Path,
    typer.Argument(help="Parquet or CSV with learner, item, correct, and what else is known.", callback=readable_file),
]
MatrixOption = Annotated[
    Path | None, typer.Option("--q-matrix", help="Sparse item x skill matrix (.npz).", callback=readable_file)
]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(benchmark, name="benchmark")


benchmark.command("drift")(drift)


@benchmark.command("features")
def features(
    file: FileArgument,
    rows: Annotated[
        int | None, typer.Option(help="Scale to about this many events; learners are left out or repeated whole.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Repetitions; the median counts.")] = 3,
    q_matrix: MatrixOption = None,
) -> None:
    """Rows per second and peak memory of the fold, end to end."""
    from aivo_assets.benchmarks.accuracy.features import measure_features
    from aivo_assets.benchmarks.interactions import read_interactions
    from aivo_assets.settings import load_settings

    events = read_interactions(file, q_matrix=q_matrix)
    typer.echo(measure_features(events, load_settings().features, rows=rows, repeat=repeat).report())


@benchmark.command("accuracy")
def accuracy(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: FileArgument,
    protocol: Annotated[
        Literal["learners", "time"],
        typer.Option(help="learners: test learners are new. time: train before a cut, predict after it."),
    ] = "learners",
    folds: Annotated[int, typer.Option(min=2, help="Folds of learners.")] = 5,
    fold: Annotated[int | None, typer.Option(min=0, help="Only this fold, counted from 0.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the folds.")] = 0,
    q_matrix: MatrixOption = None,
    test: Annotated[
        Path | None, typer.Option(help="A file of other learners to test on.", callback=readable_file)
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
    ] = None,
    peer: Annotated[
        list[str] | None, typer.Option(help="A peer to compare with: pybkt, if it is installed. May be repeated.")
    ] = None,
    peer_python: Annotated[
        str, typer.Option(help="Python interpreter in which the peers are installed. Default: this one.")
    ] = "",
    blank: Annotated[
        str,
        typer.Option(
            "--without", help="Features to hide from the model, separated by commas, to see what they are worth."
        ),
    ] = "",
    best_lr: Annotated[bool, typer.Option(help="Also fit Best-LR, the slowest baseline.")] = True,
) -> None:
    """AUC, log loss, Brier and calibration of the main brain, beside baselines in the same run, with a leak audit."""
    from aivo_assets.benchmarks.accuracy.accuracy import Contest, measure_accuracy, without
    from aivo_assets.benchmarks.accuracy.peers import refuse_absent_peer
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.settings import load_settings

    interpreter = peer_python or sys.executable
    for name in peer or ():
        refuse_absent_peer(name, python=interpreter)
    parts = parts_of(file, test, q_matrix, protocol=protocol, folds=folds, fold=fold, seed=seed)
    settings = load_settings()
    blanked = tuple(name.strip() for name in blank.split(",") if name.strip())
    contest = Contest(
        settings.features,
        settings.training,
        best_lr=best_lr,
        peers=tuple(peer or ()),
        peer_python=interpreter,
        fold=without(blanked),
    )
    report = measure_accuracy(parts, contest, say=lambda step: typer.echo(step, err=True))
    asked = {
        "file": file.name,
        **({"without": blank} if blanked else {}),
        **({"test file": test.name} if test else {"protocol": protocol, "seed": str(seed)}),
    }
    report = report.model_copy(update={"asked": asked | machine()})
    typer.echo(report.text())
    if json is not None:
        json.write_text(report.to_json())


def parts_of(
    file: Path,
    test: Path | None,
    q_matrix: Path | None,
    *,
    protocol: str,
    folds: int,
    fold: int | None,
    seed: int,
    learners: int | None = None,
) -> "list[Part]":
    """What trains and what is predicted, of a file (or of so many learners of it), as the options ask."""
    from aivo_assets.benchmarks.interactions import read_interactions
    from aivo_assets.benchmarks.partitions import given_part, part_by_time, parts_by_learner, some_learners

    events = read_interactions(file, q_matrix=q_matrix)
    if learners is not None:
        events = some_learners(events, learners, seed=seed)
    if test is not None:
        if protocol == "time" or fold is not None:
            raise SourceError("A test file leaves no --protocol time and no --fold", fix="Leave out --test, or these.")
        return [given_part(events, read_interactions(test, q_matrix=q_matrix))]
    if protocol == "time":
        return [part_by_time(events)]
    return list(parts_by_learner(events, folds=folds, seed=seed, only=fold))
