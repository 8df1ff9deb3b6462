"""Two processes land answers, learners and teachers' words at once: every row of both is there and accounted for."""

import multiprocessing
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from aivo_assets.events.landing.events import land, land_learners
from aivo_assets.events.landing.overrides import COLUMNS, land_overrides, raw_overrides
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import read_receipts
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets_tests.answers import land_answers
from aivo_assets_tests.events.conftest import NOW
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract

ROUNDS, ANSWERS = 12, 5
WRITERS = ("ada", "bob")
DAY = date(2024, 5, 1)


def pin(name: str, number: int) -> pl.DataFrame:
    given = {**dict.fromkeys(COLUMNS), "learner_id": name, "skill_id": "fractions", "action": "pin", "level": "4"}
    row = {**given, "note": f"{name} {number}", "until": f"2026-12-{number + 1:02d}"}
    frame = pl.DataFrame([row], schema=dict.fromkeys(COLUMNS, pl.String))
    return frame.with_columns(_location=pl.lit(f"{name}.csv"), _row=pl.lit(number, pl.Int64))


def work(root: str, name: str, start: Any) -> None:
    lake = Lake(root, shards=2)
    start.wait()
    for number in range(ROUNDS):
        seconds = range(number * ANSWERS, (number + 1) * ANSWERS)
        rows = [answer(second, learner_id=name, event_id=f"{name}-{second}") for second in seconds]
        bad = answer(number, learner_id=name, correct="seven")
        people = pl.DataFrame({"learner_id": [f"{name}{number}"], "grade": ["5"], "_location": ["m"], "_row": [1]})
        source = MemorySource(
            [extract([*rows, bad], location=f"{name}{number}", cursor=str(number))],
            learner_table=people, window_applies=False, fingerprint=name,
        )  # fmt: skip
        land(lake, source, window=None, now=NOW, run=f"{name}{number}")
        land_learners(lake, source, now=NOW, run=f"{name}{number}")
        land_overrides(lake, pin(name, number), now=NOW, run=f"{name}-{number}", source=name)


def test_two_processes_that_land_everything_at_once_lose_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", shards=2)
    land_answers(lake, NOW, *((name, "mathematics", ["fractions"]) for name in WRITERS))
    before = lake.scan(RAW_INTERACTIONS).select(pl.len()).collect().item()
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(len(WRITERS))
    writers = [context.Process(target=work, args=(str(tmp_path / "lake"), name, start)) for name in WRITERS]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]

    events = lake.scan(RAW_INTERACTIONS, days=[DAY]).collect()
    each = [f"{name}-{second}" for name in WRITERS for second in range(ROUNDS * ANSWERS)]
    assert sorted(events["event_id"]) == sorted(each)
    learners = lake.scan(RAW_LEARNERS).collect()["learner_id"].to_list()
    assert sorted(learners) == sorted(f"{name}{number}" for name in WRITERS for number in range(ROUNDS))
    words = raw_overrides(lake)["note"].drop_nulls().to_list()
    assert sorted(words) == sorted(f"{name} {number}" for name in WRITERS for number in range(ROUNDS))
    assert scan_quarantine(lake).collect()["location"].n_unique() == len(WRITERS) * ROUNDS

    receipts = [receipt for receipt in read_receipts(lake) if receipt.source == "memory" and receipt.stored is not None]
    kept = lake.scan(RAW_INTERACTIONS).select(pl.len()).collect().item() - before
    assert sum(receipt.kept for receipt in receipts) == kept == len(each)
    assert all(receipt.stored == receipt.kept for receipt in receipts)
    assert len(list((lake.root / "raw" / "cursors").iterdir())) == len(WRITERS)
