"""What must not happen: a leak that passes, a source error that leaves half a day, a key made in passing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from aivo_assets.lake import calendar
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets_tests.assets.conftest import Platform

pytestmark = pytest.mark.slow


@pytest.fixture
def elsewhere(tmp_path: Path) -> "Platform":
    """An empty platform with settings of a stranger: no key, no events."""
    (tmp_path / "dagster").mkdir()
    instance = dg.DagsterInstance.local_temp(str(tmp_path / "dagster"))
    return Platform(Settings(home=tmp_path), instance)


def test_without_a_key_nothing_is_anonymised_and_the_reason_is_said(elsewhere: Platform) -> None:
    result = elsewhere.run("late_events", date(2026, 3, 2), date(2026, 3, 2), now=datetime(2026, 3, 3, tzinfo=UTC))
    assert not result.success
    (event,) = [each for each in result.all_events if each.event_type == dg.DagsterEventType.RUN_FAILURE]
    assert "There is no pseudonym key" in str(event.event_specific_data)
    assert elsewhere.lake.days(ANONYMISED_INTERACTIONS) == []


def answer(event: str, at: datetime) -> dict[str, object]:
    return {"event_id": event, "learner_id": "ann", "item_id": "1+1", "occurred_at": at, "correct": 1}


def test_late_events_land_in_their_own_day_and_only_that_day_is_made_again(elsewhere: Platform, tmp_path: Path) -> None:
    """Three days are read; then a file with a late answer of the second of them."""
    days = [date(2026, 3, day) for day in (2, 3, 4)]
    noon = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in (2, 3, 4)]
    calendar.extend(elsewhere.lake, days[0])
    given = {"pseudonym_key": "k" * 32, "source": {"kind": "parquet", "path": str(tmp_path / "*.parquet")}}
    pl.DataFrame([answer(f"e{at.day}", at) for at in noon]).write_parquet(tmp_path / "on_time.parquet")
    assert elsewhere.run("late_events", days[0], days[-1], **given).success
    before = {day: elsewhere.lake.version(ANONYMISED_INTERACTIONS, days=[day]) for day in days}

    pl.DataFrame([answer("late", noon[1] + timedelta(hours=3))]).write_parquet(tmp_path / "late.parquet")
    assert elsewhere.run("late_events", days[0], days[-1], **given).success
    after = {day: elsewhere.lake.version(ANONYMISED_INTERACTIONS, days=[day]) for day in days}
    assert [day for day in days if before[day] != after[day]] == [days[1]]
    told = elsewhere.lake.scan(ANONYMISED_INTERACTIONS, days=[days[1]]).collect()
    assert told["sequence"].to_list() == [0, 1]
    assert told["gap_s"].to_list() == [None, 3 * 3600]
