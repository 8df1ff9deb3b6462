"""Parquet and CSV files with a column mapping."""

# ruff: noqa: DTZ001 - times without a zone are what sources hand over

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.landing.events import land
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.base import Window
from aivo_assets.events.sources.columns import EVENT_NAMES, mapped
from aivo_assets.events.times.reading import BEFORE_START
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings

START = datetime(2012, 9, 1)


def interactions(rows: int = 6, step: timedelta = timedelta(hours=12)) -> pl.DataFrame:
    """The well-known columns: naive UTC `ts`, and `timestamp` in seconds since the first event."""
    return pl.DataFrame(
        {
            "user_id": list(range(rows)),
            "item_id": [7] * rows,
            "timestamp": [int(n * step.total_seconds()) for n in range(rows)],
            "correct": [n % 2 for n in range(rows)],
            "skill_id": [3] * rows,
            "ts": [START + n * step for n in range(rows)],
        }
    )


def landed(lake: Lake, path: Path, now: datetime, *, window: Window | None = None, **how: object) -> Receipt:
    kind = "parquet" if path.suffix == ".parquet" else "csv"
    source = SourceSettings(kind=kind, path=str(path), **how)
    return land(lake, open_source(Settings(source=source), now), window=window, now=now, run="run")


def parquet(folder: Path, frame: pl.DataFrame) -> Path:
    frame.write_parquet(folder / "file.parquet", row_group_size=2)
    return folder / "file.parquet"


