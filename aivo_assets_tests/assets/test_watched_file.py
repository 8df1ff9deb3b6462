"""Every row of a watched file ends in the lake, in quarantine, or in a number: by the job that a schedule starts."""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.definitions import build_definitions
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import receipts_of
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Lake, calendar
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import FixedClock
from aivo_assets.resources.platform import open_lake
from aivo_assets.settings import Settings

HEADER = "user_id,item_id,occurred_at,correct\n"
NOW = datetime(2025, 10, 9, 14, tzinfo=UTC)


@pytest.fixture
def school(tmp_path: Path) -> Settings:
    settings = {
        "home": tmp_path / "home",
        "pseudonym_key": "a key of thirty-two characters or more",
        "source": {"kind": "csv", "path": str(tmp_path / "export.csv")},
    }
    return Settings.model_validate(settings)


def write(school: Settings, *times: str) -> None:
    rows = "".join(f"u{n},i{n},{at},1\n" for n, at in enumerate(times))
    Path(str(school.source.path)).write_text(HEADER + rows)


def intake(definitions: dg.Definitions, instance: dg.DagsterInstance, day: str) -> dg.ExecuteInProcessResult:
    """The intake of a run over one day."""
    return definitions.resolve_job_def("late_events").execute_in_process(instance=instance, partition_key=day)


def rows(lake: Lake) -> dict[date, int]:
    counted = lake.scan(RAW_INTERACTIONS).collect().group_by("occurred_at").len()
    days = counted.with_columns(counted["occurred_at"].dt.date().alias("day")).group_by("day").sum()
    return dict(sorted(zip(days["day"], days["len"], strict=True)))


def test_rows_of_days_gone_by_land_with_the_next_run_and_their_day_is_asked_for(
    school: Settings, tmp_path: Path
) -> None:
    lake = open_lake(school)
    calendar.extend(lake, date(2025, 10, 1))
    definitions = build_definitions(school, clock=FixedClock(NOW))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        write(school, "2025-10-09 08:00", "2025-10-09 09:00")
        intake(definitions, instance, "2025-10-09")
        write(
            school,
            *("2025-10-09 08:00", "2025-10-09 09:00", "2025-10-02 11:00", "2025-10-08 23:59", "2025-10-09 10:00"),
            *("2025-09-30 08:00", "2025-09-12 08:00", "2025-10-09 23:00", "2025-10-10 03:00", "once"),
        )
        result = intake(definitions, instance, "2025-10-09")
        assert rows(lake) == {date(2025, 10, 2): 1, date(2025, 10, 8): 1, date(2025, 10, 9): 3}
        context = dg.build_sensor_context(
            instance=instance, repository_def=definitions.get_repository_def(), resources={"lake": lake}
        )
        (request,) = definitions.resolve_sensor_def("late_events").evaluate_tick(context).run_requests or []
    assert lake.days(ANONYMISED_INTERACTIONS) == [date(2025, 10, 9)]
    assert request.tags["dagster/asset_partition_range_start"] == "2025-10-02"
    assert request.tags["dagster/asset_partition_range_end"] == "2025-10-08"
    (made,) = (each for each in result.asset_materializations_for_node("ingest") if "rows in the lake" in each.metadata)
    told = {name: value.value for name, value in made.metadata.items() if name.startswith("rows not read")}
    assert list(told.values()) == [2]
    assert "2025-09-12 to 2025-09-30" in next(iter(told))
    (receipt,) = (each for each in receipts_of(lake, result.run_id) if each.source == "csv" and each.rows_read)
    assert receipt.by_reason == {"occurred_at is in the future": 2, "occurred_at is not a date and time": 1}
    assert receipt.rows_read == receipt.kept + receipt.duplicates + receipt.set_aside + receipt.outside_window == 10
    assert scan_quarantine(lake).collect().height == 3


def test_a_run_over_days_gone_by_lands_these_alone(school: Settings, tmp_path: Path) -> None:
    lake = open_lake(school)
    calendar.extend(lake, date(2025, 9, 1))
    write(school, "2025-09-03 08:00", "2025-09-04 08:00", "2025-10-09 08:00")
    definitions = build_definitions(school, clock=FixedClock(NOW))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        intake(definitions, instance, "2025-09-04")
    assert rows(lake) == {date(2025, 9, 4): 1}


def test_days_before_those_that_are_looked_back_on_are_counted(school: Settings, tmp_path: Path) -> None:
    lake = open_lake(school)
    calendar.extend(lake, date(2025, 9, 1))
    shorter = school.schedule.model_copy(update={"late_days": 3})
    definitions = build_definitions(school.model_copy(update={"schedule": shorter}), clock=FixedClock(NOW))
    write(school, "2025-10-05 08:00", "2025-10-06 08:00", "2025-10-09 08:00")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        result = intake(definitions, instance, "2025-10-09")
    assert rows(lake) == {date(2025, 10, 6): 1, date(2025, 10, 9): 1}
    (receipt,) = (each for each in receipts_of(lake, result.run_id) if each.source == "csv" and each.rows_read)
    assert (receipt.before_window, receipt.earliest) == (1, date(2025, 10, 5))
