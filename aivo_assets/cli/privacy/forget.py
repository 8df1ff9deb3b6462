"""`aivo forget`: forget learners, everywhere, and prove it. The job does the work; this asks for it and tells of it."""

import getpass
import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aivo_assets.cli.benchmark import forget as measured
from aivo_assets.cli.options import readable_file
from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import PrivacyError

if TYPE_CHECKING:
    from rich.console import Console

    from aivo_assets.lake import Lake
    from aivo_assets.privacy.keys import PseudonymKey
    from aivo_assets.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add this module's commands, and the benchmark of what they cost."""
    measured.add_to(app)
    app.command("forget")(forget)


def forget(
    learners: Annotated[
        list[str] | None, typer.Argument(help="Learners, as your own system names them, or their pseudonyms.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it stands in the certificate, without names.")] = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Do not wait for readers that hold old files: nothing else is running.")
    ] = False,
    ask_only: Annotated[
        bool, typer.Option("--ask-only", help="Only note the request; the schedule does the rest.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="After a backup was restored: whoever was forgotten before must go again.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Show requests under way, and certificates.")] = False,
    verify: Annotated[
        Path | None, typer.Option(help="Check the signature of a certificate.", callback=readable_file)
    ] = None,
) -> None:
    """Forget learners everywhere, or go on with requests that are under way. Exit code 4 where something is left."""
    from aivo_assets.lake import open_lake
    from aivo_assets.privacy.erasure.requests import ask
    from aivo_assets.privacy.erasure.wanted import resolve
    from aivo_assets.privacy.lake_key import key_of_lake
    from aivo_assets.resources.clock import PlatformClock
    from aivo_assets.settings import load_settings

    settings, console = load_settings(), terminal()
    lake, key = open_lake(settings), key_of_lake(settings, create=False)
    if verify is not None:
        _verify(console, verify, key)
        return
    if status:
        _tell(console, lake)
        return
    now = PlatformClock(settings).now()
    names = list(learners or [])
    if again:
        names += _back_again(lake, settings)
        reason = reason or "restored from a backup after having been forgotten"
    if names:
        found = resolve(lake, names, key)
        request = ask(lake, found, reason or "", asked_by=f"aivo forget, user {getpass.getuser()}", now=now)
        console.print(f"Request {request.id}: {len(found)} {'learner' if len(found) == 1 else 'learners'}.")
    if not ask_only:
        _run(settings, console, now, at_once=at_once)
        _tell(console, lake)


def _run(settings: "Settings", console: "Console", now: datetime, *, at_once: bool) -> None:
    """Run the job in this process, and training after it where the settings want it at once.

    Raises:
        PrivacyError: The search found something that could not be taken out.
    """
    from aivo_assets.cli.running import run_job
    from aivo_assets.lake import open_lake
    from aivo_assets.operations.jobs.names import FORGET_JOB
    from aivo_assets.privacy.erasure.remembering import remembered_by
    from aivo_assets.resources.instance import open_instance
    from aivo_assets.tracing.judging.registry import CHAMPION, Registry

    if at_once:
        settings = settings.model_copy(update={"forget": settings.forget.model_copy(update={"readers_seconds": 0})})
    today = (now.date(), now.date())
    with open_instance(settings) as instance:
        outcome = run_job(FORGET_JOB, settings, instance, days=today, cause="aivo forget", console=console)
        lake = open_lake(settings)
        champion = next(
            (
                each.number
                for each in Registry(settings.home, settings.models_database).versions()
                if CHAMPION in each.aliases
            ),
            None,
        )
        if settings.forget.retrain == "at_once" and champion is not None and remembered_by(lake, champion):
            last = _last_day(lake) or now.date()
            cause = "learners were forgotten (AIVO_FORGET_RETRAIN=at_once)"
            run_job("emergency_retrain", settings, instance, days=(last, last), cause=cause, console=console)
    if outcome.failed_checks:
        raise PrivacyError(
            f"Something of a forgotten learner is left: {'; '.join(outcome.failed_checks)}",
            fix="See the asset forgetting_certificates for the places; the request stays open and is tried again.",
        )


def _last_day(lake: "Lake") -> date | None:
    from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS

    days = lake.newest_days(ANONYMISED_INTERACTIONS, 1)
    return days[-1] if days else None


def _back_again(lake: "Lake", settings: "Settings") -> list[str]:
    """Learners of the raw zone who were forgotten."""
    import polars as pl

    from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
    from aivo_assets.privacy.erasure.tombstones import Forgotten

    held = pl.concat([lake.scan(dataset).select("learner_id") for dataset in (RAW_INTERACTIONS, RAW_LEARNERS)])
    learners = held.unique().collect(engine="streaming")["learner_id"]
    return learners.filter(Forgotten(lake, settings).among(learners)).to_list()


def _tell(console: "Console", lake: "Lake") -> None:
    from aivo_assets.privacy.erasure.requests import DONE, certificates, open_requests

    for request in open_requests(lake):
        gone = f"{sum(request.removed.values()):,} rows and files removed" if request.removed else "nothing removed yet"
        console.print(f"Under way: {request.id}, asked {request.asked_at:%Y-%m-%d %H:%M} UTC; {gone}.")
    for signed in certificates(lake)[-10:]:
        console.print(f"Done: {signed['request']}, {signed['done_at'][:16]}; {_summary(signed)}")
        console.print(
            f"  certificate: {lake.storage.location(DONE)}/{signed['request']}.json", style="dim", soft_wrap=True
        )


def _summary(signed: dict[str, Any]) -> str:
    remembers = signed["still_remembers"]
    rest = (
        "nothing remembers them"
        if remembers is None
        else f"{remembers['what']}, version {remembers['version']} as of {remembers['as_of']}, still remembers them"
        " until the next training"
    )
    return f"{sum(signed['removed'].values()):,} rows and files removed, nothing found; {rest}."


def _verify(console: "Console", path: Path, key: "PseudonymKey") -> None:
    """Tell whether a certificate is genuine.

    Raises:
        PrivacyError: It is not.
    """
    from aivo_assets.privacy.erasure.certificate import is_genuine

    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise PrivacyError(f"{path} is no certificate: {error}", fix="Name the JSON file.") from error
    if not isinstance(content, dict) or not is_genuine(content, key):
        raise PrivacyError(
            f"{path} was not signed under this platform's key, or was changed",
            fix="Take the certificate from the lake: raw/erasure/done.",
        )
    console.print(f"Genuine: request {content['request']}, done {content['done_at']}.")
