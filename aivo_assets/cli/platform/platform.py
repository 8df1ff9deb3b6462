"""The services of the platform: which there are, and in which order they start. They are kept by `services.py`."""

import os
import socket
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from aivo_assets.api.addresses import reachable, service_url
from aivo_assets.api.dagster_client import DagsterClient
from aivo_assets.automation.partitions import DAYS_BEFORE_ANY_EVENT
from aivo_assets.cli.platform.alerts import NO_CHANNEL, has_channel
from aivo_assets.cli.platform.code_server import Renewal, code_server, not_listening, write_workspace
from aivo_assets.cli.platform.services import Service, Services
from aivo_assets.cli.platform.settings import no_champion_serves
from aivo_assets.cli.platform.waiting import not_loaded, silence_of, wait_for
from aivo_assets.errors import ServiceError
from aivo_assets.lake import calendar, open_lake
from aivo_assets.operations.server.fast_clock import set_going
from aivo_assets.privacy.lake_key import refuse_other_settings
from aivo_assets.resources.clock import PlatformClock, SystemClock
from aivo_assets.resources.instance import open_instance
from aivo_assets.settings import Settings

PATHS = (
    "AIVO_SOURCE_PATH",
    "AIVO_SOURCE_LEARNER_PATH",
    "AIVO_SOURCE_OVERRIDE_PATH",
    "AIVO_POLICY_PREREQUISITES",
    "AIVO_LAKE_URL",
)


def run_platform(settings: Settings, host: str, port: int, console: Console) -> None:
    """Run the platform until Ctrl-C or SIGTERM.

    Args:
        settings: All of them.
        host: Address that the web UI listens on.
        port: Its port.
        console: Where people are told that it is up.

    Raises:
        ServiceError: A port is taken, a service did not start, or one that is not started again has ended.
    """
    _refuse_taken_port(host, port, fix="Choose another one: aivo up --port 3001.")
    _refuse_taken_port(settings.api.host, settings.api.port, fix="Choose another one: AIVO_API_PORT=8010.")
    first_day = _begin_calendar(settings)
    with open_instance(settings), tempfile.TemporaryDirectory(prefix="aivo-") as private:
        unservable = no_champion_serves(settings)
        if unservable is not None:
            console.print(Text(unservable, "yellow"))
        console.print("Starting PostgreSQL, the code server, the web UI and the daemon …")
        web_ui = f"http://{reachable(host)}:{port}"
        # The HTTP service starts runs through the web UI, wherever that listens.
        environment = _isolated({**os.environ, "AIVO_API_DAGSTER_URL": web_ui})
        with Services(environment=environment, folder=Path(environment["DAGSTER_HOME"])) as running:
            dagster = DagsterClient(web_ui, timeout_seconds=settings.api.timeout_seconds)
            renewal = Renewal(first_day, dagster)
            _start(settings, running, dagster, Path(private) / "code-server", web_ui=(host, port))
            _tell_up(settings, f"http://{host}:{port}", console)
            try:
                running.watch(renewal.look)
            except KeyboardInterrupt:
                console.print("\nStopping …")


def _start(
    settings: Settings, running: Services, dagster: DagsterClient, address: Path, *, web_ui: tuple[str, int]
) -> None:
    """Start the services and wait until all of them are up.

    Args:
        settings: Where they listen and log.
        running: Keeps them.
        dagster: Asks the web UI.
        address: Socket of the code server.
        web_ui: Host and port of the web UI.
    """
    logs = settings.home.absolute() / "logs"
    workspace = ["-w", str(write_workspace(Path(os.environ["DAGSTER_HOME"]), address))]
    host, port = web_ui
    code = code_server(address, logs / "code.log")
    web = Service("web UI", [*_module("dagster_webserver"), "-h", host, "-p", str(port), *workspace], logs / "web.log")
    http = Service("HTTP service", _module("aivo_assets.api"), logs / "http.log", restart=True)
    daemon = Service("daemon", [*_module("dagster._daemon"), "run", *workspace], logs / "daemon.log")
    running.start(code)
    wait_for(code, partial(not_listening, address), running)
    for service in (web, http, daemon):
        running.start(service)
    wait_for(web, partial(silence_of, f"http://{reachable(host)}:{port}/server_info"), running)
    wait_for(code, partial(not_loaded, dagster, code), running)
    wait_for(http, partial(silence_of, f"http://{reachable(settings.api.host)}:{settings.api.port}/health"), running)
    set_going(settings, SystemClock().now())


def _tell_up(settings: Settings, web_ui: str, console: Console) -> None:
    note = (f"(logs in {settings.home.absolute() / 'logs'}; Ctrl-C ends it)", "dim")
    console.print(Text.assemble(("AIVO is up:", "bold green"), f" {web_ui}   ", note))
    console.print(f"Pages for teachers and everybody else: {service_url(settings.api)}/")
    if not has_channel(settings):
        console.print(NO_CHANNEL)
    if settings.clock.start is not None:
        shown = PlatformClock(settings).now()
        console.print(f"Its clock shows {shown:%Y-%m-%d %H:%M} UTC, {settings.clock.speed:g} times as fast.")


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


def _begin_calendar(settings: Settings) -> Callable[[], date]:
    """Fix the first daily partition before anything loads it, so that every process sees the same days.

    Returns:
        Reads the first day of the calendar, which commands may extend into the past.
    """
    refuse_other_settings(settings)
    lake = open_lake(settings)
    start = PlatformClock(settings).now().date() - DAYS_BEFORE_ANY_EVENT
    calendar.extend(lake, calendar.first_day(lake, otherwise=start))
    return partial(calendar.first_day, lake, otherwise=start)
