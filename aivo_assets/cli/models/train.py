"""`aivo train`: trains the main brain now. What a training does is in the jobs."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import RunError, SettingsError

if TYPE_CHECKING:
    from aivo_assets.resources.instance import Instance
    from aivo_assets.settings import Settings

JOB = "emergency_retrain"
LONGEST_CAUSE = 250

train = typer.Typer(help="Train now.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(train, name="train")


@train.command("main-brain")
def train_main_brain(
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Train even if the last training is recent; the verdict still decides on promotion. Needs --reason.",
        ),
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why; kept with the run.")] = None,
) -> None:
    """Train a challenger on the answers up to yesterday, judge it, and promote it if its verdict says so.

    Without --force a training that is too recent is a reason to wait: the reason is printed and the exit code is 0, so
    that a cron may call this as often as it likes. --force trains nevertheless. It does not promote against the
    verdict: that is `aivo registry promote VERSION --force --reason "…"`.
    """
    from aivo_assets.events.before_a_run import refuse_unreadable
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.resources.instance import open_instance
    from aivo_assets.settings import load_settings

    cause = cause_of(reason, force=force)
    settings = load_settings()
    now = PlatformClock(settings).now()
    key_of_lake(settings, create=False)
    refuse_unreadable(settings, now)
    with open_instance(settings) as instance:
        train_now(settings, instance, cause, now=now, force=force, console=terminal())


def cause_of(reason: str | None, *, force: bool) -> str:
    """The cause that the run is recorded with.

    Raises:
        SettingsError: Force without a reason.
    """
    given_reason = (reason or "").strip()
    if force and not given_reason:
        raise SettingsError(
            "--force needs a reason, which is kept with the run",
            fix='For example: aivo train main-brain --force --reason "a new curriculum began today".',
        )
    whole = (
        f"forced: {given_reason}"
        if force
        else ": ".join(part for part in ("aivo train main-brain", given_reason) if part)
    )
    return whole[:LONGEST_CAUSE]


def train_now(
    settings: "Settings", instance: "Instance", cause: str, *, now: datetime, force: bool, console: Console
) -> bool:
    """Train in this process unless a guard says to wait.

    Args:
        settings: Settings that everything is built from.
        instance: Where runs are looked up and this one is recorded.
        cause: Kept as the run's tag.
        now: The present instant, UTC.
        force: Whether a recent training is no reason to wait.
        console: Where progress goes.

    Returns:
        Whether it trained; where not, the reason was printed.

    Raises:
        RunError: Forced while another training is under way: a model is never trained twice at once.
        AivoError: A step of the run failed.
    """
    from aivo_assets.automation.guards import reason_to_wait, under_way

    running = under_way(instance)
    if force and running is not None:
        raise RunError(
            f"Run {running} is training already, and a model is not trained twice at once",
            fix="Wait for its result, or end it on its page in `aivo up`, then ask again.",
        )
    wait = None if force else reason_to_wait(instance, now, settings.training.minimum_hours_between)
    if wait is not None:
        console.print(f'{wait} To train nevertheless: aivo train main-brain --force --reason "…"', soft_wrap=True)
        return False
    _run(settings, instance, cause, now.date() - timedelta(days=1), console)
    return True


def _run(settings: "Settings", instance: "Instance", cause: str, day: date, console: Console) -> None:
    from aivo_assets.cli.running import run_job
    from aivo_assets.cli.summary import tell
    from aivo_assets.lake import calendar, open_lake

    calendar.extend(open_lake(settings), day)
    outcome = run_job(JOB, settings, instance, days=(day, day), cause=cause, console=console)
    tell(console, outcome, settings, as_of=day)
