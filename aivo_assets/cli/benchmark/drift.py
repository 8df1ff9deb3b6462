"""`aivo benchmark drift`: how soon injected drift is found, and how often nothing is called drift."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.cli.options import readable_file
from aivo_assets.errors import SourceError

if TYPE_CHECKING:
    from aivo_assets.benchmarks.drift.data import DriftData
    from aivo_assets.benchmarks.drift.drift import DriftTrialPlan

SIMULATED_LEARNERS = 300


def drift(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: Annotated[
        Path | None,
        typer.Argument(help="Parquet or CSV with learner, item, correct and a time.", callback=readable_file),
    ] = None,
    simulator: Annotated[bool, typer.Option("--simulator", help="The simulated school instead of a file.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Cases of each injection.")] = 10,
    first_seed: Annotated[int, typer.Option(min=0, help="First seed; seeds also draw the school or the learners.")] = 0,
    seeds_a_school: Annotated[
        int,
        typer.Option(min=1, help="This many consecutive seeds share a school or sample, drawn by the first of them."),
    ] = 1,
    learners: Annotated[
        int | None, typer.Option(min=50, help=f"A sample of so many; default all, simulator {SIMULATED_LEARNERS}.")
    ] = None,
    days: Annotated[int, typer.Option(min=60, help="Days of the simulated school.")] = 120,
    inject: Annotated[
        list[str] | None, typer.Option(help="Only this injection. May be repeated. Default: all.")
    ] = None,
    horizon: Annotated[int, typer.Option(min=7, help="Days in which an injection may be found.")] = 28,
    renew_days: Annotated[int, typer.Option(min=7, help="A new champion is trained after this many days.")] = 28,
    evidently: Annotated[bool, typer.Option(help="Also run Evidently's preset.")] = True,
    q_matrix: Annotated[
        Path | None, typer.Option("--q-matrix", help="Sparse item x skill matrix (.npz).", callback=readable_file)
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(help="Write the result to this JSON file after each case; a stopped run continues from it."),
    ] = None,
) -> None:
    """False alarms on untouched days; share found and days to detection of injected drift, beside other rules."""
    if (file is not None) == simulator:
        raise SourceError("Drift is benchmarked on a file or on the simulator", fix="Give FILE, or --simulator.")
    plan = _plan(
        inject,
        seeds=range(first_seed, first_seed + seeds),
        seeds_a_school=seeds_a_school,
        horizon=horizon,
        renew_days=renew_days,
        evidently=evidently,
    )
    asked = _asked(plan, file, q_matrix, learners, days)
    _run(lambda seed: _data(file, learners=learners, days=days, q_matrix=q_matrix, seed=seed), plan, asked, json)


def _plan(
    inject: list[str] | None,
    *,
    seeds: Sequence[int],
    seeds_a_school: int,
    horizon: int,
    renew_days: int,
    evidently: bool,
) -> "DriftTrialPlan":
    from aivo_assets.benchmarks.drift.drift import DriftTrialPlan
    from aivo_assets.benchmarks.drift.injections import INJECTIONS
    from aivo_assets.settings import load_settings

    unknown = sorted(set(inject or ()) - set(INJECTIONS))
    if unknown:
        raise SourceError(f"There is no injection {', '.join(unknown)}", fix=f"Name one of {', '.join(INJECTIONS)}.")
    settings = load_settings()
    return DriftTrialPlan(
        seeds=tuple(seeds),
        seeds_a_school=seeds_a_school,
        injections=tuple(inject or INJECTIONS),
        horizon=horizon,
        renew_days=renew_days,
        evidently=evidently,
        drift=settings.drift,
        features=settings.features,
        training=settings.training,
    )


def _run(
    school: Callable[[int], "DriftData"], plan: "DriftTrialPlan", asked: dict[str, str], json: Path | None
) -> None:
    """Measure, print, and keep all so far in the file after each case."""
    from aivo_assets.benchmarks.drift.drift import measure_drift
    from aivo_assets.benchmarks.drift.report import DriftBenchmark, SchoolResult
    from aivo_assets.benchmarks.machine import machine

    asked = asked | machine()
    earlier = DriftBenchmark.model_validate_json(json.read_text()) if json is not None and json.exists() else None

    def keep(schools: tuple[SchoolResult, ...]) -> None:
        if json is not None:
            json.write_text(DriftBenchmark(schools=schools, asked=asked).model_dump_json(indent=1))

    measured = measure_drift(
        school,
        plan,
        done=() if earlier is None else earlier.schools_for(asked),
        keep=keep,
        say=lambda step: typer.echo(step, err=True),
    ).model_copy(update={"asked": asked})
    typer.echo(measured.text())
    keep(measured.schools)


def _asked(
    plan: "DriftTrialPlan", file: Path | None, q_matrix: Path | None, learners: int | None, days: int
) -> dict[str, str]:
    """What decides the figures, but for versions and machine."""
    return {
        "source": file.name if file else f"simulator, {days} days",
        "q-matrix": q_matrix.name if q_matrix else "none",
        "learners": str(learners or ("all" if file else SIMULATED_LEARNERS)),
        "seeds": f"{plan.seeds[0]} to {plan.seeds[-1]}",
        "seeds a school": str(plan.seeds_a_school),
        "injections": ", ".join(plan.injections),
        "horizon": f"{plan.horizon} days, champions renewed every {plan.renew_days}",
        "evidently": str(plan.evidently),
        "drift": plan.drift.model_dump_json(),
        "training": f"at most {plan.training.max_iterations} rounds",
    }


def _data(file: Path | None, *, learners: int | None, days: int, q_matrix: Path | None, seed: int) -> "DriftData":
    from aivo_assets.benchmarks.drift.data import read_drift_file, simulate_drift_school
    from aivo_assets.settings import load_settings

    if file is None:
        return simulate_drift_school(learners=learners or SIMULATED_LEARNERS, days=days, seed=seed)
    return read_drift_file(file, q_matrix=q_matrix, learners=learners, seed=seed, settings=load_settings().source)
