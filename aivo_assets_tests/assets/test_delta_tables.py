"""The asset that publishes: every job that makes a gold dataset has it, and its check sees what differs."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.adaptive.schema import LEVELS
from aivo_assets.definitions import build_definitions
from aivo_assets.lake import Lake, open_lake
from aivo_assets.operations.jobs.names import EVERY_JOB
from aivo_assets.operations.published import GOLD, gold_standing
from aivo_assets.operations.retention import prune
from aivo_assets.settings import Settings

pytestmark = pytest.mark.slow  # each builds the definitions of a platform of its own
TABLES, CHECK = dg.AssetKey("delta_tables"), dg.AssetCheckKey(dg.AssetKey("delta_tables"), "equal_to_the_lake")
MAY = date(2026, 5, 4)
LEVEL = pl.DataFrame(
    {
        "day": [MAY],
        "subject": ["sums"],
        "level": [3],
        "lower": [-1.0],
        "upper": [1.0],
        "difficulty": [0.2],
        "items": [4],
    },
    schema=dict(LEVELS.schema),
)


@pytest.fixture
def given(tmp_path: Path) -> Settings:
    key = "a key of thirty-two characters or more"
    return Settings.model_validate({"home": tmp_path, "pseudonym_key": key, "lake": {"shards": 2, "delta": True}})


@pytest.fixture
def lake(given: Settings) -> Lake:
    lake = open_lake(given)
    lake.write(LEVELS, LEVEL, day=MAY)
    return lake


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


def by_hand(given: Settings, instance: dg.DagsterInstance, *assets: str) -> dg.ExecuteInProcessResult:
    job = build_definitions(given).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey(name) for name in assets])


def levels(lake: Lake) -> pl.DataFrame:
    return pl.scan_delta(lake.storage.location(LEVELS.path)).collect()


def test_every_job_publishes_what_it_made_and_without_the_setting_none_does(given: Settings, home: Path) -> None:
    def publishing(settings: Settings) -> set[str]:
        repository = build_definitions(settings).get_repository_def()
        jobs = {name: repository.get_job(name) for name in EVERY_JOB}
        return {name for name, job in jobs.items() if TABLES in job.asset_layer.executable_asset_keys}

    assert publishing(given) == set(EVERY_JOB)
    assert publishing(Settings(home=home)) == set()


def test_the_asset_publishes_and_its_check_tells_of_a_table_that_is_behind(
    given: Settings, lake: Lake, instance: dg.DagsterInstance
) -> None:
    result = by_hand(given, instance, "delta_tables")
    (made,) = result.asset_materializations_for_node("delta_tables")
    assert made.metadata["tables"].value == 1
    assert [check.passed for check in result.get_asset_check_evaluations()] == [True]
    assert levels(lake).equals(LEVEL)
    lake.write(LEVELS, LEVEL.with_columns(items=9), day=MAY)
    checks = (
        build_definitions(given)
        .resolve_implicit_global_asset_job_def()
        .get_subset(asset_check_selection={CHECK}, asset_selection=set())
        .execute_in_process(instance=instance)
        .get_asset_check_evaluations()
    )
    assert [check.passed for check in checks] == [False]
    assert LEVELS.path in str(checks[0].metadata["tables that differ"].value)


def test_what_is_materialised_by_hand_is_published_when_its_step_ends(
    given: Settings, lake: Lake, instance: dg.DagsterInstance
) -> None:
    by_hand(given, instance, "retention")
    assert levels(lake).equals(LEVEL)


def test_where_the_setting_is_off_retention_takes_tables_away(
    given: Settings, lake: Lake, instance: dg.DagsterInstance
) -> None:
    by_hand(given, instance, "delta_tables")
    off = given.model_copy(update={"lake": given.lake.model_copy(update={"delta": False})})
    assert prune(lake, off, MAY)["Delta tables that are kept up no more"] == 1
    assert all(table.version is None for table in gold_standing(lake))
    assert lake.scan(LEVELS).collect().equals(LEVEL)


def test_no_table_is_of_the_raw_zone() -> None:
    assert all(dataset.zone != "raw" for dataset in GOLD)
