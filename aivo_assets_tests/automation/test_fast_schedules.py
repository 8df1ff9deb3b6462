"""The schedules over a clock that runs fast: due by the machine's clock, asking for the platform's day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from aivo_assets.automation.schedules import ADAPTIVE, DAILY, DRIFT
from aivo_assets.automation.ticks import RANGE_END_TAG, RANGE_START_TAG
from aivo_assets.definitions import build_definitions
from aivo_assets.operations.jobs.causes import EVIDENCE_TAG
from aivo_assets.operations.jobs.names import READ_AT, WEEKLY_JOB
from aivo_assets.operations.server.fast_clock import set_going
from aivo_assets.resources.clock import PlatformClock
from aivo_assets.settings import Settings

BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVERY_MINUTE = dict.fromkeys(
    ("main_brain_daily", "drift_monitor", "weekly_full_retraining", "adaptive_training"), "* * * * *"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "home": tmp_path,
            "clock": {"start": "2025-09-17", "speed": 720},  # a day takes two minutes
            "schedule": EVERY_MINUTE,
            "training": {"minimum_hours_between": 0},
        }
    )


@pytest.fixture
def repository(settings: Settings) -> dg.RepositoryDefinition:
    """The real definitions, as Dagster loads them, over a clock that has just been set going."""
    set_going(settings, BEGAN)
    return build_definitions(settings).get_repository_def()


def ask(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, name: str, at: datetime
) -> dg.RunRequest | str:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at, repository_def=repository)
    schedule = repository.get_schedule_def(name)
    assert callable(schedule._execution_fn)
    answer = schedule._execution_fn(context)
    return str(answer.skip_message) if isinstance(answer, dg.SkipReason) else answer


@pytest.mark.parametrize(
    ("name", "day"),
    [(DAILY, "2025-09-16"), (WEEKLY_JOB, "2025-09-16"), (DRIFT, "2025-09-17"), (ADAPTIVE, "2025-09-17")],
)
def test_days_are_those_of_the_platforms_clock(
    name: str, day: str, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    first = ask(instance, repository, name, BEGAN + timedelta(minutes=1))
    next_day = ask(instance, repository, name, BEGAN + timedelta(minutes=2))
    assert isinstance(first, dg.RunRequest)
    assert isinstance(next_day, dg.RunRequest)
    assert first.partition_key == day
    assert next_day.partition_key == (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    assert first.tags[EVIDENCE_TAG] == "2025-09-17T12:00:00+00:00"
    assert first.run_key != next_day.run_key


@pytest.mark.parametrize(("read_at", "covers"), [("2025-09-17T00:05:00+00:00", 0), ("2025-09-16T18:00:00+00:00", 1)])
def test_whether_a_day_was_read_whole_is_told_by_the_same_clock(
    read_at: str, covers: int, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> None:
    """By the machine's clock every day of last year was read long after it was over."""
    read = dg.AssetMaterialization("raw_interactions", partition="2025-09-16", metadata={READ_AT: read_at})
    instance.report_runless_asset_event(read)
    request = ask(instance, repository, DAILY, BEGAN + timedelta(minutes=2))
    assert isinstance(request, dg.RunRequest)
    if covers:
        assert (request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]) == ("2025-09-16", "2025-09-17")
    else:
        assert request.partition_key == "2025-09-17"


def test_assets_are_given_the_clock_of_the_settings(repository: dg.RepositoryDefinition) -> None:
    resource = repository.get_top_level_resources()["clock"]
    clock = resource.resource_fn(dg.build_init_resource_context())
    assert isinstance(clock, PlatformClock)
    assert clock.at(BEGAN + timedelta(minutes=2)) == datetime(2025, 9, 18, tzinfo=UTC)
