"""Which source the settings mean, and what is wrong with settings that mean none."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.landing.events import land
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import first_event_at, open_source
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings


def settings(**source: object) -> Settings:
    return Settings(source=SourceSettings(**source))


@pytest.mark.parametrize("kind", ["assistments", "datashop", "parquet", "csv"])
def test_a_file_source_without_a_path_or_file_says_so(kind: str, tmp_path: Path, now: datetime, lake: Lake) -> None:
    with pytest.raises(SettingsError, match="no path"):
        land(lake, open_source(settings(kind=kind), now), window=None, now=now, run="r")
    for path, said in ((tmp_path / "none.csv", "not there"), (tmp_path, "a folder"), (tmp_path / "*.csv", "not there")):
        with pytest.raises(SourceError, match=said):
            land(lake, open_source(settings(kind=kind, path=str(path)), now), window=None, now=now, run="r")
    assert not lake.root.exists()


@pytest.mark.parametrize("kind", ["assistments", "datashop", "parquet", "csv"])
@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02PAR1 and no more", b"a,b\n1,2\n"])
def test_an_empty_unreadable_or_strange_file_is_one_error_and_no_partition(
    kind: str, content: bytes, tmp_path: Path, now: datetime, lake: Lake
) -> None:
    path = tmp_path / ("file.parquet" if kind == "parquet" else "file.csv")
    path.write_bytes(content)
    with pytest.raises(SourceError):
        land(lake, open_source(settings(kind=kind, path=str(path)), now), window=None, now=now, run="r")
    assert not lake.root.exists()


def test_a_file_with_a_header_and_no_row_is_empty(tmp_path: Path, now: datetime, lake: Lake) -> None:
    path = tmp_path / "file.csv"
    path.write_text("learner_id,item_id,occurred_at,correct\n")
    with pytest.raises(SourceError, match="holds no row"):
        land(lake, open_source(settings(kind="csv", path=str(path)), now), window=None, now=now, run="r")


def test_a_fingerprint_follows_content_and_mapping(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "file.csv"
    path.write_text("learner_id,item_id,occurred_at,correct\na,i,2024-05-01,1\n")
    plain = open_source(settings(kind="csv", path=str(path)), now)
    before = plain.fingerprint()
    assert open_source(settings(kind="csv", path=str(path), subject="maths"), now).fingerprint() != before
    path.write_text(path.read_text() + "a,i,2024-05-02,1\n")
    assert plain.fingerprint() != before


def test_the_start_of_time_is_utc_where_no_offset_is_given() -> None:
    assert first_event_at(SourceSettings(first_event_at="2012-09-01")) == datetime(2012, 9, 1, tzinfo=UTC)
    assert first_event_at(SourceSettings(first_event_at="2012-09-01T02:00:00+02:00")) == datetime(
        2012, 9, 1, tzinfo=UTC
    )
    with pytest.raises(SettingsError, match="FIRST_EVENT_AT"):
        first_event_at(SourceSettings(first_event_at="once"))


def test_a_glob_reads_all_its_files_and_overlaps_count_once(tmp_path: Path, now: datetime, lake: Lake) -> None:
    head, rows = "learner_id,item_id,occurred_at,correct\n", [f"a,i{n},2024-05-01T00:00:0{n},1\n" for n in range(6)]
    (tmp_path / "one.csv").write_text(head + "".join(rows[:4]))
    (tmp_path / "two.csv").write_text(head + "".join(rows[2:]))
    receipt = land(
        lake, open_source(settings(kind="csv", path=str(tmp_path / "*.csv")), now), window=None, now=now, run="r"
    )
    assert (receipt.rows_in, receipt.kept, receipt.duplicates) == (8, 6, 2)
    assert lake.scan(RAW_INTERACTIONS).collect().height == 6
