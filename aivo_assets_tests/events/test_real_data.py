"""The public research files load as they are. Counts of each file, read once by hand from the file itself."""

import resource
import time
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.events.landing.events import land, land_learners
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS, Event
from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.base import Window
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings

pytestmark = pytest.mark.real_data

NO_ANSWER = "the transaction is no answer: its outcome is none of CORRECT, INCORRECT and HINT"


def landed(lake: Lake, now: datetime, *, window: Window | None = None, **how: object) -> Receipt:
    source = open_source(Settings(source=SourceSettings(**how)), now)
    return land(lake, source, window=window, now=now, run="run")


def events(lake: Lake) -> pl.DataFrame:
    found = lake.scan(RAW_INTERACTIONS).collect()
    Event.validate(found)
    return found


@pytest.mark.parametrize(
    ("file", "counts", "no_answers", "learners"),
    [
        ("ds1940_tx_2015.txt", (2074, 1941, 0), 133, 17),
        ("ds6224_tx_2024.txt", (5553, 5001, 339), 213, 15),
        ("ds76_geometry_tx_1996.txt", (6778, 5104, 1674), 0, 59),
    ],
)
def test_datashop_exports(
    file: str,
    counts: tuple[int, int, int],
    no_answers: int,
    learners: int,
    real_data: Path,
    lake: Lake,
    now: datetime,
) -> None:
    """Counts are of rows read, kept and folded."""
    how = {"kind": "datashop", "path": str(real_data / "datashop" / file)}
    receipt = landed(lake, now, **how)
    assert (receipt.rows_read, receipt.kept, receipt.folded) == counts
    assert receipt.by_reason == ({NO_ANSWER: no_answers} if no_answers else {})
    assert scan_quarantine(lake).collect().height == no_answers
    assert events(lake)["learner_id"].n_unique() == learners
    version = lake.version(RAW_INTERACTIONS)
    assert landed(lake, now, **how).duplicates == receipt.kept
    assert lake.version(RAW_INTERACTIONS) == version


def test_the_first_attempts_are_those_that_datashop_numbers_first(real_data: Path, lake: Lake, now: datetime) -> None:
    path = real_data / "datashop" / "ds76_geometry_tx_1996.txt"
    landed(lake, now, kind="datashop", path=str(path))
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    index = {name: rows[0].index(name) for name in ("Transaction Id", "Attempt At Step", "Outcome")}
    first = {
        row[index["Transaction Id"]]: int(row[index["Outcome"]] == "CORRECT")
        for row in rows[1:]
        if row[index["Attempt At Step"]] == "1"
    }
    assert dict(events(lake).select("event_id", "correct").iter_rows()) == first


def test_all_attempts_of_a_datashop_export(real_data: Path, lake: Lake, now: datetime) -> None:
    path = real_data / "datashop" / "ds76_geometry_tx_1996.txt"
    receipt = landed(lake, now, kind="datashop", path=str(path), attempts="all")
    assert (receipt.kept, receipt.folded) == (6778, 0)
    assert events(lake)["attempt_number"].max() == 9


def test_the_assistments_export(real_data: Path, lake: Lake, now: datetime) -> None:
    how = {"kind": "assistments", "path": str(real_data / "assistments2009" / "raw_sample_as.csv")}
    receipt = landed(lake, now, **how)
    assert (receipt.rows_read, receipt.kept, receipt.set_aside, receipt.folded) == (10_791, 10_791, 0, 0)
    found = events(lake)
    assert found["event_id"].cast(pl.Int64).is_sorted()
    assert found["learner_id"].n_unique() == 902
    assert found["correct"].sum() == 8029
    assert set(found["skill_ids"].explode()) == {"1", "10"}


@pytest.mark.slow
def test_a_window_of_assistments_2012(real_data: Path, lake: Lake, now: datetime) -> None:
    window = Window(date(2012, 9, 1), date(2012, 11, 30))
    how = {"kind": "parquet", "path": str(real_data / "assistments2012" / "interactions.parquet")}
    began = time.process_time()
    receipt = landed(lake, now, window=window, **how)
    assert time.process_time() - began < 30  # seconds of all cores; about 5 on an idle machine
    assert (receipt.rows_read, receipt.kept, receipt.set_aside) == (717_360, 717_360, 0)
    assert len(receipt.days_changed) == 91
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * 1024**2  # KiB
    version = lake.version(RAW_INTERACTIONS)
    week = landed(lake, now, window=Window(date(2012, 10, 1), date(2012, 10, 7)), **how)
    assert (week.kept, week.duplicates) == (0, week.rows_in)
    assert lake.version(RAW_INTERACTIONS) == version


@pytest.mark.slow
def test_assistments_2017_as_a_whole(real_data: Path, lake: Lake, now: datetime) -> None:
    path = real_data / "assistments2017" / "interactions.parquet"
    receipt = landed(lake, now, kind="parquet", path=str(path))
    assert (receipt.rows_in, receipt.kept, receipt.set_aside) == (934_624, 934_624, 0)
    assert (receipt.days_changed[0], receipt.days_changed[-1]) == (date(2004, 9, 17), date(2007, 5, 26))


def test_oulad_as_a_learner_table(real_data: Path, lake: Lake, now: datetime) -> None:
    settings = Settings(
        source=SourceSettings(
            kind="csv",
            learner_path=str(real_data / "oulad" / "studentInfo.csv"),
            learner_columns={"learner_id": "id_student"},
        )
    )
    receipt = land_learners(lake, open_source(settings, now), now=now, run="run")
    assert (receipt.rows_in, receipt.kept, receipt.duplicates, receipt.set_aside) == (32_593, 28_785, 3_808, 0)
    table = lake.scan(RAW_LEARNERS).collect()
    assert set(table["gender"]) == {"F", "M"}
    assert set(table["disability"]) == {"Y", "N"}
    assert table["region"].n_unique() == 13
    assert table["birth_date"].null_count() == table.height
