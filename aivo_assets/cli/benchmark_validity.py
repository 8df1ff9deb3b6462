"""`aivo benchmark validity`: recommendations on real logs, held against what the learners did next."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aivo_assets.cli.benchmarks import FileArgument, MatrixOption, benchmark

if TYPE_CHECKING:
    import polars as pl


def add_to(app: typer.Typer) -> None:
    """The command is added with `aivo benchmark` itself; importing this module registered it there."""


@benchmark.command("validity")
def validity(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: FileArgument,
    q_matrix: MatrixOption = None,
    learners: Annotated[int, typer.Option(min=20, help="Learners to recommend for.")] = 3000,
    train_learners: Annotated[
        int | None, typer.Option(min=20, help="Other learners to fit on. Default: all others.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Days from one as-of day to the next.")] = 7,
    days: Annotated[int | None, typer.Option(min=1, help="Most as-of days, spread evenly.")] = None,
    policy: Annotated[str, typer.Option(help="success_zone or threshold.")] = "success_zone",
    groups: Annotated[
        Path | None, typer.Option(help="Parquet or CSV with learner and attributes, for fairness by group.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of learners and of the intervals.")] = 0,
    read: Annotated[
        int, typer.Option(min=0, help="Print so many recommendations of each kind beside their learner's history.")
    ] = 0,
    json: Annotated[Path | None, typer.Option(help="Write everything there.")] = None,
) -> None:
    """Walk forward in time, recommend, and measure what each kind was followed by, against matched learners."""
    from aivo_assets.adaptive.policy import success_zone_policy  # noqa: PLC0415 - seconds of import
    from aivo_assets.adaptive.threshold_policy import threshold_policy  # noqa: PLC0415
    from aivo_assets.benchmarks.interactions import read_interactions  # noqa: PLC0415
    from aivo_assets.benchmarks.machine import machine  # noqa: PLC0415
    from aivo_assets.benchmarks.reading import pages  # noqa: PLC0415
    from aivo_assets.benchmarks.validity import measure_validity  # noqa: PLC0415
    from aivo_assets.benchmarks.validity_report import text  # noqa: PLC0415
    from aivo_assets.benchmarks.walk import Plan, walk  # noqa: PLC0415
    from aivo_assets.errors import SettingsError  # noqa: PLC0415
    from aivo_assets.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    policies = {"success_zone": success_zone_policy(settings.policy), "threshold": threshold_policy()}
    if policy not in policies:
        raise SettingsError(f"There is no policy {policy!r}", fix=f"Choose one of: {', '.join(policies)}.")
    attributes = _read(groups) if groups is not None else None
    plan = Plan(learners, train_learners, every, days, seed, policies[policy])
    walked = walk(
        read_interactions(file, q_matrix=q_matrix), settings, plan, say=lambda step: typer.echo(step, err=True)
    )
    asked = {
        "file": file.name,
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


def _read(path: Path) -> "pl.DataFrame":
    import polars as pl  # noqa: PLC0415 - seconds of import

    from aivo_assets.errors import SourceError  # noqa: PLC0415

    if not path.is_file():
        raise SourceError(f"There is no file {path}", fix="Check the path.")
    table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    named = next((name for name in ("learner", "learner_id", "user_id") if name in table.columns), None)
    if named is None:
        raise SourceError(f"{path} has no column learner", fix=f"It has {', '.join(table.columns)}; rename one.")
    return table.rename({named: "learner"}).with_columns(pl.all().cast(pl.String))
