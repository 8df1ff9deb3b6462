"""`aivo benchmark policy`: what recommendations are worth, in a school whose truth is known."""

import os
from pathlib import Path
from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import benchmark
from aivo_assets.cli.options import writable_file


def add_to(app: typer.Typer) -> None:
    """Add this module's commands to `aivo benchmark`, which `benchmarks` adds."""
    del app  # it has the group already


@benchmark.command("policy")
def policy(  # noqa: PLR0913, PLR0917 - one parameter an option
    seeds: Annotated[int, typer.Option(min=1, help="Schools of learners; intervals are over them.")] = 20,
    learners: Annotated[int, typer.Option(min=10, help="Learners of each.")] = 150,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks of learning.")] = 8,
    policies: Annotated[str, typer.Option(help="Separated by commas.")] = "ours,threshold,random,fixed,oracle",
    vary: Annotated[
        str | None, typer.Option(help="Assumptions of the simulator to change, one at a time; `all`, or by comma.")
    ] = None,
    first_seed: Annotated[
        int, typer.Option(min=0, help="First seed; 101 to 103 are those on which the policy was designed.")
    ] = 1001,
    contents: Annotated[
        int,
        typer.Option(min=1, help="Number of item sets, each with its own main brain, over which the seeds are spread."),
    ] = 2,
    content_learners: Annotated[int, typer.Option(min=25, help="Learners of last year's school.")] = 1500,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one per core.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the whole result to this JSON file.", callback=writable_file)
    ] = None,
) -> None:
    """Policies on the same learners: true gain, success zone, wrong moves, days to notice trouble, flaps."""
    from aivo_assets.benchmarks.machine import machine
    from aivo_assets.benchmarks.policy.policy import VARIATIONS, PolicyTrialPlan, measure_policies, vary_markdown
    from aivo_assets.benchmarks.policy.policy import vary as varied
    from aivo_assets.benchmarks.policy.report import BETTER, WAY, PolicyFile
    from aivo_assets.settings import load_settings

    plan = PolicyTrialPlan(
        seeds=seeds,
        first_seed=first_seed,
        learners=learners,
        weeks=weeks,
        policies=tuple(name.strip() for name in policies.split(",")),
        contents=min(contents, seeds),
        content_learners=content_learners,
    )
    names = list(VARIATIONS) if vary == "all" else [name.strip() for name in (vary or "").split(",") if name.strip()]
    settings, reports = load_settings(), {}
    for name, changed in varied(plan, names).items():
        report = measure_policies(changed, settings, workers=workers or len(os.sched_getaffinity(0)))
        reports[name] = report.model_copy(update={"asked": report.asked | machine()})
        typer.echo(f"{name}\n{reports[name].text()}\n")
    if names:
        typer.echo(vary_markdown(reports, ("gain", WAY, BETTER, "in zone", "flaps")))
    if json is not None:
        json.write_text(PolicyFile(reports=reports).model_dump_json(indent=1))
