"""A transaction that an export of several samples repeats is one transaction."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.events.landing.events import land
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.datashop_samples import CLASH
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings

NAMES = ["Sample Name", "Transaction Id", "Anon Student Id", "Time", "Problem Name", "Step Name", "Outcome"]


def transactions(sample: str, *, named: bool = True) -> list[list[str]]:
    """Two learners at three steps: a hint, another hint, a wrong and a right answer at each."""
    outcomes = ("HINT", "HINT", "INCORRECT", "CORRECT")
    return [
        [
            sample,
            f"x{n}" if named else "",
            f"s{n // 12}",
            f"2014-02-03 09:{n:02d}:05",
            "P",
            f"step{n // 4}",
            outcomes[n % 4],
        ]
        for n in range(24)
    ]


def landed(lake: Lake, folder: Path, rows: list[list[str]], now: datetime, **how: object) -> Receipt:
    path = folder / "export.txt"
    path.write_text("\n".join("\t".join(row) for row in [NAMES, *rows]) + "\n")
    settings = Settings(source=SourceSettings(kind="datashop", path=str(path), **how))
    return land(lake, open_source(settings, now), window=None, now=now, run="run")


def events(lake: Lake) -> pl.DataFrame:
    return lake.scan(RAW_INTERACTIONS).collect().drop("event_id").sort("learner_id", "item_id", "occurred_at")


@pytest.mark.parametrize("attempts", ["first", "all"])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("shuffled", [True, False])
def test_three_samples_are_the_events_of_one(
    attempts: str, named: bool, shuffled: bool, tmp_path: Path, now: datetime
) -> None:
    one, three = (Lake(tmp_path / name, shards=2) for name in ("one", "three"))
    alone = landed(one, tmp_path, transactions("All Data", named=named), now, attempts=attempts)
    rows = [row for sample in ("All Data", "Pilot", "7b") for row in transactions(sample, named=named)]
    if shuffled:
        rows.sort(key=lambda row: row[3])
    together = landed(three, tmp_path, rows, now, attempts=attempts)
    assert events(three).equals(events(one))
    assert (together.kept, together.duplicates, together.set_aside) == (alone.kept, 2 * alone.kept, 0)
    assert together.rows_read == 72


def test_an_id_of_two_different_transactions_is_set_aside_and_counts_nowhere(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    rows = transactions("All Data")
    other = ["Pilot", "x0", "s0", "2014-02-03 09:00:30", "P", "step0", "HINT"]
    receipt = landed(lake, tmp_path, [*rows, other], now)
    assert (receipt.kept, receipt.set_aside) == (6, 1)
    assert scan_quarantine(lake).collect()["reason"].to_list() == [CLASH]
    assert events(lake)["hint_count"].to_list() == [2] * 6
