"""`aivo up`: the web UI, the daemon and the HTTP service, for as long as the command runs."""

import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from aivo_assets.cli.platform.alerts import NO_CHANNEL, has_channel
from aivo_assets.cli.platform.services import Service, Services
from aivo_assets.cli.terminal import terminal
from aivo_assets.errors import ServiceError

if TYPE_CHECKING:
    from aivo_assets.settings import Settings

SECONDS_TO_START = 120.0
PATHS = (
    "AIVO_SOURCE_PATH",
    "AIVO_SOURCE_LEARNER_PATH",
    "AIVO_SOURCE_OVERRIDE_PATH",
    "AIVO_POLICY_PREREQUISITES",
    "AIVO_LAKE_URL",
)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("up")(up)


def up(
    host: Annotated[str, typer.Option(help="Address that the web UI listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the web UI.")] = 3000,
) -> None:
    """Start Dagster's web UI and daemon with every schedule and sensor on; Ctrl-C ends all of it."""
    from aivo_assets.api.security import refuse_open_door
    from aivo_assets.operations.server.one_home import only_platform
    from aivo_assets.settings import load_settings

    console = terminal()
    settings = load_settings()
    refuse_open_door(settings.api)
    with only_platform(settings.home.absolute()):
        _run_services(settings, host, port, console)
    console.print("Stopped.")


def _run_services(settings: "Settings", host: str, port: int, console: Console) -> None:
    from aivo_assets.api.addresses import reachable
    from aivo_assets.api.dagster_client import DagsterClient
    from aivo_assets.cli.platform.code_server import Renewal, code_server, write_workspace
    from aivo_assets.cli.platform.settings import no_champion_serves
    from aivo_assets.operations.server.fast_clock import set_going
    from aivo_assets.resources.clock import PlatformClock, SystemClock
    from aivo_assets.resources.instance import open_instance

    _refuse_taken_port(host, port, fix="Choose another one: aivo up --port 3001.")
    _refuse_taken_port(settings.api.host, settings.api.port, fix="Choose another one: AIVO_API_PORT=8010.")
    first_day = _begin_calendar(settings)
    logs = settings.home.absolute() / "logs"
    with open_instance(settings), tempfile.TemporaryDirectory(prefix="aivo-") as private:
        address = Path(private) / "code-server"
        workspace = ["-w", str(write_workspace(Path(os.environ["DAGSTER_HOME"]), address))]
        services = [
            Service(
                "web UI", [*_module("dagster_webserver"), "-h", host, "-p", str(port), *workspace], logs / "web.log"
            ),
            Service("HTTP service", _module("aivo_assets.api"), logs / "http.log", restart=True),
            Service("daemon", [*_module("dagster._daemon"), "run", *workspace], logs / "daemon.log"),
        ]
        unservable = no_champion_serves(settings)
        if unservable is not None:
            console.print(Text(unservable, "yellow"))
        console.print("Starting PostgreSQL, the web UI and the daemon …")
        web_ui = f"http://{reachable(host)}:{port}"
        # The HTTP service starts runs through the web UI, wherever that listens.
        environment = _isolated({**os.environ, "AIVO_API_DAGSTER_URL": web_ui})
        folder = Path(environment["DAGSTER_HOME"])
        with Services(environment=environment, folder=folder) as running:
            running.start(code_server(address, logs / "code.log"))
            _wait_for_code(address, logs / "code.log", running)
            renewal = Renewal(first_day, DagsterClient(web_ui, timeout_seconds=settings.api.timeout_seconds))
            for service in services:
                running.start(service)
            _wait_until_up(f"{web_ui}/server_info", "web UI", logs / "web.log", running)
            _wait_until_loaded(web_ui, settings, logs / "code.log", running)
            api = f"http://{reachable(settings.api.host)}:{settings.api.port}"
            _wait_until_up(f"{api}/health", "HTTP service", logs / "http.log", running)
            set_going(settings, SystemClock().now())
            note = (f"(logs in {logs}; Ctrl-C ends it)", "dim")
            console.print(Text.assemble(("AIVO is up:", "bold green"), f" http://{host}:{port}   ", note))
            if not has_channel(settings):
                console.print(NO_CHANNEL)
            if settings.clock.start is not None:
                shown = PlatformClock(settings).now()
                console.print(f"Its clock shows {shown:%Y-%m-%d %H:%M} UTC, {settings.clock.speed:g} times as fast.")
            try:
                running.watch(renewal.look)
            except KeyboardInterrupt:
                console.print("\nStopping …")


