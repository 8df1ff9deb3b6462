"""`aivo lake`: what the lake holds, for people and for other programs, whatever its storage is."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from aivo_assets.cli.options import writable_file
from aivo_assets.cli.terminal import terminal

if TYPE_CHECKING:
    import polars as pl

    from aivo_assets.lake.catalogue import Held
    from aivo_assets.lake.delta import DeltaTable
    from aivo_assets.settings import Settings

lake = typer.Typer(help="What the lake contains, and how it is laid out.", no_args_is_help=True)

PERSONAL = "holds personal data: show it to nobody who may not see it, and delete copies when they have served."


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(lake, name="lake")


@lake.command("list")
def list_(
    form: Annotated[Literal["table", "csv"], typer.Option("--format", help="table or csv.")] = "table",
) -> None:
    """List every dataset of the lake: what is replaced as a whole, how many units, rows and bytes."""
    from aivo_assets.lake import open_lake
    from aivo_assets.lake.catalogue import datasets
    from aivo_assets.settings import load_settings
    from aivo_assets.tracing.students.state_store import LAYERED

    opened = open_lake(load_settings())
    stored = datasets(opened, LAYERED)
    rows = [_line(held) for held in stored]
    if form == "csv":
        typer.echo("dataset,kept by,units,first,last,rows,bytes,personal data")
        for row in rows:
            typer.echo(",".join(row))
        return
    console = terminal(width=None if sys.stdout.isatty() else 160)
    table = Table("dataset", "kept by", "units", "first", "last", "rows", "bytes", "personal data")
    table.columns[0].overflow = "fold"
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(f"{len(rows)} datasets at {opened.root}, {opened.shards} shards.")


@lake.command("reshard")
def reshard_(shards: Annotated[int, typer.Argument(min=1, max=4096, help="How many the lake is to have.")]) -> None:
    """Move the lake to another number of shards. It can be read meanwhile; an interrupted move continues."""
    from aivo_assets.events.receipts import LANDING
    from aivo_assets.lake import open_lake
    from aivo_assets.lake.layout.left_over import remove_left_layouts
    from aivo_assets.lake.layout.reshard import reshard as move
    from aivo_assets.operations.published import publish_gold
    from aivo_assets.settings import load_settings
    from aivo_assets.tracing.students.model_store import notes_after_move
    from aivo_assets.tracing.students.state_store import LAYERED

    settings, caller = load_settings(), f"aivo lake reshard {shards}"
    # The number that is asked for may stand in the settings already; the lake is opened with the one that it has.
    own = settings.model_copy(update={"lake": settings.lake.model_copy(update={"shards": None})})
    opened = open_lake(own)
    removed = remove_left_layouts(opened, LAYERED)
    if removed:
        typer.echo(f"What {removed} days and shards of the layout before had left behind was removed.")
    moved = move(
        opened, shards, LAYERED, notes_after_move, typer.echo, last_step=lambda: opened.exclusive(LANDING, caller)
    )
    typer.echo(f"The lake has {shards} shards: {moved.days:,} days of all datasets, {moved.rows:,} rows moved.")
    if settings.lake.delta:
        typer.echo(f"{len(publish_gold(open_lake(own)))} Delta tables name the files of the new layout.")
    typer.echo("States of learners are folded again by the next check (adaptive_training_2h, or `aivo run`).")
    typer.echo("Restart what is running (`aivo up`): a service that has the lake open refuses to read the old layout.")
    if settings.lake.shards not in (None, shards):
        typer.echo(f"Set AIVO_LAKE_SHARDS={shards}, or unset it: now it says {settings.lake.shards}.")


@lake.command("publish")
def publish_(
    show_only: Annotated[bool, typer.Option("--status", help="Only compare; publish nothing.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Take the tables away; the datasets stay.")] = False,
) -> None:
    """Publish the gold datasets and marts as Delta tables over the lake's own files, for BI tools."""
    from aivo_assets.lake import open_lake
    from aivo_assets.operations.published import gold_standing, publish_gold, unpublish_gold
    from aivo_assets.settings import load_settings

    settings = load_settings()
    opened = open_lake(settings)
    if off:
        gone = unpublish_gold(opened)
        typer.echo(f"{len(gone)} Delta tables were taken away: {', '.join(gone) or 'there were none'}.")
        if settings.lake.delta:
            typer.echo("The next run publishes them again: unset AIVO_LAKE_DELTA.")
        return
    tables = gold_standing(opened) if show_only else publish_gold(opened)
    table = Table("table", "version", "files", "rows", "state")
    table.columns[0].overflow = "fold"
    for each in tables:
        table.add_row(each.uri, _shown_version(each), str(each.files), str(each.rows), _published_state(each))
    terminal(width=None if sys.stdout.isatty() else 160).print(table)
    if not settings.lake.delta and not show_only:
        typer.echo("Runs do not keep them up to date: set AIVO_LAKE_DELTA=true.")
    if show_only and any(each.differing for each in tables):
        typer.echo("`aivo lake publish` brings the tables to what the lake holds.")
        raise typer.Exit(1)


