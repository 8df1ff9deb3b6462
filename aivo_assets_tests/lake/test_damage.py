"""Files that were cut short or are gone are found by their length, and the same write again makes them whole."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.commits.damage import damaged_files

DAILY = Dataset("zone/daily", {"value": pl.Int64}, unit="day")
MONDAY, TUESDAY = date(2024, 1, 1), date(2024, 1, 2)
FRAME = pl.DataFrame({"value": range(1000)})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake", shards=2)
    for day in (MONDAY, TUESDAY):
        lake.write(DAILY, FRAME, day=day)
    return lake


def file_of(lake: Lake, day: date) -> Path:
    (path,) = lake.files(DAILY, days=[day])
    return Path(path)


def test_sound_days_and_days_that_hold_nothing_are_not_damaged(lake: Lake) -> None:
    assert damaged_files(lake, DAILY, [MONDAY, TUESDAY, date(2024, 1, 3)]) == []


def test_a_file_that_was_cut_short_is_found_and_written_anew(lake: Lake) -> None:
    cut = file_of(lake, TUESDAY)
    cut.write_bytes(cut.read_bytes()[:100])
    (found,) = damaged_files(lake, DAILY, [MONDAY, TUESDAY])
    assert str(cut) in found
    assert "100 bytes" in found
    assert not lake.write(DAILY, FRAME, day=TUESDAY).changed
    assert damaged_files(lake, DAILY, [MONDAY, TUESDAY]) == []
    assert lake.scan(DAILY, days=[TUESDAY]).collect().equals(FRAME)


def test_a_file_that_is_gone_is_found_and_written_anew(lake: Lake) -> None:
    file_of(lake, MONDAY).unlink()
    assert damaged_files(lake, DAILY, [MONDAY, TUESDAY]) == [f"{file_of(lake, MONDAY)} is gone"]
    lake.write(DAILY, FRAME, day=MONDAY)
    assert damaged_files(lake, DAILY, [MONDAY]) == []
