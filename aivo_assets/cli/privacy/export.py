"""`aivo export`: everything that is held about a learner, for that learner (subject access)."""

import os
from pathlib import Path
from typing import Annotated

import typer

from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import SettingsError


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("export")(export)


def export(
    learner: Annotated[str, typer.Argument(help="The learner, as your own system names them, or the pseudonym.")],
    to: Annotated[Path, typer.Option("--to", help="Folder that gets learner.json and learner.html.")] = Path(),
) -> None:
    """Write down everything that is held about a learner, raw and derived, as JSON and as a page."""
    from aivo_assets.lake import open_lake
    from aivo_assets.privacy.erasure.export import gather
    from aivo_assets.privacy.erasure.wanted import collect, resolve
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings
    from aivo_assets.tracing.judging.registry import CHAMPION, Registry
    from aivo_assets.tracing.students.state_store import LAYERED

    settings = load_settings()
    home = settings.home.absolute()
    if to.resolve().is_relative_to(home.resolve()):
        raise SettingsError(
            f"{to.resolve()} lies below AIVO_HOME, where it would be one more thing that is held",
            fix="Name a folder elsewhere: --to FOLDER.",
        )
    lake, key = open_lake(settings), key_of_lake(settings, create=False)
    (name,) = resolve(lake, [learner], key)
    versions = [
        each for each in Registry(settings.home, settings.models_database).versions() if CHAMPION in each.aliases
    ]
    remembered = [
        f"The main brain, version {each.number}, fitted on answers up to {each.as_of}: in its numbers nobody can be"
        " told apart."
        for each in versions
    ]
    wanted, now = collect(lake, [name], key), PlatformClock(settings).now()
    made = gather(lake, LAYERED, name, wanted, home=home, now=now, remembered=remembered)
    to.mkdir(parents=True, exist_ok=True)
    console = terminal()
    for file, content in (("learner.json", made.to_json()), ("learner.html", made.to_document().to_html())):
        _write(to / file, content)
        console.print(f"{to / file}", soft_wrap=True)
    rows = sum(part.rows.height for part in made.parts)
    console.print(f"{rows:,} rows of {len(made.parts)} places. It is personal data: give it to that person alone.")


def _write(path: Path, content: str) -> None:
    """Write a file that only this user may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(content)
