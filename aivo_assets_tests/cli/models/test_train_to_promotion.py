"""An emergency, from the terminal to a new champion: a real school, a real instance, real models, nothing left out."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from rich.console import Console
from typer.testing import CliRunner

from aivo_assets.automation.jobs import CAUSE_TAG
from aivo_assets.cli.main import app
from aivo_assets.cli.models.train import JOB, cause_of, train_now
from aivo_assets.cli.running import run_job
from aivo_assets.drift.schema import DRIFT_REFERENCE
from aivo_assets.lake import calendar, open_lake
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry

pytestmark = pytest.mark.slow

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 18)
MORNING = datetime(2026, 3, 20, 9, tzinfo=UTC)  # the day before, the 19th, is the last whole one
REASON = "the champion's files are damaged"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.model_validate(
        {
            "home": tmp_path_factory.mktemp("school"),
            "pseudonym_key": "a key of thirty-two characters or more",
            "simulator": {"learners": 160, "days": 30, "start": FIRST, "dirt": 0.0},
            "training": {"max_iterations": 40, "learning_rate": 0.2},
            "promotion": {"minimum_events": 300},
            "tuning": {"trials": 0},
        }
    )


@pytest.fixture(scope="module")
def instance(given: Settings) -> Iterator[dg.DagsterInstance]:
    (given.home / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(given.home / "dagster")) as instance:
        calendar.extend(open_lake(given), FIRST)
        run_job(
            "main_brain_training", given, instance,
            days=(FIRST, LAST), cause="a test", console=Console(quiet=True),
        )  # fmt: skip
        yield instance


def aivo(given: Settings, *arguments: str) -> str:
    environment = {"AIVO_HOME": str(given.home), "COLUMNS": "250"}
    return " ".join(CliRunner(env=environment).invoke(app, ["registry", *arguments]).output.split())


def test_a_damaged_champion_is_reported_replaced_by_force_and_all_of_it_is_recorded(
    given: Settings, instance: dg.DagsterInstance
) -> None:
    registry = Registry(given.home)
    assert [move.after for move in registry.moves()] == [1]
    trees = given.home / "mlflow" / "artifacts" / registry.version(1).tags["artefact"] / "model" / "trees_0.txt"
    trees.write_bytes(trees.read_bytes()[:-1])
    assert registry.champion() is None

    cause, console = cause_of(REASON, force=True), Console(record=True, width=200, quiet=True)
    assert train_now(given, instance, cause, now=MORNING, force=True, console=console)

    (run,) = instance.get_runs(dg.RunsFilter(job_name=JOB))
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert run.tags[CAUSE_TAG] == f"forced: {REASON}"
    assert run.tags["dagster/asset_partition_range_end"] == "2026-03-19"
    move = registry.moves()[-1]
    assert (move.kind, move.before, move.after, move.by) == ("promotion", 1, 2, f"forced: {REASON}")
    assert "better than that of item difficulty alone" in move.reason
    serving = registry.champion()
    assert serving is not None
    assert (serving.version.number, serving.version.as_of, serving.problems) == (2, LAST + timedelta(days=1), ())
    assert set(open_lake(given).scan(DRIFT_REFERENCE).collect()["model_version"]) == {"2"}

    assert "champion" in aivo(given, "list")
    assert f"champion_by: promotion, asked by forced: {REASON}" in aivo(given, "show", "2")
    assert f"1 → 2, asked by forced: {REASON}." in aivo(given, "history")


def test_without_force_the_next_one_waits(given: Settings, instance: dg.DagsterInstance) -> None:
    console = Console(record=True, width=300)
    later = datetime.now(UTC) + timedelta(hours=5)  # the trainings above were given this machine's clock
    with console.capture() as shown:
        assert not train_now(given, instance, cause_of(None, force=False), now=later, force=False, console=console)
    assert "20 must lie between two trainings" in shown.get()
