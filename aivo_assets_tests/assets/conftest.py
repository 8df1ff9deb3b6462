"""A small simulated school, taken once through the real job on a real instance; tests look at what it left behind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from aivo_assets.definitions import build_definitions
from aivo_assets.lake import Lake, calendar, open_lake
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 22)
NOW = datetime(2026, 3, 23, 2, tzinfo=UTC)
SMALL: Mapping[str, Any] = {
    "pseudonym_key": "a key of thirty-two characters or more",
    "simulator": {"learners": 160, "days": 21, "start": FIRST, "dirt": 0.01},
    "training": {"max_iterations": 60, "learning_rate": 0.2},
    "drift": {"minimum_events": 200},
}


@dataclass(frozen=True)
class Platform:
    """A platform of its own below one folder.

    Attributes:
        settings: What it is built from.
        instance: Its Dagster instance.
    """

    settings: Settings
    instance: dg.DagsterInstance

    @property
    def lake(self) -> Lake:
        return open_lake(self.settings)

    @property
    def registry(self) -> Registry:
        return Registry(self.settings.home)

    def run(
        self, job: str, first: date, last: date, *, now: datetime = NOW, assets: list[str] | None = None, **other: Any
    ) -> dg.ExecuteInProcessResult:
        """Run a job over a range of days, with other settings where given; a failed step does not raise."""
        settings = Settings.model_validate({**self.settings.model_dump(), **other})
        definitions = build_definitions(settings, clock=FixedClock(now))
        return definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            tags={
                "dagster/asset_partition_range_start": first.isoformat(),
                "dagster/asset_partition_range_end": last.isoformat(),
                "aivo/cause": "a test",
            },
            asset_selection=[dg.AssetKey(name) for name in assets] if assets else None,
            raise_on_error=False,
        )


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, dg.ExecuteInProcessResult]]:
    """The school after its first run, and that run. Shared: a test that changes it uses days of its own."""
    home = tmp_path_factory.mktemp("school")
    settings = Settings.model_validate({**SMALL, "home": home})
    folder = home / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        platform = Platform(settings, instance)
        calendar.extend(platform.lake, FIRST)
        yield platform, platform.run("end_to_end", FIRST, LAST)


@pytest.fixture(scope="session")
def platform(school: tuple[Platform, dg.ExecuteInProcessResult]) -> Platform:
    return school[0]


@pytest.fixture(scope="session")
def first_run(school: tuple[Platform, dg.ExecuteInProcessResult]) -> dg.ExecuteInProcessResult:
    return school[1]
