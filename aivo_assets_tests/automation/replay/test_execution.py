"""One run of a replay: what it made, how it failed, and that whoever interrupts it is heard."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pytest

from aivo_assets.automation.replay.execution import Done, days_named, execute, silent_logger


@dg.asset
def first() -> None:
    """Is made."""


@dg.asset(deps=[first])
def second() -> None:
    """Fails."""
    raise ValueError("the disk is full\nand more")


@dg.asset
def interrupted() -> None:
    """Is interrupted, as by Ctrl-C."""
    raise KeyboardInterrupt


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def done(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition, leave_out: tuple[str, ...] = ()) -> Done:
    definitions = dg.Definitions(
        assets=assets, jobs=[dg.define_asset_job("everything")], loggers={"console": silent_logger()}
    )
    job = definitions.resolve_job_def("everything")
    return execute(job, instance, tags={"by": "a test"}, assets=None, leave_out=leave_out)


def test_a_run_tells_what_it_made_and_what_each_step_took(instance: dg.DagsterInstance) -> None:
    run = done(instance, first)
    assert run.made == {"first"}
    assert run.failure is None
    assert set(run.steps) == {"first"}
    assert instance.get_runs()[0].tags["by"] == "a test"


def test_a_failed_run_names_the_step_and_the_first_line_of_its_error(instance: dg.DagsterInstance) -> None:
    run = done(instance, first, second)
    assert run.made == {"first"}
    assert run.failure is not None
    assert run.problem == "second: ValueError: the disk is full"


def test_what_is_left_out_is_not_made(instance: dg.DagsterInstance) -> None:
    run = done(instance, first, second, leave_out=("second",))
    assert run.made == {"first"}
    assert run.failure is None


def test_whoever_interrupts_a_run_ends_the_replay_and_not_the_run_alone(instance: dg.DagsterInstance) -> None:
    with pytest.raises(KeyboardInterrupt):
        done(instance, first, interrupted)


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({}, None),
        ({"dagster/partition": "2026-03-02"}, (date(2026, 3, 2), date(2026, 3, 2))),
        (
            {
                "dagster/asset_partition_range_start": "2026-03-01",
                "dagster/asset_partition_range_end": "2026-03-02",
            },
            (date(2026, 3, 1), date(2026, 3, 2)),
        ),
    ],
)
def test_the_days_of_a_run_are_read_from_its_tags(tags: dict[str, str], days: tuple[date, date] | None) -> None:
    assert days_named(tags) == days
