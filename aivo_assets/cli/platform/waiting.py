"""Waiting for the services of `aivo up`, each until it answers. Belongs here: what is asked of them."""

import time
from collections.abc import Callable

import httpx

from aivo_assets.api.dagster_client import DagsterClient, DagsterUnreachableError
from aivo_assets.cli.platform.services import Service, Services
from aivo_assets.errors import ServiceError

SECONDS_TO_START = 120.0


def wait_for(service: Service, problem: Callable[[], str], services: Services) -> None:
    """Look twice a second until there is no problem any more.

    Args:
        service: Who is waited for.
        problem: Why it is not up yet; empty where it is.
        services: Looked after meanwhile.

    Raises:
        ServiceError: One of the services ended, or this one was not up in time.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    while reason := problem():
        services.check()
        if time.monotonic() > deadline:
            raise ServiceError(
                f"The {service.name} did not start within {SECONDS_TO_START:.0f} s: {reason}",
                fix=f"Its log is {service.log}.",
            )
        time.sleep(0.5)


def silence_of(url: str) -> str:
    """Why an HTTP service does not answer; empty where it does."""
    try:
        answer = httpx.get(url, timeout=2)
    except httpx.TransportError as error:
        return f"{url} does not answer ({type(error).__name__})"
    return "" if answer.is_success else f"{url} answers {answer.status_code}"


def not_loaded(dagster: DagsterClient, code_server: Service) -> str:
    """Why Dagster does not know the schedules yet; empty where it does.

    Raises:
        ServiceError: It cannot load the definitions; the message says why.
    """
    try:
        problem = dagster.load_error()
        if problem is None:
            return "" if dagster.schedules() else "Dagster knows no schedule"
    except DagsterUnreachableError as error:
        return error.what
    raise ServiceError(f"Dagster cannot load the definitions: {problem}", fix=f"The whole log is {code_server.log}.")
