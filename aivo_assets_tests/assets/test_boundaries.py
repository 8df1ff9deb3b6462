"""What must not happen: a leak that passes, a source error that leaves half a day, a key made in passing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Dataset
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets_tests.assets.conftest import FIRST, LAST, Platform

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("school")]

BEFORE = FIRST - timedelta(days=10)
NOTES = Dataset("notes", {"note": pl.String})


@pytest.fixture
def elsewhere(tmp_path: Path) -> "Platform":
    """An empty platform with settings of a stranger: no key, no events."""
    (tmp_path / "dagster").mkdir()
    instance = dg.DagsterInstance.local_temp(str(tmp_path / "dagster"))
    return Platform(Settings(home=tmp_path), instance)


def failure(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    return "\n".join(str(event.step_failure_data.error) for event in result.get_step_failure_events())


def test_a_raw_value_in_a_derived_file_fails_the_audit(platform: Platform) -> None:
    name = platform.lake.scan(RAW_LEARNERS).select("name").drop_nulls().head(1).collect().item()
    platform.lake.write(NOTES, pl.DataFrame({"note": [f"spoke with {name} today"]}))
    try:
        result = platform.run("weekly_full_retraining", LAST, LAST, assets=["privacy_audit"])
        (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "no_raw_values"]
        assert not check.passed
        assert "notes" in str(check.metadata["findings"].value)
        assert name not in str(check.metadata)
    finally:
        for file in (platform.lake.root / "notes").iterdir():
            file.unlink()


def test_without_a_key_nothing_is_anonymised_and_the_reason_is_said(elsewhere: Platform) -> None:
    result = elsewhere.run("late_events", date(2026, 3, 2), date(2026, 3, 2), now=datetime(2026, 3, 3, tzinfo=UTC))
    assert not result.success
    (event,) = [each for each in result.all_events if each.event_type == dg.DagsterEventType.RUN_FAILURE]
    assert "There is no pseudonym key" in str(event.event_specific_data)
    assert elsewhere.lake.days(ANONYMISED_INTERACTIONS) == []


def test_an_absent_source_is_one_clear_error_and_leaves_no_partition(platform: Platform, tmp_path: Path) -> None:
    source = {"kind": "csv", "path": str(tmp_path / "absent.csv")}
    result = platform.run("late_events", LAST, LAST, source=source)
    assert "absent.csv" in failure(result)
    assert result.retry_attempts_for_node("ingest") == 0


def test_late_events_land_in_their_own_day_and_only_that_day_is_made_again(platform: Platform, tmp_path: Path) -> None:
    """A file of one late answer, read while the run covers another day's partition as well."""
    held = platform.lake.version(ANONYMISED_INTERACTIONS, days=[FIRST])
    late = platform.lake.scan(RAW_INTERACTIONS, days=[LAST]).head(1).collect()
    late = late.with_columns(
        event_id=pl.lit("late-1"),
        occurred_at=pl.lit(datetime(2026, 3, 21, 23, 30, tzinfo=UTC)).cast(pl.Datetime("us", "UTC")),
    )
    file = tmp_path / "late.parquet"
    late.write_parquet(file)
    before = {day: platform.lake.version(RAW_INTERACTIONS, days=[day]) for day in (LAST - timedelta(days=1), LAST)}
    source = {"kind": "parquet", "path": str(file)}
    result = platform.run("late_events", LAST - timedelta(days=1), LAST, source=source)
    assert result.success
    after = {day: platform.lake.version(RAW_INTERACTIONS, days=[day]) for day in before}
    changed = [day for day in before if before[day] != after[day]]
    assert changed == [LAST - timedelta(days=1)]
    assert platform.lake.version(ANONYMISED_INTERACTIONS, days=[FIRST]) == held
    anonymised = platform.lake.scan(ANONYMISED_INTERACTIONS, days=changed).select(pl.len()).collect().item()
    assert anonymised == platform.lake.scan(RAW_INTERACTIONS, days=changed).select(pl.len()).collect().item()
