"""The one process that holds the definitions for the web UI and the daemon. Belongs here: starting and renewing it.

Without it each of the two would import everything for itself, and the daemon again every minute. It listens on a socket
in a folder that only this account may enter. It is `dagster api grpc`: one process, so that `Services` sees its end.
"""

import json
import logging
import socket
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from aivo_assets.api.dagster_client import DagsterClient
from aivo_assets.cli.platform.services import Service
from aivo_assets.errors import AivoError
from aivo_assets.operations.jobs.names import LOCATION

SECONDS_BETWEEN_LOOKS = 10.0
_log = logging.getLogger(__name__)


def code_server(address: Path, log: Path) -> Service:
    """The process, which is started again where it ends.

    Args:
        address: Socket that it will listen on.
        log: File that gets everything it prints.
    """
    command = [
        *(sys.executable, "-P", "-m", "dagster", "api", "grpc", "--socket", str(address)),
        *("--module-name", "aivo_assets.definitions", "--empty-working-directory", "--location-name", LOCATION),
        # Definitions that cannot be loaded are then named by the web UI, with the reason.
        *("--lazy-load-user-code", "--use-python-environment-entry-point"),
    ]
    return Service("code server", command, log, restart=True)


def write_workspace(folder: Path, address: Path) -> Path:
    """The workspace that leads the web UI and the daemon to the code server; returns its file."""
    path = folder / "workspace.yaml"
    server = {"socket": str(address), "location_name": LOCATION}
    path.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))  # JSON is YAML
    return path


def not_listening(address: Path) -> str:
    """Why the code server cannot be asked yet; empty where it has loaded the definitions, or knows why it cannot."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(address))
        except OSError:
            return "the definitions are not loaded"
    return ""


class Renewal:
    """Ends the code server once the calendar reaches back further, so that the one started next knows the new days.

    Args:
        first_day: Reads the first day of the calendar.
        dagster: Passes the request on.
        clock: Seconds that only grow.
    """

    def __init__(
        self, first_day: Callable[[], date], dagster: DagsterClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first_day = first_day
        self._dagster = dagster
        self._clock = clock
        self._known = first_day()
        self._looked = clock()

    def look(self) -> None:
        """Look, unless that was lately; what fails is tried again at the next look."""
        if self._clock() - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        self._looked = self._clock()
        try:
            first = self._first_day()
            if first != self._known:
                self._dagster.end_code_server()
                self._known = first
        except AivoError as error:
            _log.warning("the code server was not renewed: %s", error.what)
