"""Fixtures of the warehouse tests."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from aivo_assets import warehouse
from aivo_assets.lake import Lake
from aivo_assets.settings import PrivacySettings, Settings
from aivo_assets.warehouse import Built
from aivo_assets_tests.warehouse import tiny_lake


@dataclass(frozen=True)
class House:
    """A lake with a warehouse over it, all below one folder."""

    settings: Settings
    lake: Lake

    def publish(self) -> dict[str, int]:
        return warehouse.publish(self.lake, warehouse.warehouse_path(self.settings))

    def build(self, project_dir: Path | None = None, *, select: str | None = None) -> Built:
        self.publish()
        return warehouse.build(
            project_dir or warehouse.project_dir(),
            warehouse.target_dir(self.settings),
            warehouse.environment(self.settings),
            select=select,
        )

    def mart(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(Path(warehouse.marts_path(self.settings)) / f"{name}.parquet")


MARTS = ("dim_items", "dim_skills", "fct_learner_skill_daily", "mart_class_progress")
MARTS_AND_STAGING = ("stg_interactions", *MARTS)


def house(home: Path, frame: pl.DataFrame | None, *, k: int = 3) -> House:
    """A house over the given answers, or over nothing."""
    settings = Settings(home=home, privacy=PrivacySettings(k_anonymity=k))
    lake = Lake(settings.lake_url, shards=2)
    if frame is not None:
        tiny_lake.write(lake, frame)
    return House(settings, lake)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The tiny lake's marts, k = 3, built once."""
    made = house(tmp_path_factory.mktemp("tiny"), tiny_lake.interactions())
    done = made.build()
    assert done.success, done.messages
    return made
