"""The learner table: the latest word wins, bad values are set aside."""

from datetime import date, datetime
from pathlib import Path

import polars as pl

from aivo_assets.events.landing.events import land_learners, read_receipts
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_LEARNERS
from aivo_assets.events.sources import open_source
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings

HEADER = "student_id,name,email,birth_date,grade,gender\n"


def landed(lake: Lake, folder: Path, rows: str, now: datetime, *, run: str = "run", **how: object) -> Receipt:
    path = folder / "learners.csv"
    path.write_text(HEADER + rows)
    source = SourceSettings(kind="csv", learner_path=str(path), **how)
    return land_learners(lake, open_source(Settings(source=source), now), now=now, run=run)


def learners(lake: Lake) -> pl.DataFrame:
    return lake.scan(RAW_LEARNERS).collect()


def test_the_last_row_of_a_learner_counts(lake: Lake, tmp_path: Path, now: datetime) -> None:
    receipt = landed(lake, tmp_path, "a,Ada,,2011-12-10,5,F\nb,Bob,,,5,M\na,Ada L,,2011-12-10,6,F\n", now)
    assert (receipt.rows_in, receipt.kept, receipt.duplicates) == (3, 2, 1)
    assert learners(lake).select("learner_id", "name", "grade").rows() == [("a", "Ada L", "6"), ("b", "Bob", "5")]


def test_a_later_table_changes_its_learners_and_leaves_the_others(lake: Lake, tmp_path: Path, now: datetime) -> None:
    landed(lake, tmp_path, "a,Ada,,2011-12-10,5,F\nb,Bob,,,5,M\n", now)
    receipt = landed(lake, tmp_path, "b,Bob,,,6,M\nc,Cy,,,5,\n", now, run="later")
    assert (receipt.kept, receipt.duplicates) == (2, 0)
    assert learners(lake).select("learner_id", "grade").rows() == [("a", "5"), ("b", "6"), ("c", "5")]
    version = lake.version(RAW_LEARNERS)
    assert landed(lake, tmp_path, "b,Bob,,,6,M\nc,Cy,,,5,\n", now, run="again").kept == 0
    assert lake.version(RAW_LEARNERS) == version


def test_a_bad_value_is_set_aside_and_its_learner_is_kept(lake: Lake, tmp_path: Path, now: datetime) -> None:
    rows = "a,Ada,,10.12.2011,5,F\nb,Bob,,1850-01-01,5,M\nc,Cy,,2031-01-01,5,M\nd,Di,,2011-01-01,5,F\n"
    receipt = landed(lake, tmp_path, rows, now)
    assert (receipt.kept, receipt.set_aside, receipt.values_set_aside) == (4, 0, 3)
    assert learners(lake)["birth_date"].to_list() == [None, None, None, date(2011, 1, 1)]
    assert scan_quarantine(lake).collect().select("row", "value", "reason").rows() == [
        (2, "10.12.2011", "birth_date is not a date"),
        (3, "1850-01-01", "birth_date is before 1900"),
        (4, "2031-01-01", "birth_date is in the future"),
    ]


def test_rows_without_a_learner_and_broken_lines_are_set_aside(lake: Lake, tmp_path: Path, now: datetime) -> None:
    receipt = landed(lake, tmp_path, ",Nobody,,soon,5,F\ncut,short\na,Ada,,,5,F\n", now)
    assert (receipt.rows_in, receipt.kept, receipt.set_aside, receipt.values_set_aside) == (3, 1, 2, 0)
    assert receipt.by_reason == {
        "learner_id is missing": 1,
        "the line has fewer values than there are columns": 1,
    }
    landed(lake, tmp_path, ",Nobody,,soon,5,F\ncut,short\na,Ada,,,5,F\n", now, run="again")
    assert scan_quarantine(lake).collect().height == 2


def test_columns_are_mapped_and_a_parquet_file_will_do(lake: Lake, tmp_path: Path, now: datetime) -> None:
    pl.DataFrame({"pupil": [7.0], "sex": ["F"], "dob": [date(2011, 1, 1)]}).write_parquet(tmp_path / "l.parquet")
    source = SourceSettings(
        kind="parquet", learner_path=str(tmp_path / "l.parquet"), learner_columns={"learner_id": "pupil"}
    )
    land_learners(lake, open_source(Settings(source=source), now), now=now, run="run")
    row = learners(lake).row(0, named=True)
    assert (row["learner_id"], row["gender"], row["birth_date"]) == ("7", "F", date(2011, 1, 1))


def test_a_source_without_a_learner_table_lands_nothing(lake: Lake, now: datetime) -> None:
    receipt = land_learners(lake, open_source(Settings(source=SourceSettings(kind="csv")), now), now=now, run="run")
    assert (receipt.rows_in, lake.manifest(RAW_LEARNERS)) == (0, None)
    assert read_receipts(lake) == [receipt]
