"""A person asks for a training: it waits where a guard says so, and by force it runs and is recorded as forced."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console
from typer.testing import CliRunner

from aivo_assets.automation.jobs import CAUSE_TAG
from aivo_assets.cli.models.train import JOB, add_to, cause_of, train_now
from aivo_assets.errors import AivoError, RunError, SettingsError
from aivo_assets.operations.jobs.names import TRAINED_AT
from aivo_assets.settings import Settings

NOW = datetime(2026, 3, 23, 9, tzinfo=UTC)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield instance


@pytest.fixture
def given(tmp_path: Path) -> Settings:
    """Settings whose source is not there, so that a run that begins ends at its first step."""
    source = {"kind": "csv", "path": str(tmp_path / "absent.csv")}
    key = "a key of thirty-two characters or more"
    return Settings.model_validate({"home": tmp_path / "home", "source": source, "pseudonym_key": key})


def trained(instance: dg.DagsterInstance, at: datetime) -> None:
    instance.report_runless_asset_event(
        dg.AssetMaterialization("main_brain_candidate", metadata={TRAINED_AT: at.isoformat()})
    )


def ask(given: Settings, instance: dg.DagsterInstance, *, force: bool) -> tuple[bool, str]:
    console = Console(record=True, width=200)
    with console.capture() as shown:
        cause = cause_of("a new curriculum", force=force)
        done = train_now(given, instance, cause, now=NOW, force=force, console=console)
    return done, shown.get()


def test_a_recent_training_is_a_reason_to_wait_and_the_reason_is_said(
    given: Settings, instance: dg.DagsterInstance
) -> None:
    trained(instance, NOW - timedelta(hours=5))
    done, said = ask(given, instance, force=False)
    assert not done
    assert "trained 5.0 hours ago; 20 must lie between two trainings" in said
    assert "aivo train main-brain --force --reason" in said
    assert instance.get_runs() == []


@pytest.mark.slow
@pytest.mark.parametrize(("force", "hours"), [(True, 5), (False, 21)])
def test_by_force_or_after_the_time_it_runs_as_an_emergency_with_its_cause(
    given: Settings, instance: dg.DagsterInstance, force: bool, hours: int
) -> None:
    trained(instance, NOW - timedelta(hours=hours))
    with pytest.raises(AivoError, match=r"absent\.csv"):
        ask(given, instance, force=force)
    (run,) = instance.get_runs()
    assert run.job_name == JOB == "emergency_retrain"
    assert run.tags[CAUSE_TAG] == ("forced: a new curriculum" if force else "aivo train main-brain: a new curriculum")
    assert run.tags["dagster/asset_partition_range_start"] == "2026-03-22"
    assert run.tags["dagster/asset_partition_range_end"] == "2026-03-22"


def test_nothing_is_trained_twice_at_once_even_by_force(given: Settings, instance: dg.DagsterInstance) -> None:
    run = instance.add_run(dg.DagsterRun(job_name="main_brain_training", status=dg.DagsterRunStatus.STARTED))
    done, said = ask(given, instance, force=False)
    assert not done
    assert run.run_id in said
    with pytest.raises(RunError, match="not trained twice at once"):
        ask(given, instance, force=True)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_force_needs_a_reason(reason: str | None) -> None:
    with pytest.raises(SettingsError, match="--force needs a reason"):
        cause_of(reason, force=True)
    assert cause_of(reason, force=False) == "aivo train main-brain"


def test_a_long_reason_is_cut_to_what_a_tag_holds() -> None:
    assert len(cause_of("x" * 1000, force=True)) == 250


def test_the_help_says_that_force_is_no_promotion() -> None:
    import typer

    app = typer.Typer()
    add_to(app)
    shown = " ".join(CliRunner().invoke(app, ["train", "main-brain", "--help"]).output.split())
    assert "does not promote against the" in shown
    assert "exit code is 0" in shown
