"""The school that the faults befall: taken to a champion once, then copied for every test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.operations.server.postgres import embedded_postgres
from aivo_assets_tests.chaos.school import SMALL, THREADS, Home, first_monday, write_answers

DAYS_OF_FIRST_RUN = 14
LENIENT = {  # a champion of two days ago gives way to any challenger
    "AIVO_PROMOTION_STALE_DAYS": "1",
    "AIVO_PROMOTION_STALE_MARGIN": "5",
    "AIVO_PROMOTION_CALIBRATION_LIMIT": "1",
    "AIVO_PROMOTION_SLICE_LIMIT": "5",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out unless they are asked for: `-m chaos`; other marker expressions mean what they meant."""
    if "chaos" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("chaos")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("chaos")]


@dataclass(frozen=True)
class School:
    """A school of three weeks whose first two weeks were run to a champion.

    Attributes:
        source: Its answers as the file has them.
        first: First school day.
        known: Last day of the first run.
        next: The day after it.
        home: Where the first run was; to be copied.
    """

    source: pl.DataFrame
    first: date
    known: date
    next: date
    home: Home


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder outside pytest's own, which is closed to the account that PostgreSQL runs under."""
    with tempfile.TemporaryDirectory(prefix="aivo-chaos-", ignore_cleanup_errors=True) as path:
        Path(path).chmod(0o755)
        yield Path(path)


@pytest.fixture(scope="session")
def school(folder: Path) -> School:
    first = first_monday(datetime.now(UTC))
    known = first + timedelta(days=DAYS_OF_FIRST_RUN - 1)
    source = write_answers(folder / "answers.parquet", first, known + timedelta(days=4))
    given = {name: value for name, value in os.environ.items() if not name.startswith(("AIVO_", "DAGSTER_"))}
    home = folder / "school"
    home.mkdir()
    environment = {
        **given, **THREADS, **SMALL, "COLUMNS": "250",
        "AIVO_HOME": str(home), "AIVO_SOURCE_PATH": str(folder / "answers.parquet"),
    }  # fmt: skip
    begun = Home(home, environment)
    done = begun.aivo("run", "--job", "main_brain_training", "--from", str(first), "--to", str(known))
    assert done.returncode == 0, done.stdout
    assert begun.serving() == 1
    return School(source, first, known, known + timedelta(days=1), begun)


@pytest.fixture
def copied(school: School, folder: Path) -> Iterator[Callable[..., Home]]:
    """Makes a copy of the school's home, with settings of its own."""
    made: list[Path] = []

    def copy(**settings: str) -> Home:
        path = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
        path.chmod(0o755)
        # `cp -a` keeps the owner of the database's files, which is not who runs the tests under root.
        subprocess.run(["cp", "-a", f"{school.home.path}/.", str(path)], check=True)
        made.append(path)
        return Home(path, {**school.home.environment, "AIVO_HOME": str(path), **settings})

    yield copy
    for path in made:
        if (path / "postgres" / "data" / "postmaster.pid").exists():
            with embedded_postgres(path):  # a killed holder leaves the server to the next one, who stops it
                pass
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def server(folder: Path) -> Path:
    """Where a PostgreSQL server of a test's own keeps its data."""
    path = Path(tempfile.mkdtemp(prefix="server-", dir=folder))
    path.chmod(0o755)
    return path


@pytest.fixture
def home(copied: Callable[..., Home]) -> Home:
    return copied()