@lake.command("resolution")
def resolution(
    seconds: Annotated[int, typer.Argument(min=1, max=86_400, help="Seconds to which times are rounded down.")],
) -> None:
    """Change the time resolution of the lake, and print how to rebuild the derived days."""
    from aivo_assets.lake import opening
    from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
    from aivo_assets.settings import load_settings

    settings = load_settings()
    days = opening.change_resolution(settings, seconds).days(ANONYMISED_INTERACTIONS)
    typer.echo(f"The lake takes {seconds} s. Set AIVO_PRIVACY_TIME_RESOLUTION_SECONDS={seconds} everywhere.")
    if days:
        typer.echo(f"{len(days)} derived days were made with another one. Make them again:")
        typer.echo(f"  aivo run --from {days[0]} --to {days[-1]}")


@lake.command("show")
def show(
    dataset: Annotated[str, typer.Argument(help="Its path, as `aivo lake list` writes it: anonymised/interactions.")],
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only this day.")] = None,
    learner: Annotated[
        str | None, typer.Option(help="Only this learner: as your own system names them, or the pseudonym.")
    ] = None,
    shard: Annotated[int | None, typer.Option(min=0, help="Only this shard.")] = None,
    form: Annotated[
        Literal["table", "csv", "parquet"], typer.Option("--format", help="table, csv or parquet.")
    ] = "table",
    to: Annotated[
        Path | None, typer.Option("--to", help="Write to this file instead of showing it.", callback=writable_file)
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Most rows of a table.")] = 50,
) -> None:
    """Show the rows of one dataset. csv and parquet have all rows; lists in csv are JSON."""
    from aivo_assets.lake import open_lake
    from aivo_assets.lake.catalogue import find, rows_of
    from aivo_assets.lake.written_out import write_csv, write_parquet
    from aivo_assets.settings import load_settings
    from aivo_assets.tracing.students.state_store import LAYERED

    settings = load_settings()
    opened = open_lake(settings)
    held = find(opened, dataset, LAYERED)
    chosen: date | None = None if day is None else day.date()
    frame = rows_of(opened, held, LAYERED, day=chosen, shard=shard)
    if learner is not None:
        frame = _of_learner(frame, held, learner, settings)
        _refuse_no_rows(frame, held, learner)
    if held.is_personal:
        typer.echo(f"{held.path} {PERSONAL}", err=True)
    if form == "table" and to is None:
        _tell(frame, rows)
        return
    if form == "parquet" or (form == "table" and to is not None and to.suffix == ".parquet"):
        written = write_parquet(frame, to, personal=held.is_personal)
    else:
        written = write_csv(frame, to, personal=held.is_personal)
    if to is not None:
        typer.echo(f"{written:,} rows written to {to}.", err=True)


def _shown_version(table: "DeltaTable") -> str:
    return "" if table.version is None else str(table.version)


def _published_state(table: "DeltaTable") -> str:
    if table.version is None:
        return "holds nothing yet" if not table.files else "not published"
    if table.differing:
        return f"{len(table.differing)} files differ"
    return "changed now" if table.changed else "equal to the lake"


def _line(held: "Held") -> tuple[str, ...]:
    units = [unit.split("=", 1)[1] for unit in held.units]
    return (
        held.path,
        held.kind,
        str(len(units) or 1),
        units[0] if held.kind == "day" else "",
        units[-1] if held.kind == "day" else "",
        "" if held.rows is None else str(held.rows),
        "" if held.bytes is None else str(held.bytes),
        "yes" if held.is_personal else "no",
    )


def _refuse_no_rows(frame: "pl.LazyFrame", held: "Held", learner: str) -> None:
    from aivo_assets.errors import LakeError

    if frame.head(1).collect().is_empty():
        raise LakeError(
            f"{held.path} holds no row of a learner {learner!r}",
            fix="Name the learner as your own system does, or give the whole pseudonym.",
        )


def _of_learner(frame: "pl.LazyFrame", held: "Held", learner: str, settings: "Settings") -> "pl.LazyFrame":
    """The rows of one learner, named as the school does or by pseudonym.

    Raises:
        LakeError: The dataset has no learners.
    """
    import polars as pl

    from aivo_assets.errors import LakeError
    from aivo_assets.privacy.keys import key_path
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.privacy.pseudonyms import pseudonyms

    columns = frame.collect_schema().names()
    name = next((name for name in ("learner", "learner_id") if name in columns), None)
    if name is None:
        raise LakeError(f"{held.path} has no column of learners", fix="Leave --learner out.")
    names = [learner]
    has_key = settings.pseudonym_key is not None or key_path(settings.home).exists()
    if has_key:
        key = key_of_lake(settings, create=False)
        if name == "learner":
            names.append(str(pseudonyms(pl.Series([learner]), "learner", key)[0]))
        else:
            raw = frame.select(pl.col(name).unique()).collect()[name]
            names += raw.filter(pseudonyms(raw, "learner", key) == learner).to_list()
    return frame.filter(pl.col(name).is_in(names))


def _tell(frame: "pl.LazyFrame", most: int) -> None:
    import polars as pl

    total = int(frame.select(pl.len()).collect().item()) if frame.collect_schema().names() else 0
    shown = frame.head(most).collect()
    with pl.Config(
        tbl_rows=most,
        tbl_cols=-1,
        tbl_width_chars=10_000 if not sys.stdout.isatty() else 0,
        fmt_str_lengths=60,
        tbl_hide_dataframe_shape=True,
        fmt_table_cell_list_len=8,
    ):
        typer.echo(str(shown))
    typer.echo(f"{min(most, total):,} of {total:,} rows." + (" --rows shows more." if total > most else ""))
