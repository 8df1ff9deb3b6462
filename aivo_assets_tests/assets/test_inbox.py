"""Answers that apps sent are landed by the runs that land the source, beside it, and accounted for together."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from pydantic import SecretStr

from aivo_assets.definitions import build_definitions
from aivo_assets.events.arrivals import arrived
from aivo_assets.events.inbox import TABLE, Inbox, open_inbox
from aivo_assets.events.receipts import receipts_of
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.lake import calendar
from aivo_assets.live.receiving import receive
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.resources.clock import FixedClock
from aivo_assets.resources.platform import open_lake
from aivo_assets.settings import Settings

NOW = datetime(2025, 10, 9, 14, tzinfo=UTC)
KEY = "a key of thirty-two characters or more"


@pytest.fixture
def school(tmp_path: Path, postgres_url: str) -> Settings:
    (tmp_path / "export.csv").write_text("user_id,item_id,occurred_at,correct\nu1,i1,2025-10-09 08:00,1\n")
    source = {"kind": "csv", "path": str(tmp_path / "export.csv")}
    given = {"home": tmp_path / "home", "pseudonym_key": KEY, "source": source, "postgres_url": SecretStr(postgres_url)}
    return Settings.model_validate(given)


def inbox_of(school: Settings) -> Inbox:
    inbox = open_inbox(school)
    assert inbox is not None
    with inbox.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")
    return inbox


def send(inbox: Inbox, learner: str, minutes_ago: int) -> None:
    row = {"event_id": f"{learner}-{minutes_ago}", "learner_id": learner, "item_id": "i1", "correct": 0}
    sent = {**row, "occurred_at": NOW - timedelta(minutes=minutes_ago)}
    (fate,) = receive([sent], inbox, PseudonymKey(KEY), now=NOW, subject="general")
    assert fate.status == "accepted"


def test_a_run_lands_the_source_and_the_inbox(school: Settings, tmp_path: Path) -> None:
    lake, inbox = open_lake(school), inbox_of(school)
    calendar.extend(lake, date(2025, 10, 1))
    definitions = build_definitions(school, clock=FixedClock(NOW))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def check() -> dg.ExecuteInProcessResult:
            job = definitions.resolve_job_def("late_events")
            return job.execute_in_process(instance=instance, partition_key="2025-10-09")

        assert check().success  # nothing was ever sent: there is no table, and nothing is missing
        before = arrived(school, lake, NOW)
        inbox.make()
        send(inbox, "u1", 5)
        send(inbox, "u2", 6)
        assert arrived(school, lake, NOW) != before  # so no tick takes the check for one that would change nothing
        done = check()
    assert done.success
    landed = lake.scan(RAW_INTERACTIONS).collect()
    assert landed.group_by("learner_id").len().sort("learner_id").rows() == [("u1", 2), ("u2", 1)]
    assert landed.filter(pl.col("learner_id") == "u1")["correct"].to_list() == [1, 0]
    accounts = {each.source: each.kept for each in receipts_of(lake, done.run_id) if each.rows_read}
    assert accounts == {"csv": 0, "inbox": 2}
    (made,) = (each for each in done.asset_materializations_for_node("ingest") if "rows in the lake" in each.metadata)
    assert (made.metadata["rows_in"].value, made.metadata["rows_out"].value) == (3, 2)


def test_the_inbox_alone_is_a_source(school: Settings, tmp_path: Path) -> None:
    inbox = inbox_of(school)
    alone = Settings.model_validate({**school.model_dump(), "source": {"kind": "inbox"}})
    lake = open_lake(alone)
    calendar.extend(lake, date(2025, 10, 1))
    inbox.make()
    send(inbox, "u7", 3)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        job = build_definitions(alone, clock=FixedClock(NOW)).resolve_job_def("late_events")
        assert job.execute_in_process(instance=instance, partition_key="2025-10-09").success
    assert lake.scan(RAW_INTERACTIONS).collect()["learner_id"].to_list() == ["u7"]
