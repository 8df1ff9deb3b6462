"""`aivo key`: the secret of the pseudonyms, and `aivo settings`: every setting with its present value."""

import typer

from aivo_assets.cli.terminal import terminal

keys = typer.Typer(help="The secret behind the pseudonyms.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(keys, name="key")
    app.command("settings")(show_settings)


@keys.command("new")
def new_key() -> None:
    """Make a secret for the pseudonyms in AIVO_HOME, readable by you alone. An existing one is kept."""
    from aivo_assets.privacy.keys import key_path, load_key
    from aivo_assets.settings import load_settings

    settings, console = load_settings(), terminal()
    load_key(settings, create=True)
    console.print(f"The key is {key_path(settings.home.absolute())}; keep a copy where you keep secrets.")
    console.print(
        "[dim]Whoever has it can link pseudonyms to learners; without it no new event finds its learner.[/dim]"
    )


def show_settings() -> None:
    """Show every setting: its variable, its present value and what it means."""
    from pydantic import BaseModel
    from rich.table import Table

    from aivo_assets.settings import Settings, load_settings

    settings = load_settings()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("variable", "value", "meaning"):
        table.add_column(heading, overflow="fold")
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            for inner, inner_field in type(value).model_fields.items():
                table.add_row(
                    f"AIVO_{name}_{inner}".upper(), _shown(getattr(value, inner)), inner_field.description or ""
                )
        else:
            table.add_row(f"AIVO_{name}".upper(), _shown(value), field.description or "")
    terminal().print(table)


def _shown(value: object) -> str:
    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return "[dim]set, not shown[/dim]"
    return "[dim]-[/dim]" if value is None else str(value)
