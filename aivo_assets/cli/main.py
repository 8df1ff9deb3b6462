"""The commands of `aivo`, and how an error reaches a person. Each command's work is in a module of its own."""

import os
import signal
import sys
import warnings
from functools import wraps
from typing import Any, NoReturn

import click
import typer
from rich.text import Text

from aivo_assets.cli import benchmark, data, lake, override, people, replay, student
from aivo_assets.cli.models import registry, train, why
from aivo_assets.cli.platform import alerts, keys, operate, prune, settings
from aivo_assets.cli.privacy import export, forget, retention
from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import AivoError
from aivo_assets.private_files import write_privately

app = typer.Typer(
    name="aivo",
    help="Knowledge tracing, student models and recommendations that train themselves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (
    data,
    operate,
    prune,
    train,
    student,
    registry,
    keys,
    lake,
    settings,
    override,
    people,
    why,
    alerts,
    replay,
    *benchmark.PARTS,
    forget,
    export,
    retention,
):
    part.add_to(app)


def main() -> None:
    """Run the command line; an error of ours ends it with what was wrong, what to do, and the error's exit code."""
    write_privately()
    # Threads of OpenMP that wait by spinning slow down everything else on a busy machine, themselves included.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    warnings.filterwarnings("ignore", category=Warning, module=r"dagster|dbt|mlflow|evidently|litestar")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to end, a command ends as by Ctrl-C
    command = typer.main.get_command(app)
    _judge_settings_before(command)
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(130)
    except AivoError as error:
        _tell(error)
    except Exception as error:  # the last one who can say it in words
        from aivo_assets.cli.unexpected import as_ours

        _tell(as_ours(error))


def _tell(error: AivoError) -> NoReturn:
    console = terminal(of_errors=True)
    kind = type(error).__name__.removesuffix("Error")
    console.print(Text.assemble((f"{kind}:", "bold red"), f" {error.what}"))
    console.print(f"  → {error.fix}")
    sys.exit(error.exit_code)


def _judge_settings_before(command: click.Command) -> None:
    """Let every command below judge all settings first, also one that would not read the wrong one, and close doors."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _judge_settings_before(below)
    answers_itself = not isinstance(command, click.Group) or command.invoke_without_command
    if answers_itself and command.callback is not None:
        work = command.callback

        @wraps(work)
        def judged(*arguments: Any, **named: Any) -> Any:
            from aivo_assets.operations.doors import close_doors
            from aivo_assets.settings import load_settings

            for sentence in close_doors(load_settings()):
                terminal(of_errors=True).print(Text(sentence, "yellow"))
            return work(*arguments, **named)

        command.callback = judged
