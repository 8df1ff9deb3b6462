"""`aivo key`: the secret key of the pseudonyms. privacy/keys.py says where it is looked for."""

import typer

from aivo_assets.cli.terminal import terminal

keys = typer.Typer(help="The secret key of the pseudonyms.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(keys, name="key")


@keys.command("new")
def new_key() -> None:
    """Make a secret key for the pseudonyms in AIVO_HOME, readable by you alone. An existing one is kept."""
    from aivo_assets.privacy.keys import key_path, load_key
    from aivo_assets.settings import load_settings

    settings, console = load_settings(), terminal()
    load_key(settings, create=True)
    console.print(f"The key is {key_path(settings.home.absolute())}; keep a copy where you keep secrets.")
    console.print(
        "Anyone who has it can link pseudonyms to learners; without it new events cannot be matched to their learners.",
        style="dim",
    )
