"""Where Dagster keeps its runs: your PostgreSQL where you name one, the embedded one otherwise."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.operations.server.postgres import embedded_postgres
from aivo_assets.resources.instance import open_instance
from aivo_assets.settings import Settings


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder outside pytest's own, which is closed to the account that PostgreSQL runs under."""
    for name in ("AIVO_HOME", "DAGSTER_HOME", "AIVO_DAGSTER_STORAGE_URL"):
        monkeypatch.setenv(name, "")  # so that what opening an instance sets is taken back afterwards
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@dg.op
def answer() -> None:
    """Does nothing, and is recorded."""


@dg.job
def one_step() -> None:
    """A job of one step."""
    answer()


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_a_server_of_your_own_keeps_the_runs(scheme: str, folder: Path) -> None:
    with embedded_postgres(folder / "server") as url:
        own = f"{scheme}://{url.split('://', 1)[1]}"
        settings = Settings.model_validate({"home": folder / "home", "postgres_url": own})
        with open_instance(settings) as instance:
            run_id = one_step.execute_in_process(instance=instance).run_id
        with open_instance(settings) as instance:
            kept = instance.get_run_by_id(run_id)
        assert kept is not None
        assert kept.status == dg.DagsterRunStatus.SUCCESS
        assert not (folder / "home" / "postgres").exists()
