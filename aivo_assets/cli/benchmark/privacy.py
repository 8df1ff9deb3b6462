"""`aivo benchmark privacy`: what attacks of the literature achieve on published data and on the main brain."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import benchmark, to_errors
from aivo_assets.cli.options import writable_file


def add_to(app: typer.Typer) -> None:
    """The command is added with `aivo benchmark` itself; importing this module registered it there."""


@benchmark.command("privacy")
def privacy(  # noqa: PLR0913, PLR0917 - one parameter an option
    learners: Annotated[int, typer.Option(min=50, help="Learners of the simulated school that is published.")] = 1500,
    days: Annotated[int, typer.Option(min=2, help="Days that it has lived for.")] = 14,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything.")] = 0,
    shadows: Annotated[int, typer.Option(min=0, help="Shadow models of the membership attack, even; 0: none.")] = 32,
    shadow_learners: Annotated[int, typer.Option(min=40, help="Learners whom each may have been trained on.")] = 400,
    leaf: Annotated[
        list[int] | None, typer.Option(min=1, help="Also train with this smallest leaf; may be repeated (the curve).")
    ] = None,
    peer_python: Annotated[
        str | None, typer.Option(help="Python with pyCANON and Anonymeter, which need a numpy of their own.")
    ] = None,
    attacks: Annotated[int, typer.Option(min=20, help="Guesses of each of Anonymeter's attacks at most.")] = 300,
    json: Annotated[
        Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
    ] = None,
) -> None:
    """Publish a simulated school as the settings say, and attack it."""
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.privacy.privacy import Plan, measure_privacy
    from aivo_assets.benchmarks.privacy.report import text
    from aivo_assets.errors import SettingsError
    from aivo_assets.settings import load_settings

    if shadows % 2:
        raise SettingsError(f"--shadows {shadows}: shadow models come in pairs", fix="Give an even number.")
    plan = Plan(
        learners=learners,
        days=days,
        seed=seed,
        peer_python=peer_python,
        attacks=attacks,
        shadows=shadows,
        shadow_learners=shadow_learners,
        leaves=leaf or (),
    )
    settings = load_settings()
    asked = {
        "school": f"simulated, {learners:,} learners, {days} days, seed {seed}",
        "published": f"k of {settings.privacy.k_anonymity} within {settings.privacy.alike_within}, times to "
        f"{settings.privacy.time_resolution_seconds} s",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    figures = measure_privacy(plan, settings, asked=asked, say=to_errors)
    described = {**asked, **machine(), "attacks": f"scikit-learn {version('scikit-learn')}, own LiRA"}
    figures = figures.model_copy(update={"asked": described})
    typer.echo(text(figures))
    if json is not None:
        json.write_text(figures.model_dump_json(indent=1))
