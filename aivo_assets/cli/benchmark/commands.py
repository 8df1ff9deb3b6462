"""`aivo benchmark`: the figures of the documentation, for anyone to make again."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from aivo_assets.cli.benchmark.drift import drift
from aivo_assets.cli.options import (
    CorrectThresholdOption,
    CorrectValuesOption,
    MapOption,
    TimeFormatOption,
    TimeUnitOption,
    TimeZoneOption,
    readable_file,
    reading_of,
    settings_with,
    writable_file,
)
from aivo_assets.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from aivo_assets.benchmarks.partitions import Part

MOST_SET_ASIDE = 0.05
"""Of the rows of a file. A figure on what is left where more is missing would not be one of the file."""

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


def to_errors(sentence: str) -> None:
    """Say something that is no part of the answer."""
    typer.echo(sentence, err=True)


def answers_of(file: Path, q_matrix: Path | None) -> "pl.DataFrame":
    """Answers of a file, read as the settings say; how, and what became of its rows, goes to the error stream."""
    from aivo_assets.benchmarks.interactions import read_interactions
    from aivo_assets.settings import load_settings

    return read_interactions(file, q_matrix=q_matrix, settings=load_settings().source, say=to_errors)


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
    from aivo_assets.settings import load_settings

    typer.echo(
        measure_features(answers_of(file, q_matrix), load_settings().features, rows=rows, repeat=repeat).report()
    )


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
    mapping: MapOption = None,
    time_unit: TimeUnitOption = None,
    time_format: TimeFormatOption = None,
    time_zone: TimeZoneOption = None,
    correct_values: CorrectValuesOption = None,
    correct_threshold: CorrectThresholdOption = None,
    most_set_aside: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rows that may be set aside before the file is refused.")
    ] = MOST_SET_ASIDE,
) -> None:
    """AUC, log loss, Brier and calibration of the main brain, beside baselines in the same run, with a leak audit."""
    from aivo_assets.benchmarks.accuracy.accuracy import Contest, measure_accuracy, without
    from aivo_assets.benchmarks.accuracy.peers import refuse_absent_peer
    from aivo_assets.benchmarks.interactions import read_interactions
    from aivo_assets.benchmarks.machine import machine

    interpreter = peer_python or sys.executable
    for name in peer or ():
        refuse_absent_peer(name, python=interpreter)
    reading = reading_of(time_unit, time_format, time_zone, correct_values, correct_threshold)
    settings = settings_with(None, None, mapping, reading)
    notes: list[str] = []

    def say(sentence: str) -> None:
        notes.append(sentence)
        to_errors(sentence)

    read = partial(
        read_interactions, q_matrix=q_matrix, settings=settings.source, say=say, most_set_aside=most_set_aside
    )
    parts = parts_of(file, test, read, protocol=protocol, folds=folds, fold=fold, seed=seed)
    blanked = tuple(name.strip() for name in blank.split(",") if name.strip())
    contest = Contest(
        settings.features,
        settings.training,
        best_lr=best_lr,
        peers=tuple(peer or ()),
        peer_python=interpreter,
        fold=without(blanked),
    )
    report = measure_accuracy(parts, contest, say=to_errors)
    asked = {
        "file": file.name,
        "read": "; ".join(notes),
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
    read: "Callable[[Path], pl.DataFrame]",
    *,
    protocol: str,
    folds: int,
    fold: int | None,
    seed: int,
    learners: int | None = None,
) -> "list[Part]":
    """What trains and what is predicted, of a file (or of so many learners of it), as the options ask."""
    from aivo_assets.benchmarks.interactions import refuse_unfit
    from aivo_assets.benchmarks.partitions import given_part, part_by_time, parts_by_learner, some_learners

    if test is not None and (protocol == "time" or fold is not None):
        raise SourceError("--test cannot be combined with --protocol time or --fold", fix="Leave out --test, or these.")
    events = read(file)
    refuse_unfit(events, file)
    if learners is not None:
        events = some_learners(events, learners, seed=seed)
    if test is not None:
        tested = read(test)
        refuse_unfit(tested, test)
        return [given_part(events, tested)]
    if protocol == "time":
        return [part_by_time(events)]
    return list(parts_by_learner(events, folds=folds, seed=seed, only=fold))
