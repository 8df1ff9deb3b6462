"""What looks every minute reads no more of a lake that is a year old: reads are counted, not seconds."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.automation.alerting import Sources, look_out
from aivo_assets.automation.sensing.late_days import catch_up_late_days
from aivo_assets.drift.schema import DRIFT_VERDICTS
from aivo_assets.events.receipts import Receipt, write_receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.commits.looking_round import AT_ONCE
from aivo_assets.lake.newest import newest_filled
from aivo_assets.lake.storage.storage import Document, Storage
from aivo_assets.operations.alerts.outbox import Outbox
from aivo_assets.operations.retention import prune
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import AlertSettings, Settings
from aivo_assets.tracing.judging.registry import Registry
from aivo_assets.tracing.judging.verdicts import newest_verdict
from aivo_assets_tests.conftest import NOW

TODAY = NOW.date()
MONTHS, YEAR = 4 * AT_ONCE, 12 * AT_ONCE


class Counting:
    """A storage that counts the documents and files that it is asked about."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self.asked = storage, Counter[str]()

    def read(self, path: str) -> Document | None:
        self.asked["read"] += 1
        return self._storage.read(path)

    def read_many(self, paths: list[str]) -> list[Document | None]:
        self.asked["read"] += len(paths)
        return self._storage.read_many(paths)

    def is_whole(self, path: str, size: int) -> bool:
        self.asked["looked at"] += 1
        return self._storage.is_whole(path, size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def aged(root: Path, days: int) -> Lake:
    """A lake that has been at work for so many days, kept within its settings."""
    lake = Lake(root / "lake", shards=2)
    for back in reversed(range(days)):
        day = TODAY - timedelta(days=back)
        lake.write(RAW_INTERACTIONS, RAW_INTERACTIONS.empty(), day=day)
        lake.write(
            ANONYMISED_INTERACTIONS, ANONYMISED_INTERACTIONS.empty(), day=day,
            made_by={"raw_version": lake.version(RAW_INTERACTIONS, days=[day])},
        )  # fmt: skip
        for dataset in (RECOMMENDATIONS, DRIFT_VERDICTS):
            lake.write(dataset, one_row(dataset, day), day=day)
        write_receipt(lake, Receipt(f"r{day}", "csv", "b", NOW - timedelta(days=back), 1, 1, 0, 0, 1), what="all")
    settings = Settings.model_validate({"home": root, "retention": {"derived_days": 100, "receipt_days": 100}})
    prune(lake, settings, TODAY)
    return lake


def one_row(dataset: Dataset, day: date) -> pl.DataFrame:
    values = {"day": day, "shard": 0, "learner": "a" * 32, "rank": 1, "kind": "maintain", "subject": "m"}
    return pl.DataFrame([{name: values.get(name) for name in dataset.schema}], schema=dict(dataset.schema))


def asked_by_a_tick(root: Path, days: int, instance: dg.DagsterInstance) -> Counter[str]:
    """What the look-out, the sensor of late days and the readers ask for once."""
    lake = aged(root, days)
    counting = Counting(lake.storage)
    lake.storage = counting
    outbox = Outbox(root / "alerts", [], remind=timedelta(days=1), keep=timedelta(days=30))
    problems = list[str]()
    look_out(Sources(lake, Registry(root), instance, AlertSettings(), NOW), outbox, outbox, problems.append)
    catch_up_late_days(dg.build_sensor_context(instance), lake)
    newest_filled(lake, RECOMMENDATIONS)
    newest_verdict(lake)
    assert problems == []
    counting.asked["receipts"] = len(lake.storage.files("raw/receipts", ""))
    return counting.asked


def test_a_tick_asks_for_no_more_after_a_year_than_after_some_months(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    few = asked_by_a_tick(tmp_path / "months", MONTHS, instance)
    many = asked_by_a_tick(tmp_path / "year", YEAR, instance)
    assert few == many
