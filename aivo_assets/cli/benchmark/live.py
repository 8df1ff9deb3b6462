"""`aivo benchmark live`: how quickly the running service takes answers and says what comes next."""

from typing import Annotated

import typer

from aivo_assets.cli.benchmark.commands import benchmark


def add_to(app: typer.Typer) -> None:
    """The command is added with `aivo benchmark` itself; importing this module registered it there."""


@benchmark.command("live")
def live(
    rate: Annotated[float, typer.Option(min=0.1, help="Answers a second.")] = 20.0,
    seconds: Annotated[float, typer.Option(min=1, help="For how long.")] = 30.0,
) -> None:
    """Send answers to the service of AIVO_HOME and ask what comes next; they are kept, so take a home made for it."""
    import polars as pl

    from aivo_assets.adaptive.schema import ITEM_BANK
    from aivo_assets.api.addresses import service_url
    from aivo_assets.benchmarks.live import measure_live
    from aivo_assets.errors import LakeError
    from aivo_assets.events.schema import RAW_LEARNERS
    from aivo_assets.lake import open_lake
    from aivo_assets.lake.newest import newest_filled
    from aivo_assets.settings import load_settings

    settings = load_settings()
    lake = open_lake(settings)
    learners = lake.scan(RAW_LEARNERS).select("learner_id").collect()["learner_id"].to_list()
    day = newest_filled(lake, ITEM_BANK)
    if day is None or not learners:
        raise LakeError("This lake has no learners or no item bank", fix="Run `make demo` first, then `aivo up`.")
    items = lake.scan(ITEM_BANK, days=[day]).select(pl.col("item_id", "skill_ids", "subject")).collect().to_dicts()
    found = measure_live(service_url(settings.api), learners, items, rate=rate, seconds=seconds)
    load = f"{found.arrivals:,} answers at {found.rate:g} a second of {len(learners):,} learners"
    typer.echo(f"{load}, {found.failed} failed")
    for kind, (half, most, nearly_all) in found.milliseconds.items():
        typer.echo(f"{kind:>8}: 50 % {half:7.1f} ms   95 % {most:7.1f} ms   99 % {nearly_all:7.1f} ms")
    typer.echo(f"first exercise after {found.first_seconds:.2f} s")