def _module(name: str) -> list[str]:
    return [sys.executable, "-P", "-m", name]


def _isolated(environment: dict[str, str]) -> dict[str, str]:
    """The environment of services that do not import what lies in the current folder, and so may not stand there.

    Paths of the settings that are relative are made absolute, since they mean this folder.
    """
    named = (name for name in PATHS if environment.get(name) and "://" not in environment[name])
    absolute = {name: str(Path(environment[name]).absolute()) for name in named}
    return {**environment, **absolute, "PYTHONSAFEPATH": "1"}


def _refuse_taken_port(host: str, port: int, *, fix: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            raise ServiceError(
                f"{host} is no address of this machine: {error.strerror}", fix="Name one, such as 127.0.0.1 or 0.0.0.0."
            ) from error
        except OSError as error:
            raise ServiceError(f"Port {port} of {host} cannot be used: {error.strerror}", fix=fix) from error


def _begin_calendar(settings: "Settings") -> Callable[[], date]:
    """Fix the first daily partition before anything loads it, so that every process sees the same days.

    Returns:
        Reads the first day of the calendar, which commands may extend into the past.
    """
    from aivo_assets.automation.partitions import DAYS_BEFORE_ANY_EVENT
    from aivo_assets.lake import calendar, open_lake
    from aivo_assets.privacy.lake_key import refuse_other_settings
    from aivo_assets.resources.clock import PlatformClock

    refuse_other_settings(settings)
    lake = open_lake(settings)
    start = PlatformClock(settings).now().date() - DAYS_BEFORE_ANY_EVENT
    calendar.extend(lake, calendar.first_day(lake, otherwise=start))
    return partial(calendar.first_day, lake, otherwise=start)


def _wait_for_code(address: Path, log: Path, services: Services) -> None:
    from aivo_assets.cli.platform.code_server import answers

    deadline = time.monotonic() + SECONDS_TO_START
    while not answers(address):
        services.check()
        if time.monotonic() > deadline:
            raise ServiceError(
                f"The code server did not load the definitions within {SECONDS_TO_START:.0f} s",
                fix=f"Its log is {log}.",
            )
        time.sleep(0.2)


def _wait_until_up(url: str, name: str, log: Path, services: Services) -> None:
    import httpx

    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        services.check()
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    raise ServiceError(f"The {name} did not answer within {SECONDS_TO_START:.0f} s", fix=f"Its log is {log}.")


def _wait_until_loaded(web_ui: str, settings: "Settings", log: Path, services: Services) -> None:
    """Until Dagster has loaded the definitions and knows the schedules.

    Raises:
        ServiceError: It cannot; the message says why.
    """
    from aivo_assets.api.dagster_client import DagsterClient, DagsterUnreachableError

    dagster = DagsterClient(web_ui, timeout_seconds=settings.api.timeout_seconds)
    deadline = time.monotonic() + SECONDS_TO_START
    reason = "it has no schedule"
    while time.monotonic() < deadline:
        services.check()
        try:
            problem = dagster.load_error()
            if problem is not None:
                raise ServiceError(f"Dagster cannot load the definitions: {problem}", fix=f"The whole log is {log}.")
            if dagster.schedules():
                return
        except DagsterUnreachableError as error:
            reason = error.what
        time.sleep(0.5)
    raise ServiceError(
        f"Dagster did not load the definitions within {SECONDS_TO_START:.0f} s: {reason}", fix=f"Its log is {log}."
    )
