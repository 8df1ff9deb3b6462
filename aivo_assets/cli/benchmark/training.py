"""`aivo benchmark curve` and `aivo benchmark training`: what a training is worth and what it takes, at any size."""

import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.cli.benchmark.commands import FileArgument, MatrixOption, answers_of, benchmark
from aivo_assets.cli.options import readable_file, writable_file
from aivo_assets.errors import SourceError

if TYPE_CHECKING:
    from aivo_assets.benchmarks.accuracy.training import TrainingCost
    from aivo_assets.settings import Settings

DAILY_PATH = (
    "population_statistics",
    "training_features",
    "main_brain_hyperparameters",
    "main_brain_candidate",
    "champion_shadow",
    "main_brain_evaluation",
    "main_brain_promotion",
    "main_brain_card",
)
CAUSE = "aivo benchmark training"

JsonOption = Annotated[
    Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands to `aivo benchmark`, which `benchmarks` adds."""
    del app  # it has the group already


@benchmark.command("curve")
def curve(
    file: FileArgument,
    sizes: Annotated[str, typer.Option(help="Shares of the training events.")] = "1/16,1/8,1/4,1/2,1",
    folds: Annotated[int, typer.Option(min=2, help="Folds of learners.")] = 5,
    fold: Annotated[int, typer.Option(min=0, help="The fold to predict, counted from 0.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the folds and of who is left out.")] = 0,
    q_matrix: MatrixOption = None,
    test: Annotated[
        Path | None,
        typer.Option(help="A file of other learners to test on, instead of a fold.", callback=readable_file),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Accuracy and cost against the size of the training, on the same test learners; learners are left out whole."""
    from aivo_assets.benchmarks.accuracy.accuracy import Contest
    from aivo_assets.benchmarks.accuracy.curve import measure_curve, sizes_of
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.partitions import given_part, parts_by_learner
    from aivo_assets.settings import load_settings

    wanted, settings = sizes_of(sizes), load_settings()
    events = answers_of(file, q_matrix)
    if test is None:
        (part,) = parts_by_learner(events, folds=folds, seed=seed, only=fold)
        asked = {"file": file.name, "fold": f"{fold} of {folds}", "seed": str(seed)}
    else:
        part = given_part(events, answers_of(test, q_matrix))
        asked = {"file": file.name, "test file": test.name, "seed": str(seed)}
    contest = Contest(settings.features, settings.training, best_lr=False)
    measured = measure_curve(part, contest, wanted, seed=seed, say=lambda step: typer.echo(step, err=True))
    measured = measured.model_copy(update={"asked": asked | machine()})
    typer.echo(measured.text())
    if json is not None:
        json.write_text(measured.model_dump_json(indent=1))


@benchmark.command("training")
def training(
    file: FileArgument,
    rows: Annotated[
        int | None, typer.Option(help="Scale to about this many events; learners are left out or repeated whole.")
    ] = None,
    champion: Annotated[
        bool, typer.Option(help="Train as of the day before first, so that there is a champion to compare with.")
    ] = True,
    q_matrix: MatrixOption = None,
    json: JsonOption = None,
) -> None:
    """Seconds and peak memory of a day's training: the real job from features to promotion and model card."""
    from aivo_assets.benchmarks.child import in_own_process
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.settings import load_settings

    settings = load_settings()
    with TemporaryDirectory() as home:
        days, settings = in_own_process(_filled, settings, Path(home), file, q_matrix, rows)
        if champion and len(days) > 1:
            in_own_process(_trained, settings, days[-2])
        cost = in_own_process(_trained, settings, days[-1])
    cost = cost.model_copy(update={"asked": {"file": file.name, "events": f"{cost.events:,}"} | machine()})
    typer.echo(cost.text())
    if json is not None:
        json.write_text(cost.model_dump_json(indent=1))


def _filled(
    settings: "Settings", home: Path, file: Path, q_matrix: Path | None, rows: int | None
) -> "tuple[list[date], Settings]":
    """In a process of its own: a lake of the file's events."""
    from aivo_assets.benchmarks.accuracy.features import resized
    from aivo_assets.benchmarks.accuracy.training import fill, settings_for
    from aivo_assets.lake import open_lake

    events = answers_of(file, q_matrix)
    if events.is_empty():
        raise SourceError(f"{file} has no event", fix="Give a file with answers.")
    days = fill(open_lake(settings_for(settings, home, [])), events if rows is None else resized(events, rows))
    return days, settings_for(settings, home, days)


def _trained(settings: "Settings", day: date) -> "TrainingCost":
    """In a process of its own: the training as of a day, by the job."""
    from aivo_assets.benchmarks.accuracy.training import StepCost, TrainingCost
    from aivo_assets.benchmarks.machine import peak_bytes
    from aivo_assets.cli.running import run_job
    from aivo_assets.cli.terminal import terminal
    from aivo_assets.resources.instance import passing_instance

    with passing_instance(settings.home / "dagster") as instance:
        started = time.perf_counter()
        outcome = run_job(
            "main_brain_training", settings, instance,
            days=(day, day), cause=CAUSE, console=terminal(of_errors=True), assets=DAILY_PATH,
        )  # fmt: skip
        seconds, peak = time.perf_counter() - started, peak_bytes()
    figures = {name: value.value for step in outcome.steps for name, value in step.figures.items()}
    made = next(step.figures for step in outcome.steps if step.name == "main_brain_candidate")
    folded = next(step.figures for step in outcome.steps if step.name == "fold_training_events")
    return TrainingCost(
        events=int(str(folded["rows_in"].value)),
        trained_on=str(folded["trained on"].value),
        steps=tuple(StepCost(step=step.name, seconds=step.seconds) for step in outcome.steps),
        seconds=seconds,
        peak_bytes=peak,
        auc=float(str(made["auc"].value)) if "auc" in made else None,
        log_loss=float(str(made["log_loss"].value)),
        verdict=str(figures["reason"]),
    )
