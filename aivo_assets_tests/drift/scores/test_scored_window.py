"""Scored events kept up with the states: the same rows as if all had been folded at once."""

from pathlib import Path

import numpy as np
import polars as pl

from aivo_assets.drift.schema import SCORED_EVENTS
from aivo_assets.drift.scores.scored_window import ScoredWindow
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.statistics import fit_statistics
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets.tracing.students.state_update import Folder, update
from aivo_assets_tests.tracing.arrivals import land
from aivo_assets_tests.tracing.histories import school

HISTORY = school(10, 25, 8)
DAY = HISTORY["day"].max()
WINDOW = 3
SETTINGS = FeatureSettings()
FOLDER = Folder(fit_statistics(school(20, 20, 99), SETTINGS), SETTINGS, "4", 60)


def filtered(table: FeatureTable) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-table.column("logit").astype(np.float64)))


def fold_all(lake: Lake) -> pl.DataFrame:
    for shard in range(4):
        window = ScoredWindow(lake, shard, filtered, model_version="4", day=DAY, days=WINDOW)
        update(lake, StateStore(lake), shard, lake.parts(ANONYMISED_INTERACTIONS)[shard], FOLDER, window)
    return lake.scan(SCORED_EVENTS).collect()


def test_rows_that_come_bit_by_bit_and_late_are_those_of_one_fold_and_only_of_the_window(tmp_path: Path) -> None:
    lake, nothing = Lake(tmp_path / "lake", shards=4), pl.Series([False] * HISTORY.height)
    before = nothing
    for step in range(4):
        there = pl.Series([(row * 31) % 4 <= step for row in range(HISTORY.height)])
        land(lake, HISTORY, there=there, before=before)
        scored = fold_all(lake)
        before = there
    at_once = Lake(tmp_path / "at once", shards=4)
    land(at_once, HISTORY, there=~nothing, before=nothing)
    assert scored.equals(fold_all(at_once))
    recent = HISTORY.filter(pl.col("day") > DAY - pl.duration(days=WINDOW))
    assert scored.height == recent.height


def test_a_run_that_ended_between_scoring_and_commit_leaves_no_row_twice(tmp_path: Path) -> None:
    lake, nothing = Lake(tmp_path / "lake", shards=4), pl.Series([False] * HISTORY.height)
    late = HISTORY["day"] < DAY
    land(lake, HISTORY, there=late, before=nothing)
    fold_all(lake)
    states = {path: path.read_bytes() for path in Path(str(lake.root / "states")).rglob("shard=*.json")}
    land(lake, HISTORY, there=~nothing, before=late)
    done = fold_all(lake)
    for path, content in states.items():
        path.write_bytes(content)  # the scored events are there, the commit of the states is not
    assert fold_all(lake).equals(done)
