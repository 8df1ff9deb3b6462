"""`aivo benchmark validity`: recommendations on real logs, held against what the learners did next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.cli.benchmark.commands import MatrixOption, answers_of, benchmark
from aivo_assets.cli.options import readable_file, writable_file

if TYPE_CHECKING:
    import polars as pl


def add_to(app: typer.Typer) -> None:
    """The command is added with `aivo benchmark` itself; importing this module registered it there."""


@benchmark.command("validity")
def validity(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Parquet or CSV with learner, item, correct, and what else is known.", callback=readable_file
        ),
    ] = None,
    simulator: Annotated[
        bool, typer.Option("--simulator", help="The simulated school instead of a file, with its learners' attributes.")
    ] = False,
    school_days: Annotated[int, typer.Option(min=28, help="Days of the simulated school.")] = 84,
    q_matrix: MatrixOption = None,
    learners: Annotated[int, typer.Option(min=20, help="Learners to recommend for.")] = 3000,
    train_learners: Annotated[
        int | None, typer.Option(min=20, help="Other learners to fit on. Default: all others.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Days from one as-of day to the next.")] = 7,
    days: Annotated[int | None, typer.Option(min=1, help="Most as-of days, spread evenly.")] = None,
    policy: Annotated[str, typer.Option(help="success_zone or threshold.")] = "success_zone",
    groups: Annotated[
        Path | None,
        typer.Option(help="Parquet or CSV with learner and attributes, for fairness by group.", callback=readable_file),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw of learners and of the intervals.")] = 0,
    read: Annotated[
        int, typer.Option(min=0, help="Print this many recommendations of each kind beside the learner's history.")
    ] = 0,
    try_out: Annotated[
        int, typer.Option(min=0, help="Try out this many counterfactuals of each way on each as-of day.")
    ] = 5,
    json: Annotated[
        Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
    ] = None,
) -> None:
    """Walk forward in time, recommend, and compare what followed each kind with matched learners."""
    from aivo_assets.adaptive.policy.policy import success_zone_policy
    from aivo_assets.adaptive.policy.threshold_policy import threshold_policy
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.validity.reading import pages
    from aivo_assets.benchmarks.validity.report import text
    from aivo_assets.benchmarks.validity.validity import measure_validity
    from aivo_assets.benchmarks.validity.walk import WalkPlan, walk
    from aivo_assets.errors import SettingsError
    from aivo_assets.settings import load_settings

    settings = load_settings()
    policies = {"success_zone": success_zone_policy(settings.policy), "threshold": threshold_policy()}
    if policy not in policies:
        raise SettingsError(f"There is no policy {policy!r}", fix=f"Choose one of: {', '.join(policies)}.")
    events, attributes = _events(
        file,
        q_matrix,
        simulator=simulator,
        learners=learners + (train_learners or learners),
        days=school_days,
        seed=seed,
    )
    if groups is not None:
        attributes = _read(groups)
    plan = WalkPlan(learners, train_learners, every, days, seed, policies[policy], try_out, content=read > 0)
    walked = walk(events, settings, plan, say=lambda step: typer.echo(step, err=True))
    asked = {
        "file": f"simulated school, {school_days} days" if file is None else file.name,
        "walk": f"{walked.events['learner'].n_unique():,} learners, {len(walked.days)} as-of days from "
        f"{walked.days[0]} to {walked.days[-1]}, every {every} days; fitted on {walked.train_learners:,} others",
        "policy": policy,
        "seed": str(seed),
    }
    report = measure_validity(walked, every=every, groups=attributes, seed=seed, asked=asked | machine())
    typer.echo(text(report))
    if json is not None:
        json.write_text(report.model_dump_json(indent=1))
    if read:
        typer.echo("\n" + pages(walked, of_each=read, seed=seed))


def _events(
    file: Path | None, q_matrix: Path | None, *, simulator: bool, learners: int, days: int, seed: int
) -> "tuple[pl.DataFrame, pl.DataFrame | None]":
    """Events of the file or the simulator, and the simulated learners' attributes."""
    from aivo_assets.benchmarks.simulated_school import simulated_school
    from aivo_assets.errors import SourceError

    if (file is not None) == simulator:
        raise SourceError("Validity is measured on a file or on the simulator", fix="Give either FILE or --simulator.")
    if file is not None:
        return answers_of(file, q_matrix), None
    # Some who are enrolled never answer, and the walk deals those who do.
    return simulated_school(learners=int(learners * 1.15), days=days, seed=seed)


def _read(path: Path) -> "pl.DataFrame":
    import polars as pl

    from aivo_assets.errors import SourceError

    if not path.is_file():
        raise SourceError(f"There is no file {path}", fix="Check the path.")
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    named = next((name for name in ("learner", "learner_id", "user_id") if name in table.columns), None)
    if named is None:
        raise SourceError(f"{path} has no column learner", fix=f"It has {', '.join(table.columns)}; rename one.")
    return table.rename({named: "learner"}).with_columns(pl.all().cast(pl.String))