def test_well_known_names_map_by_themselves_and_a_date_time_goes_before_seconds(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    assert landed(lake, parquet(tmp_path, interactions()), now).kept == 6
    event = lake.scan(RAW_INTERACTIONS).collect().row(1, named=True)
    assert event["occurred_at"] == datetime(2012, 9, 1, 12, tzinfo=UTC)
    assert (event["learner_id"], event["item_id"], event["skill_ids"], event["correct"]) == ("1", "7", ["3"], 1)


def test_a_numeric_timestamp_counts_units_since_the_first_event(lake: Lake, tmp_path: Path, now: datetime) -> None:
    path = parquet(tmp_path, interactions().drop("ts"))
    with pytest.raises(SourceError, match="'0', '43200', '86400'"):
        landed(lake, path, now, first_event_at="2012-09-01")
    landed(lake, path, now, first_event_at="2012-09-01", time_unit="s")
    assert lake.scan(RAW_INTERACTIONS).collect()["occurred_at"].max() == datetime(2012, 9, 3, 12, tzinfo=UTC)


def test_csv_and_parquet_of_the_same_rows_are_the_same_events(lake: Lake, tmp_path: Path, now: datetime) -> None:
    frame = interactions()
    landed(lake, parquet(tmp_path, frame), now)
    frame.write_csv(tmp_path / "file.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    again = landed(lake, tmp_path / "file.csv", now)
    assert (again.kept, again.duplicates) == (0, 6)


@pytest.mark.parametrize("dtype", [pl.Datetime("us"), pl.Datetime("ns", "Europe/Paris"), pl.Int64, pl.Float64, pl.Date])
def test_a_window_reads_its_days_and_every_row_without_a_sound_time(
    dtype: pl.DataType, lake: Lake, tmp_path: Path, now: datetime
) -> None:
    """Pushed down to the scan or not, the events are those of the window, and unsound times are set aside."""
    frame, unit = interactions(8).drop("timestamp"), None
    moments = pl.concat([frame["ts"], pl.Series("ts", [datetime(1980, 1, 1), datetime(2031, 1, 1), None])])
    if dtype in (pl.Int64, pl.Float64):
        unit, times = "s", (moments - START).dt.total_seconds().cast(dtype)
    elif isinstance(dtype, pl.Datetime) and dtype.time_zone:
        times = moments.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone).cast(dtype)
    else:
        times = moments.cast(dtype)
    unsound = frame.head(3).with_columns(user_id=pl.int_range(100, 103))
    path = parquet(tmp_path, pl.concat([frame, unsound]).with_columns(times))
    window = Window(date(2012, 9, 2), date(2012, 9, 3))
    receipt = landed(lake, path, now, window=window, first_event_at="2012-09-01", time_unit=unit)
    assert receipt.kept == 4
    assert lake.days(RAW_INTERACTIONS) == [window.first, window.last]
    assert receipt.by_reason == {
        "occurred_at is before 1990" if unit is None else BEFORE_START: 1,
        "occurred_at is in the future": 1,
        "occurred_at is missing": 1,
    }


def test_local_times_are_read_with_a_margin(lake: Lake, tmp_path: Path, now: datetime) -> None:
    """11 p.m. in New York is the next day in UTC."""
    frame = interactions(1).with_columns(ts=pl.lit(datetime(2012, 9, 1, 23)))
    receipt = landed(
        lake,
        parquet(tmp_path, frame),
        now,
        window=Window(date(2012, 9, 2), date(2012, 9, 2)),
        timezone="America/New_York",
    )
    assert receipt.days_changed == (date(2012, 9, 2),)


def test_rows_of_a_parquet_file_are_named_by_their_place_in_it(lake: Lake, tmp_path: Path, now: datetime) -> None:
    frame = interactions().with_columns(correct=pl.Series([0, 1, 0, 1, 9, 1]))
    landed(lake, parquet(tmp_path, frame), now, window=Window(date(2012, 9, 2), date(2012, 9, 3)))
    assert scan_quarantine(lake).collect().select("row", "value").rows() == [(5, "9")]


def test_skills_may_be_lists_or_text_with_a_separator(lake: Lake, tmp_path: Path, now: datetime) -> None:
    lists = interactions(2).with_columns(skill_id=pl.Series([[1, 2], []]))
    landed(lake, parquet(tmp_path, lists), now)
    text = "user,item,ts,correct,kc\na,i,2024-05-01,1,x;y\nb,i,2024-05-01,1,\"['x', 'z']\"\n"
    (tmp_path / "file.csv").write_text(text)
    landed(lake, tmp_path / "file.csv", now)
    found = lake.scan(RAW_INTERACTIONS).collect()["skill_ids"].to_list()
    assert found == [["1", "2"], ["7"], ["x", "y"], ["x", "z"]]


def test_a_mapping_goes_before_well_known_names(lake: Lake, tmp_path: Path, now: datetime) -> None:
    frame = interactions(1).with_columns(pupil=pl.lit("ada"))
    landed(lake, parquet(tmp_path, frame), now, columns={"learner_id": "pupil", "event_id": "user_id"})
    event = lake.scan(RAW_INTERACTIONS).collect().row(0, named=True)
    assert (event["learner_id"], event["event_id"]) == ("ada", "0")


def test_mappings_that_cannot_be_are_told(lake: Lake, tmp_path: Path, now: datetime) -> None:
    path = parquet(tmp_path, interactions())
    with pytest.raises(SettingsError, match="pupil_id"):
        landed(lake, path, now, columns={"pupil_id": "user_id"})
    with pytest.raises(SourceError, match=r"no column pupil \(for learner_id\)"):
        landed(lake, path, now, columns={"learner_id": "pupil"})
    with pytest.raises(SourceError, match=r"no column for correct; it has: .*ts"):
        landed(lake, parquet(tmp_path, interactions().drop("correct")), now)
    assert not lake.root.exists()


def test_names_are_compared_without_case_and_the_surest_wins() -> None:
    found = mapped(EVENT_NAMES, {}, ["USER_ID", "student_id", "Item_ID"], place="f", required=())
    assert (found["learner_id"], found["item_id"]) == ("USER_ID", "Item_ID")


def test_a_file_without_times_needs_a_start_of_time(lake: Lake, tmp_path: Path, now: datetime) -> None:
    path = parquet(tmp_path, interactions().drop("ts", "timestamp"))
    with pytest.raises(SourceError, match="occurred_at"):
        landed(lake, path, now)
    landed(lake, path, now, first_event_at="2012-09-01")
    events = lake.scan(RAW_INTERACTIONS).collect()
    assert events["learner_id"].to_list() == [str(n) for n in range(6)]
    assert events["occurred_at"].is_sorted()


def test_a_truncated_parquet_file_is_one_clear_error(lake: Lake, tmp_path: Path, now: datetime) -> None:
    path = parquet(tmp_path, interactions())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SourceError, match="cannot be read"):
        landed(lake, path, now)
    assert not lake.root.exists()
