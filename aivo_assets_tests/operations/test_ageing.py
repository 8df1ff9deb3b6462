"""What names people goes when its time is over, not a day before, and what was made of it stays."""

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from aivo_assets.events.quarantine import QUARANTINE, set_aside
from aivo_assets.events.receipts import Receipt, write_receipt
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.events.sources.base import BROKEN_COLUMNS
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.manifest import GRACE_SECONDS
from aivo_assets.lake.commits.rewriting import remove_waiting
from aivo_assets.operations.ageing import aged_out, carry_out, plan
from aivo_assets.privacy.anonymise import AnonymiseTask, stage_days
from aivo_assets.privacy.keys import PseudonymKey, load_key
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets_tests.answers import land_answers

NOW = datetime(2026, 8, 20, 4, 30, tzinfo=UTC)
TODAY = NOW.date()


def given(home: Path, **kept: Any) -> tuple[Settings, Lake, PseudonymKey]:
    settings = Settings.model_validate({"home": home, "pseudonym_key": SecretStr("2f" * 32), "retention": kept})
    return settings, Lake(home / "lake", shards=2), load_key(settings, create=False)


def answered(lake: Lake, settings: Settings, key: PseudonymKey, ages: dict[int, str]) -> None:
    """An answer of a learner so many days ago, up to the anonymised answers."""
    for age, learner in ages.items():
        land_answers(lake, NOW - timedelta(days=age), (learner, "maths", ["sums"]))
    staged, _ = stage_days(AnonymiseTask(lake, key, settings.privacy), lake.days(RAW_INTERACTIONS))
    lake.commit(staged)


def named(lake: Lake, *learners: str) -> None:
    rows = [{**dict.fromkeys(RAW_LEARNERS.schema), "learner_id": each, "name": each.upper()} for each in learners]
    lake.write(RAW_LEARNERS, pl.DataFrame(rows, schema=dict(RAW_LEARNERS.schema)))


def days_ago(age: int) -> date:
    return TODAY - timedelta(days=age)


def test_raw_answers_go_on_their_day_and_what_was_made_of_them_stays(tmp_path: Path) -> None:
    settings, lake, key = given(tmp_path, raw_days=60)
    answered(lake, settings, key, {61: "ada", 60: "ben", 5: "cyd"})
    raw, *_ = plan(lake, settings, key, TODAY)
    assert (raw.units, raw.due, raw.oldest, raw.next_due) == (3, (str(days_ago(61)),), days_ago(61), days_ago(-1))
    before = lake.version(ANONYMISED_INTERACTIONS)
    assert carry_out(lake, settings, key, NOW, "run")["days of raw answers"] == 1
    assert lake.days(RAW_INTERACTIONS) == [days_ago(60), days_ago(5)]
    assert lake.version(ANONYMISED_INTERACTIONS) == before
    assert not any(each.due for each in plan(lake, settings, key, TODAY))
    assert carry_out(lake, settings, key, NOW, "run")["days of raw answers"] == 0


def test_a_day_without_raw_answers_is_told_apart_from_one_whose_time_is_over(tmp_path: Path) -> None:
    settings, lake, key = given(tmp_path, raw_days=60)
    answered(lake, settings, key, {90: "ada", 70: "ben", 5: "cyd"})
    carry_out(lake, settings, key, NOW, "run")
    wanted = [days_ago(age) for age in (90, 80, 70, 5)]
    assert aged_out(lake, settings, wanted, TODAY) == [days_ago(90), days_ago(70)]
    endless, *_ = given(tmp_path)
    assert aged_out(lake, endless, wanted, TODAY) == []


def test_a_name_goes_so_long_after_the_last_answer_and_not_because_raw_answers_went(tmp_path: Path) -> None:
    settings, lake, key = given(tmp_path, raw_days=31, names_days=100)
    answered(lake, settings, key, {150: "ada", 101: "ben", 99: "cyd", 50: "dan"})
    named(lake, "ada", "ben", "cyd", "dan", "new")
    _, names, _ = plan(lake, settings, key, TODAY)
    assert names.due == ("ada", "ben")
    assert names.next_due == days_ago(-2)
    carry_out(lake, settings, key, NOW, "run")
    assert lake.scan(RAW_LEARNERS).collect()["learner_id"].to_list() == ["cyd", "dan", "new"]
    carry_out(lake, settings, key, NOW, "run")
    assert lake.scan(RAW_LEARNERS).collect().height == 3


def test_what_was_set_aside_goes_by_the_day_of_its_landing(tmp_path: Path) -> None:
    settings, lake, key = given(tmp_path, quarantine_days=30)
    for batch, age in (("old", 31), ("young", 30)):
        problem = {"location": f"{batch}.csv", "row": 1, "column": "correct", "value": "maybe", "reason": "unknown"}
        set_aside(lake, pl.DataFrame([problem], schema=BROKEN_COLUMNS), batch_id=batch, run=batch)
        receipt = Receipt(batch, "file", batch, NOW - timedelta(days=age), 1, 0, 0, 1, 1)
        write_receipt(lake, receipt, what="all")
    assert carry_out(lake, settings, key, NOW, "run")["batches of the quarantine"] == 1
    assert lake.scan(QUARANTINE).collect()["location"].to_list() == ["young.csv"]


def test_files_of_what_was_removed_go_once_readers_have_had_their_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, lake, key = given(tmp_path, raw_days=31)
    answered(lake, settings, key, {40: "ada"})
    carry_out(lake, settings, key, NOW, "run")
    folder = tmp_path / "lake" / "raw" / "interactions" / f"day={days_ago(40)}"
    assert list(folder.glob("*.parquet"))  # somebody reads just now
    later = time.time() + GRACE_SECONDS + 1
    monkeypatch.setattr("time.time", lambda: later)
    assert remove_waiting(lake, RAW_INTERACTIONS.path) == 1
    assert not list(folder.glob("*.parquet"))
    assert lake.days(RAW_INTERACTIONS) == []
