"""What is recorded of an upstream is never newer than what was read: rows that land meanwhile are seen as new."""

from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from pydantic import SecretStr

from aivo_assets.assets.intake.anonymised import anonymised_interactions
from aivo_assets.automation.sensing.trainings import train_if_needed
from aivo_assets.automation.ticks import partition_tags
from aivo_assets.drift.verdicts.training_need import TRAINING_NEED
from aivo_assets.events.landing.events import land
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake, read
from aivo_assets.privacy.keys import load_key
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.resources.clock import FixedClock
from aivo_assets.settings import Settings
from aivo_assets_tests.conftest import NOW
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract

FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)


class BusyLake(Lake):
    """A lake that somebody else writes to as soon as a dataset was opened for reading, once."""

    def __init__(self, root: Path, dataset: Dataset, write: Callable[[], None]) -> None:
        super().__init__(root, shards=2)
        self._dataset, self._write, self.written = dataset, write, False

    def scan(self, dataset: Dataset, **how: Any) -> pl.LazyFrame:
        opened = super().scan(dataset, **how)
        if dataset.path == self._dataset.path and not self.written:
            self.written = True
            self._write()
        return opened


@pytest.fixture
def quiet(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", shards=2)


def landed(lake: Lake, *rows: dict[str, object]) -> None:
    land(lake, MemorySource([extract(rows)]), window=None, now=NOW, run="run")


def run(asset: dg.AssetsDefinition, days: Collection[date], **resources: object) -> None:
    definitions = dg.Definitions(
        assets=[asset],
        jobs=[dg.define_asset_job("one", executor_def=dg.in_process_executor)],
        resources={name: dg.ResourceDefinition.hardcoded_resource(value) for name, value in resources.items()},
    )
    assert definitions.resolve_job_def("one").execute_in_process(tags=partition_tags(min(days), max(days))).success


def test_a_version_is_looked_up_before_the_rows_are_read(tmp_path: Path, quiet: Lake) -> None:
    landed(quiet, answer(1), answer(occurred_at="2024-05-02T08:00:00Z"))
    before = quiet.version(RAW_INTERACTIONS, days=[FIRST, SECOND])
    busy = BusyLake(tmp_path / "lake", RAW_INTERACTIONS, lambda: landed(quiet, answer(2)))
    reading = read(busy, RAW_INTERACTIONS, days=iter([FIRST, SECOND]))
    assert reading.version == before != quiet.version(RAW_INTERACTIONS, days=[FIRST, SECOND])
    assert reading.of_day[FIRST] != quiet.version(RAW_INTERACTIONS, days=[FIRST])
    assert reading.of_day[SECOND] == quiet.version(RAW_INTERACTIONS, days=[SECOND])


def test_rows_that_land_while_a_day_is_anonymised_leave_it_out_of_date(tmp_path: Path, quiet: Lake) -> None:
    settings = Settings(home=tmp_path, pseudonym_key=SecretStr("a key of thirty-two characters or more"))
    given = {"settings": settings, "pseudonym_key": load_key(settings, create=False)}
    landed(quiet, *(answer(n) for n in range(5)))
    busy = BusyLake(tmp_path / "lake", RAW_INTERACTIONS, lambda: landed(quiet, *(answer(n) for n in range(5, 8))))
    run(anonymised_interactions, [FIRST, SECOND], lake=busy, clock=FixedClock(NOW), **given)
    made = quiet.manifest(ANONYMISED_INTERACTIONS, day=FIRST)
    assert busy.written
    assert made is not None
    assert made["rows"] == 5
    assert made["made_by"]["raw_version"] != quiet.version(RAW_INTERACTIONS, days=[FIRST])
    run(anonymised_interactions, [FIRST, SECOND], lake=quiet, clock=FixedClock(NOW), **given)
    made = quiet.manifest(ANONYMISED_INTERACTIONS, day=FIRST)
    assert made is not None
    assert made["rows"] == 8
    assert made["made_by"]["raw_version"] == quiet.version(RAW_INTERACTIONS, days=[FIRST])


def test_a_need_that_is_found_while_a_sensor_reads_is_seen_at_its_next_look(tmp_path: Path, quiet: Lake) -> None:
    def need(*, needed: bool) -> None:
        values = {**dict.fromkeys(TRAINING_NEED.schema), "day": FIRST, "needed": needed, "reason": "Because."}
        quiet.write(TRAINING_NEED, pl.DataFrame([values], schema=dict(TRAINING_NEED.schema)), day=FIRST)

    need(needed=False)
    busy = BusyLake(tmp_path / "lake", TRAINING_NEED, lambda: need(needed=True))
    with dg.instance_for_test() as instance:
        first = train_if_needed(dg.build_sensor_context(instance=instance), busy, FixedClock(NOW), 20)
        cursor = first.cursor if isinstance(first, dg.SensorResult) else None
        second = train_if_needed(dg.build_sensor_context(instance=instance, cursor=cursor), quiet, FixedClock(NOW), 20)
    assert isinstance(second, dg.SensorResult)
    assert len(second.run_requests or []) == 1
