"""`aivo benchmark drift`: how soon injected drift is found, and how often nothing is called drift."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.errors import SourceError

if TYPE_CHECKING:
    from aivo_assets.benchmarks.drift_data import DriftData

SIMULATED_LEARNERS = 300


def drift(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: Annotated[Path | None, typer.Argument(help="Parquet or CSV with learner, item, correct and a time.")] = None,
    simulator: Annotated[bool, typer.Option("--simulator", help="The simulated school instead of a file.")] = False,
    seeds: Annotated[int, typer.Option(min=1, help="Cases of each injection.")] = 10,
    first_seed: Annotated[
        int, typer.Option(min=0, help="The first of these seeds; it also draws the school or the sample of learners.")
    ] = 0,
    learners: Annotated[
        int | None, typer.Option(min=50, help=f"A sample of so many; default all, simulator {SIMULATED_LEARNERS}.")
    ] = None,
    days: Annotated[int, typer.Option(min=60, help="Days of the simulated school.")] = 120,
    inject: Annotated[list[str] | None, typer.Option(help="Only this injection; repeat it. Default: all.")] = None,
    horizon: Annotated[int, typer.Option(min=7, help="Days in which an injection may be found.")] = 28,
    evidently: Annotated[bool, typer.Option(help="Run Evidently's preset beside ours; it takes longest.")] = True,
    q_matrix: Annotated[Path | None, typer.Option("--q-matrix", help="Sparse item x skill matrix (.npz).")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything there.")] = None,
) -> None:
    """False alarms on untouched days; share found and days to detection of injected drift, beside other rules."""
    from aivo_assets.benchmarks.drift import Plan, measure_drift  # noqa: PLC0415 - seconds of import
    from aivo_assets.benchmarks.drift_injections import INJECTIONS  # noqa: PLC0415
    from aivo_assets.benchmarks.machine import machine  # noqa: PLC0415
    from aivo_assets.settings import load_settings  # noqa: PLC0415

    unknown = sorted(set(inject or ()) - set(INJECTIONS))
    if unknown:
        raise SourceError(f"There is no injection {', '.join(unknown)}", fix=f"Name one of {', '.join(INJECTIONS)}.")
    settings = load_settings()
    plan = Plan(
        seeds=tuple(range(first_seed, first_seed + seeds)),
        injections=tuple(inject or INJECTIONS),
        horizon=horizon,
        evidently=evidently,
        drift=settings.drift,
        features=settings.features,
        training=settings.training,
    )
    data = _data(file, simulator=simulator, learners=learners, days=days, q_matrix=q_matrix, seed=first_seed)
    found = measure_drift(data, plan, say=lambda step: typer.echo(step, err=True))
    asked = {"seeds": f"{first_seed} to {first_seed + seeds - 1}", "horizon": f"{horizon} days"}
    found = found.model_copy(update={"asked": asked | machine()})
    typer.echo(found.text())
    if json is not None:
        json.write_text(found.model_dump_json(indent=1))


def _data(
    file: Path | None, *, simulator: bool, learners: int | None, days: int, q_matrix: Path | None, seed: int
) -> "DriftData":
    from aivo_assets.benchmarks.drift_data import read_drift_file, simulate_drift_school  # noqa: PLC0415

    if (file is not None) == simulator:
        raise SourceError("Drift is benchmarked on a file or on the simulator", fix="Give FILE, or --simulator.")
    if file is None:
        return simulate_drift_school(learners=learners or SIMULATED_LEARNERS, days=days, seed=seed)
    return read_drift_file(file, q_matrix=q_matrix, learners=learners, seed=seed)
