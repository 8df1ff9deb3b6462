"""`aivo settings`: every setting with its present value, and a check of all that they name. Nothing is changed here."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aivo_assets.cli.platform.alerts import NO_CHANNEL, has_channel
from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import AivoError, SettingsError

if TYPE_CHECKING:
    from aivo_assets.settings import Settings

settings_app = typer.Typer(help="Show every setting, and check whether it can be used.", invoke_without_command=True)

_SECRET_IN_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(settings_app, name="settings")


@settings_app.callback()
def show_settings(context: typer.Context) -> None:
    """Show every setting: its variable, its present value and what it means. Secrets are not shown."""
    if context.invoked_subcommand is not None:
        return
    from rich.table import Table

    from aivo_assets.settings import load_settings

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("variable", "value", "meaning"):
        table.add_column(heading, overflow="fold")
    for name, value, meaning in _rows(load_settings()):
        table.add_row(name, value, meaning)
    terminal().print(table)


@settings_app.command("check")
def check_settings() -> None:
    """Check every setting, the files that they name and the key; exit code 2 if something cannot be used."""
    from aivo_assets.settings import Settings, load_settings

    settings = load_settings()
    problems = [*_absent_files(settings), *_refusals(settings)]
    if problems:
        raise SettingsError("; ".join(problems), fix="Correct what is named, then check again.")
    console = terminal()
    unlike = sum(getattr(settings, name) != field.default for name, field in Settings.model_fields.items())
    console.print(f"Every setting can be used; {unlike} groups differ from the defaults (`aivo settings` shows all).")
    if _has_no_key(settings):
        console.print("There is no pseudonym key yet: `aivo key new` makes one (docs/operations.md).")
    unservable = no_champion_serves(settings)
    if unservable is not None:
        console.print(unservable)
    if not has_channel(settings):
        console.print(NO_CHANNEL)


def no_champion_serves(settings: "Settings") -> str | None:
    """That no champion can serve with these settings, said before they take effect; None where one can."""
    from aivo_assets.tracing.fold.catalogue import feature_schema
    from aivo_assets.tracing.judging.registry import Registry

    standing = Registry(settings.home, settings.models_database).standing(feature_schema(settings.features))
    if standing.version is not None or not standing.problems:
        return None
    return (
        f"No champion can serve with these settings: {'; '.join(standing.problems)}. Student models and "
        "recommendations stay as they were last made. Set back what was changed, or train a main brain: "
        "aivo train main-brain."
    )


def _rows(settings: "Settings") -> Iterator[tuple[str, str, str]]:
    from pydantic import BaseModel

    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            for inner, inner_field in type(value).model_fields.items():
                yield f"AIVO_{name}_{inner}".upper(), _shown(getattr(value, inner)), inner_field.description or ""
        else:
            yield f"AIVO_{name}".upper(), _shown(value), field.description or ""


def _shown(value: object) -> str:
    from pydantic import SecretStr

    if value is None:
        return "-"
    if isinstance(value, SecretStr):
        return "set, not shown"
    if isinstance(value, tuple) and any(isinstance(each, SecretStr) for each in value):
        return f"{len(value)} set, not shown"
    return _SECRET_IN_URL.sub("…", str(value))


def _absent_files(settings: "Settings") -> Iterator[str]:
    source = settings.source
    named = {
        "AIVO_SOURCE_LEARNER_PATH": source.learner_path if source.kind not in ("simulator", "postgres") else None,
        "AIVO_SOURCE_OVERRIDE_PATH": source.override_path,
        "AIVO_POLICY_PREREQUISITES": settings.policy.prerequisites,
    }
    for name, path in named.items():
        if path is not None and "://" not in path and not Path(path).is_file():
            yield f"{name}: there is no file {path}"


def _refusals(settings: "Settings") -> Iterator[str]:
    """What the parts that use the settings would refuse, each asked as it would be at its start."""
    from aivo_assets.api.security import refuse_open_door
    from aivo_assets.events.sources import open_source
    from aivo_assets.events.sources.reading.files import find_files
    from aivo_assets.privacy.keys import load_key
    from aivo_assets.resources.clock import PlatformClock

    source = settings.source
    asked: list[Callable[[], object]] = [
        lambda: refuse_open_door(settings.api),
        lambda: open_source(settings, PlatformClock(settings).now()),
    ]
    if source.kind not in ("simulator", "postgres"):
        asked.append(lambda: find_files(source.path))
    if not _has_no_key(settings):
        asked.append(lambda: load_key(settings, create=False))
    for ask in asked:
        try:
            ask()
        except AivoError as error:
            yield f"{error.what} ({error.fix})"


def _has_no_key(settings: "Settings") -> bool:
    from aivo_assets.privacy.keys import key_path

    return settings.pseudonym_key is None and not key_path(settings.home.absolute()).exists()
