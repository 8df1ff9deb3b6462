"""The clock is an hour behind, then right, then an hour ahead: answers that seemed to come from the future are kept."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.events.intake import FUTURE
from aivo_assets.events.landing.held_back import scan_held_back
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets_tests.chaos.conftest import School
from aivo_assets_tests.chaos.school import Home
from aivo_assets_tests.chaos.servers import database, fill

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]

HOUR = 3600


def fresh_answers(school: School) -> pl.DataFrame:
    """120 sound answers, one in each of the last two hours' minutes."""
    sound = school.source.unique("event_id", keep="none", maintain_order=True).drop_nulls(["learner_id", "correct"])
    return sound.head(120).with_columns(
        event_id=pl.concat_str(pl.lit("fresh-"), "event_id"),
        occurred_at=pl.lit(datetime.now(UTC)) - pl.duration(minutes=pl.int_range(pl.len())),
        correct=pl.lit(1, pl.Int8), response_time_ms=pl.lit(None, pl.Int64), focus=pl.lit(None, pl.Float64),
        hint_count=pl.lit(None, pl.Int32), attempt_number=pl.lit(None, pl.Int32), item_id=pl.lit("item"),
    )  # fmt: skip


def landed(home: Home, *, wrong_by: int) -> tuple[int, int]:
    """Kept and set aside by an intake whose clock is wrong by so many seconds."""
    done = home.aivo("ingest", dies_at=f"clock:{wrong_by}")
    assert done.returncode == 0, done.stdout
    receipt = json.loads((home.path / "lake" / "raw" / "receipts" / "aivo ingest.all.json").read_text())
    return receipt["kept"], receipt["set_aside"]


def held(home: Home) -> list[str]:
    events = home.lake.scan(RAW_INTERACTIONS).filter(pl.col("event_id").str.starts_with("fresh-"))
    return sorted(events.collect()["event_id"])


def too_early(home: Home) -> int:
    """Rows in the quarantine whose time had not come."""
    return scan_quarantine(home.lake).filter(pl.col("reason") == FUTURE).collect().height


def nothing_twice_whatever_the_clock_says(home: Home, fresh: pl.DataFrame) -> None:
    before = too_early(home)
    kept, aside = landed(home, wrong_by=-HOUR)
    assert kept + aside == 120
    assert 55 <= aside <= 65
    assert len(held(home)) == kept
    assert too_early(home) == before + aside
    assert home.serving() == 1
    assert landed(home, wrong_by=0) == (aside, 0)
    assert held(home) == sorted(fresh["event_id"])
    assert too_early(home) == before
    assert landed(home, wrong_by=HOUR) == (0, 0)
    assert held(home) == sorted(fresh["event_id"])
    assert home.serving() == 1


def test_a_file_is_read_again_and_the_right_time_brings_its_answers_in(
    copied: Callable[..., Home], school: School, tmp_path: Path
) -> None:
    fresh = fresh_answers(school)
    fresh.write_parquet(tmp_path / "fresh.parquet")
    nothing_twice_whatever_the_clock_says(copied(AIVO_SOURCE_PATH=str(tmp_path / "fresh.parquet")), fresh)


def test_a_table_is_not_read_again_and_the_right_time_brings_its_answers_in_all_the_same(
    copied: Callable[..., Home], school: School, server: Path
) -> None:
    """The cursor has passed them by then, and no overlap reaches back to them."""
    fresh = fresh_answers(school)
    with database(server) as url:
        fill(url, fresh)
        table = {"AIVO_SOURCE_KIND": "postgres", "AIVO_SOURCE_URL": url.replace("+psycopg2", "")}
        home = copied(**table, AIVO_SOURCE_CURSOR_OVERLAP="0")
        nothing_twice_whatever_the_clock_says(home, fresh)
        assert scan_held_back(home.lake).collect().is_empty()
