"""`aivo override`: a teacher accepts, rejects or pins, takes it back, and sees what came of it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import SettingsError

if TYPE_CHECKING:
    from aivo_assets.lake import Lake
    from aivo_assets.settings import Settings

override = typer.Typer(help="Teachers' overrides of recommendations.", no_args_is_help=True)

SOURCE = "aivo override add"
LearnerArgument = Annotated[str, typer.Argument(help="The learner, as your own system names them, or the pseudonym.")]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(override, name="override")


@override.command("add")
def add(  # noqa: PLR0913, PLR0917 - one parameter an option
    learner: LearnerArgument,
    action: Annotated[str, typer.Argument(help="accept, reject or pin.")],
    skill: Annotated[str, typer.Option("--skill", help="The skill.")],
    subject: Annotated[
        str | None, typer.Option(help="Subject of the skill, if several have a skill of this name.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Kind that is accepted or rejected, such as level_up.")] = None,
    level: Annotated[int | None, typer.Option(help="Level to pin, 1 to 10.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Last day of the pin, YYYY-MM-DD. Default: [AIVO_POLICY_PIN_DAYS] from today.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="too_easy, too_hard, wrong_skill, not_now, content or other.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="In your own words; never leaves the raw zone.")] = None,
    teacher: Annotated[str | None, typer.Option(help="The teacher, as your own system names them.")] = None,
) -> None:
    """Override a learner's recommendation in one skill. Exit code 2 if it cannot be applied; nothing is stored then."""
    from aivo_assets.privacy.override_giving import Word, give

    settings, lake, now = _opened()
    kept = give(
        lake,
        Word(learner, action, skill, subject, kind, level, until, reason, note, teacher),
        lambda: _key(settings),
        now=now,
        run=_run(now),
        source=SOURCE,
        pin_days=settings.policy.pin_days,
    )
    what = f"{action.strip().lower()}{'' if level is None else f' level {level}'} for {kept.skill} ({kept.subject})"
    long = "" if kept.until is None else f" until {kept.until}"
    known = "It was kept already." if kept.known else "The next two-hourly check obeys it."
    if not kept.practised:
        known = "The learner has no answer in this skill yet: it is obeyed with the first recommendation there."
    console = terminal()
    console.print(f"Kept: {what}{long}. {known}", markup=False, soft_wrap=True)
    console.print(f"To take it back: aivo override remove {kept.override_id[:8]}", markup=False, soft_wrap=True)


@override.command("remove")
def remove(
    named: Annotated[str, typer.Argument(metavar="OVERRIDE", help="Its id, or the first six characters or more.")],
    skill: Annotated[
        str | None,
        typer.Option(help="If given, OVERRIDE is a learner, and every override in force in this skill is taken back."),
    ] = None,
) -> None:
    """Take an override back: it no longer applies from today on. Earlier recommendations stay as they are."""
    from aivo_assets.events.landing.overrides import remove_overrides
    from aivo_assets.privacy.override_giving import find_override

    settings, lake, now = _opened()
    ids = [find_override(lake, named)] if skill is None else _of_skill(settings, lake, named, skill, now)
    taken = remove_overrides(lake, ids, now=now, run=_run(now))
    terminal().print(f"Taken back: {taken} override{'' if taken == 1 else 's'}. The next two-hourly check ignores it.")


@override.command("list")
def list_(
    learner: Annotated[
        str | None, typer.Option(help="Only of this learner: as your own system names them, or the pseudonym.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Also those that have expired, were replaced or taken back.")
    ] = False,
) -> None:
    """List overrides and what became of them, newest first. Shows raw identifiers, which are personal data."""
    from aivo_assets.adaptive.advice.words_given import IN_FORCE, words_given
    from aivo_assets.events.landing.overrides import raw_overrides
    from aivo_assets.privacy.override_giving import find_learner_id

    settings, lake, now = _opened()
    if raw_overrides(lake).is_empty():
        typer.echo("There are no overrides.")
        return
    words = words_given(lake, _key(settings), today=now.date(), settings=settings.policy)
    if learner is not None:
        meant = find_learner_id(lake, learner, lambda: _key(settings))
        words = [row for row in words if row["learner_id"] == meant]
    shown = [row for row in words if all_ or row["state"] in IN_FORCE]
    for row in shown:
        typer.echo(_line(row, now))
    hidden = len(words) - len(shown)
    more = f" {hidden} more that hold no longer: --all." if hidden else ""
    typer.echo(f"{len(shown)} override{'' if len(shown) == 1 else 's'}.{more}")


def _opened() -> "tuple[Settings, Lake, datetime]":
    from aivo_assets.lake import open_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    settings = load_settings()
    return settings, open_lake(settings), PlatformClock(settings).now()


def _key(settings: "Settings") -> Any:
    from aivo_assets.privacy.lake_key import key_of_lake

    return key_of_lake(settings, create=False)


def _run(now: datetime) -> str:
    return f"override-{now:%Y%m%dT%H%M%S%f}"


def _of_skill(settings: "Settings", lake: "Lake", learner: str, skill: str, now: datetime) -> list[str]:
    """Ids of what holds for a learner in a skill."""
    from aivo_assets.adaptive.advice.words_given import IN_FORCE, words_given
    from aivo_assets.privacy.override_giving import find_learner_id

    meant = find_learner_id(lake, learner, lambda: _key(settings))
    words = words_given(lake, _key(settings), today=now.date(), settings=settings.policy)
    in_force = [row for row in words if row["learner_id"] == meant and row["state"] in IN_FORCE]
    ids = [row["override_id"] for row in in_force if row["skill_id"] == skill.strip()]
    if not ids:
        skills = sorted({row["skill_id"] for row in in_force})
        raise SettingsError(
            f"No override holds for {learner} in {skill!r}",
            fix=f"Overrides hold in: {', '.join(skills)}." if skills else "There is nothing to take back.",
        )
    return ids


def _line(row: dict[str, Any], now: datetime) -> str:
    fields = {
        "pin": f"level {row['level']} until {row['until']}",
        "accept": row["kind"],
        "reject": f"{row['kind']} ({row['reason']})",
    }[row["action"]]
    days = (now.date() - row["given_at"].date()).days
    whose = f"{row['learner_id']}  {row['skill_id']} ({row['subject']})"
    ago = "today" if days == 0 else f"{days} day{'' if days == 1 else 's'} ago"
    return (
        f"{row['override_id'][:8]}  {row['given_at']:%Y-%m-%d} ({ago})  {whose}  {row['action']} {fields}\n"
        f"          {row['state']}: {row['outcome']}"
    )
