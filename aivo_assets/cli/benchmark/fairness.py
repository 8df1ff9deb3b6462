"""`aivo benchmark fairness`: whether a main brain serves groups alike, and how often that test is right."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import MatrixOption, answers_of, benchmark
from aivo_assets.cli.options import readable_file


def add_to(app: typer.Typer) -> None:
    """The command is added with `aivo benchmark` itself; importing this module registered it there."""


@benchmark.command("fairness")
def fairness(  # noqa: PLR0913, PLR0917 - one parameter an option
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Parquet or CSV with learner, item, correct and what else is known.", callback=readable_file
        ),
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(help="Parquet or CSV with learner and attributes.", callback=readable_file)
    ] = None,
    q_matrix: MatrixOption = None,
    schools: Annotated[int, typer.Option(min=0, help="Drawn schools of each kind, to see how often it is right.")] = 20,
    learners: Annotated[int, typer.Option(min=10, help="Learners of each group of a drawn school.")] = 500,
    answers: Annotated[int, typer.Option(min=2, help="Answers of each of its learners.")] = 20,
    least: Annotated[int, typer.Option(min=10, help="Learners that a group of the file must have.")] = 50,
    deals: Annotated[int, typer.Option(min=19, help="Random deals of each test.")] = 199,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything.")] = 0,
) -> None:
    """Fit a main brain on a file and compare groups; or, without a file, only test the test on drawn schools."""
    import polars as pl

    from aivo_assets.benchmarks.fairness.groups import compare_groups, predictions
    from aivo_assets.benchmarks.fairness.power import measure_power
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.errors import SourceError
    from aivo_assets.settings import load_settings

    if (file is None) != (groups is None):
        raise SourceError("Groups are compared on answers", fix="Give FILE and --groups together, or neither.")
    settings = load_settings()
    if file is not None and groups is not None:
        table = pl.read_parquet(groups) if groups.suffix == ".parquet" else pl.read_csv(groups, infer_schema=False)
        if "learner" not in table.columns:
            raise SourceError(f"{groups} has no column learner", fix=f"It has {', '.join(table.columns)}; rename one.")
        named = table.with_columns(pl.all().cast(pl.String))
        found = compare_groups(
            predictions(answers_of(file, q_matrix), settings), named, least=least, deals=deals, seed=seed
        )
        typer.echo(
            f"{'group':<44}{'learners':>9}{'AUC':>7}{'rest':>7}{'promised':>10}{'ABROCA':>8}{'chance':>8}{'p':>7}"
        )
        for row in found:
            typer.echo(
                f"{f'{row.attribute}: {row.group}'[:43]:<44}{row.learners[0]:>9,}{row.auc[0]:>7.3f}{row.auc[1]:>7.3f}"
                f"{row.over_promised:>+10.3f}{row.abroca:>8.3f}{row.by_chance:>8.3f}{row.p_value:>7.3f}"
                + ("  not alike" if row.is_flagged else f"  none above {row.detectable:.3f} seen")
            )
    if schools:
        typer.echo(f"\nDrawn schools, {learners} learners a group, {answers} answers each, level 5 %:")
        for power in measure_power(schools=schools, learners=learners, answers=answers, deals=deals, seed=seed):
            typer.echo(f"  bias {power.bias:<16}{power.flagged:>4} of {power.schools} flagged")
    described = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **machine()}
    typer.echo("\n" + "\n".join(f"{name}: {value}" for name, value in described.items()))
