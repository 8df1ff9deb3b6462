"""The Dagster instance below AIVO_HOME. Belongs here: its folder, its storage and how long it is open; no jobs."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import dagster as dg

from aivo_assets.operations.server.postgres import embedded_postgres
from aivo_assets.settings import Settings

Instance = dg.DagsterInstance  # so that commands may name it without knowing Dagster
STORAGE_VARIABLE = "AIVO_DAGSTER_STORAGE_URL"
REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = REPOSITORY / "aivo_assets" / "operations" / "dagster.yaml"


@contextmanager
def open_instance(settings: Settings) -> Iterator[Instance]:
    """The instance with its storage running: your PostgreSQL, or the embedded one for as long as this is open.

    The environment of this process, and so of those it starts, names the instance while it is open.
    """
    home = settings.home.absolute()
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TEMPLATE, folder / "dagster.yaml")
    own = settings.postgres_url
    storage = embedded_postgres(home) if own is None else nullcontext(_psycopg2(own.get_secret_value()))
    with storage as url:
        os.environ["AIVO_HOME"] = str(home)
        os.environ["DAGSTER_HOME"] = str(folder)
        os.environ[STORAGE_VARIABLE] = url
        with dg.DagsterInstance.get() as instance:
            yield instance


@contextmanager
def passing_instance(folder: Path) -> Iterator[Instance]:
    """An instance on files in a folder, with nothing of the settings; for a run that nobody looks at afterwards."""
    folder.mkdir(exist_ok=True)
    with Instance.local_temp(str(folder)) as instance:
        yield instance


def _psycopg2(url: str) -> str:
    """The URL with the driver that dagster-postgres uses; SQLAlchemy reads a bare `postgresql://` as another one."""
    return f"postgresql+psycopg2://{url.partition('://')[2]}"
