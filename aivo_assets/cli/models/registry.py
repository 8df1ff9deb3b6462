"""`aivo registry`: which main brains there are, which is champion, and the way back."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from aivo_assets.settings import Settings
    from aivo_assets.tracing.judging.champions import Move
    from aivo_assets.tracing.judging.promotion import Verdict
    from aivo_assets.tracing.judging.registry import Registry

registry = typer.Typer(help="Versions of the main brain.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(registry, name="registry")


@registry.command("list")
def list_versions() -> None:
    """List every version with its scores, newest first, and any problem with the champion."""
    from rich.table import Table

    model_registry, console = _registry(), terminal()
    versions = model_registry.versions()
    if not versions:
        console.print("There is no version yet; `aivo demo` or `aivo train main-brain` makes one.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("version", "as of", "registered", "AUC", "log loss", "calibration error", ""):
        table.add_column(heading)
    for version in versions:
        table.add_row(
            str(version.number), str(version.as_of), f"{version.registered_at:%Y-%m-%d %H:%M}",
            *_scores(model_registry, version.number), ", ".join(version.aliases),
        )  # fmt: skip
    console.print(table)
    standing = model_registry.standing()
    serves = f"version {standing.version.number} serves" if standing.version else "no version serves"
    for problem in standing.problems:
        console.print(Text.assemble((problem, "bold red"), f"; {serves}."))


def _registry() -> "Registry":
    from aivo_assets.settings import load_settings
    from aivo_assets.tracing.judging.registry import Registry

    settings = load_settings()
    return Registry(settings.home, settings.models_database)


def _scores(model_registry: "Registry", number: int) -> tuple[str, str, str]:
    try:
        scores = model_registry.evaluation(number).scores
    except ModelError:
        return ("unreadable", "", "")
    return ("" if scores.auc is None else f"{scores.auc:.4f}", f"{scores.log_loss:.4f}", f"{scores.ece:.4f}")


@registry.command("show")
def show(number: Annotated[int, typer.Argument(help="Which version.")]) -> None:
    """Show all measurements of a version, what it was made from, and where its model card is."""
    from aivo_assets.tracing.card.model_card import HTML

    model_registry = _registry()
    version, evaluation = model_registry.version(number), model_registry.evaluation(number)
    console = terminal()
    aliases = ", ".join(version.aliases) or "no alias"
    console.print(Text.assemble((f"Version {version.number}", "bold"), f" as of {version.as_of}, {aliases}"))
    card = model_registry.document(number, HTML)
    console.print(f"  model card: {card or 'none yet; the asset main_brain_card writes it'}", soft_wrap=True)
    for name, value in sorted(version.tags.items()):
        console.print(f"  {name}: {value}", soft_wrap=True)
    console.print_json(evaluation.model_dump_json(exclude={"reliability", "days"}))


@registry.command("history")
def history() -> None:
    """Every change of champion, with its reason."""
    for move in _registry().moves():
        terminal().print(
            f"{move.at:%Y-%m-%d %H:%M} {move.kind}: {move.before or 'none'} → {move.after}, "
            f"asked by {move.by}. {move.reason}",
            soft_wrap=True,
        )


@registry.command("promote")
def promote(
    number: Annotated[int, typer.Argument(help="Which version.")],
    force: Annotated[
        bool, typer.Option("--force", help="Promote even if the verdict says no; needs --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why it is forced; kept with the promotion.")] = None,
) -> None:
    """Make a version champion on its verdict, or in an emergency against it.

    --force overrules a verdict that says no, and nothing else: there must be a verdict on the version and the present
    champion, its files must be sound, and it must not be of an earlier day than the champion.
    """
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    if force and not (reason or "").strip():
        raise SettingsError("--force needs a reason, which is kept with the move", fix='Add --reason "…".')
    settings = load_settings()
    move = promote_version(settings, number, now=PlatformClock(settings).now(), force=reason if force else None)
    terminal().print(f"Version {move.after} is champion ({move.kind}); before it was {move.before or 'nobody'}.")


def promote_version(settings: "Settings", number: int, *, now: datetime, force: str | None) -> "Move":
    """Promote a version on the newest verdict about it, and keep what it promised as the drift reference.

    Raises:
        ModelError: There is no verdict on it, or `Registry.promote` refuses.
    """
    from aivo_assets.assets.drift.reference import restore_reference
    from aivo_assets.lake import open_lake
    from aivo_assets.tracing.judging.registry import Registry

    model_registry, lake = Registry(settings.home, settings.models_database), open_lake(settings)
    move = model_registry.promote(
        model_registry.version(number).number,
        _verdict(settings, number),
        asked_by="aivo registry promote",
        now=now,
        force=force,
    )
    restore_reference(lake, model_registry, settings)
    return move


def _verdict(settings: "Settings", number: int) -> "Verdict":
    from aivo_assets.lake import open_lake
    from aivo_assets.tracing.judging.promotion import Verdict
    from aivo_assets.tracing.judging.verdicts import VERDICTS

    given = open_lake(settings).scan(VERDICTS).collect()
    about = [row["verdict"] for row in given.sort("day").to_dicts() if row["challenger_version"] == number]
    if not about:
        raise ModelError(
            f"There is no verdict on version {number}: it was never compared with a champion",
            fix='To have it judged: aivo train main-brain --force --reason "…".',
        )
    return Verdict.model_validate_json(about[-1])


@registry.command("rollback")
def rollback(
    reason: Annotated[str, typer.Option(help="Why; kept with the rollback.")],
    champion: Annotated[
        int | None, typer.Option(help="The champion to roll back; nothing is done if another one serves by now.")
    ] = None,
) -> None:
    """Make the last sound champion before the present one champion again.

    It applies to the champion at the moment of the command, or to --champion: two people who roll back at the same time
    go back one step, and the second one gets an error.
    """
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    if not reason.strip():
        raise SettingsError("A rollback needs a reason, which is kept with the move", fix='Add --reason "…".')
    settings = load_settings()
    meant = _champion_now(settings) if champion is None else champion
    move = roll_back(settings, now=PlatformClock(settings).now(), reason=reason, champion=meant)
    terminal().print(f"Version {move.after} is champion again; it was {move.before}.")


def _champion_now(settings: "Settings") -> int | None:
    from aivo_assets.tracing.judging.registry import Registry

    moves = Registry(settings.home, settings.models_database).moves()
    return moves[-1].after if moves else None


def roll_back(settings: "Settings", *, now: datetime, reason: str, champion: int | None = None) -> "Move":
    """Roll back, and bring back what that champion promised as the drift reference.

    Args:
        settings: Of the platform.
        now: The present instant, UTC.
        reason: Why; kept with the move.
        champion: The champion that is meant; where it is another one by now, nothing is done.

    Raises:
        ModelError: `Registry.rollback` refuses.
    """
    from aivo_assets.assets.drift.reference import restore_reference
    from aivo_assets.lake import open_lake
    from aivo_assets.tracing.judging.registry import Registry

    model_registry = Registry(settings.home, settings.models_database)
    move = model_registry.rollback(asked_by="aivo registry rollback", reason=reason, now=now, champion=champion)
    restore_reference(open_lake(settings), model_registry, settings)
    return move
