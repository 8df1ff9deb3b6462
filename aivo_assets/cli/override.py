"""`aivo override`: a teacher accepts, rejects or pins, and sees what is in force."""

from datetime import date
from typing import Annotated, Any

import typer

from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import SettingsError

override = typer.Typer(help="Teachers' overrides of recommendations.", no_args_is_help=True)

LearnerArgument = Annotated[str, typer.Argument(help="The learner, as your own system names them.")]
SkillOption = Annotated[str, typer.Option("--skill", help="The skill.")]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(override, name="override")


@override.command("add")
def add(  # noqa: PLR0913, PLR0917 - one parameter an option
    learner: LearnerArgument,
    action: Annotated[str, typer.Argument(help="accept, reject or pin.")],
    skill: SkillOption,
    subject: Annotated[str | None, typer.Option(help="Subject of the skill. [AIVO_SOURCE_SUBJECT]")] = None,
    kind: Annotated[str | None, typer.Option(help="Kind that is accepted or rejected, such as level_up.")] = None,
    level: Annotated[int | None, typer.Option(help="Level to pin, 1 to 10.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day of the pin, YYYY-MM-DD.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="too_easy, too_hard, wrong_skill, not_now, content or other.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="In your own words; never leaves the raw zone.")] = None,
    teacher: Annotated[str | None, typer.Option(help="The teacher, as your own system names them.")] = None,
) -> None:
    """Record an override of one learner's skill. Exit code 2 if it cannot be used; it is then in the quarantine."""
    import polars as pl

    from aivo_assets.events.overrides import COLUMNS, land_overrides
    from aivo_assets.lake import open_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    settings = load_settings()
    now = PlatformClock(settings).now()
    fields: dict[str, Any] = {
        "learner_id": learner,
        "teacher_id": teacher,
        "subject": subject,
        "skill_id": skill,
        "action": action,
        "kind": kind,
        "level": None if level is None else str(level),
        "until": until,
        "reason": reason,
        "note": note,
        "given_at": None,
    }
    row = pl.DataFrame([fields], schema=dict.fromkeys(COLUMNS, pl.String)).with_columns(
        _location=pl.lit("aivo override add"), _row=pl.lit(1, pl.Int64)
    )
    receipt = land_overrides(
        open_lake(settings),
        row,
        subject=settings.source.subject,
        now=now,
        run=f"override-{now:%Y%m%dT%H%M%S%f}",
        source="aivo override add",
    )
    if receipt.set_aside:
        raise SettingsError("; ".join(receipt.by_reason), fix="See `aivo override add --help`, and say it again.")
    known = "It was known already." if receipt.duplicates else "The next two-hourly check obeys it."
    terminal().print(f"Kept: {action} for {skill}. {known}")


@override.command("list")
def list_(
    learner: Annotated[str | None, typer.Option(help="Of this learner only.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also pins that have ended.")] = False,
) -> None:
    """List the overrides, newest first. Shows raw identifiers: only for people who may see them."""
    import polars as pl

    from aivo_assets.events.overrides import raw_overrides
    from aivo_assets.lake import open_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    settings = load_settings()
    today = PlatformClock(settings).now().date()
    held = raw_overrides(open_lake(settings)).reverse()
    if learner is not None:
        held = held.filter(pl.col("learner_id") == learner)
    if not all_:
        held = held.filter(pl.col("until").is_null() | (pl.col("until") >= today))
    for row in held.iter_rows(named=True):  # words of teachers: as many as people write
        typer.echo(_line(row, today))
    number = held.height
    typer.echo(f"{number} override{'s' if number > 1 else ''}." if number else "There are no overrides.")


def _line(row: dict[str, Any], today: date) -> str:
    fields = {
        "pin": f"level {row['level']} until {row['until']}",
        "accept": row["kind"],
        "reject": f"{row['kind']} ({row['reason']})",
    }[row["action"]]
    days = (today - row["given_at"].date()).days
    whose = f"{row['learner_id']}  {row['skill_id']}"
    return f"{row['given_at']:%Y-%m-%d}  {days:>3} days ago  {whose}  {row['action']} {fields}"
