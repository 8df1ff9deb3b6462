"""Keeping states up to date: whatever arrives in whatever order, the states are those of a fold from nothing."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings

from aivo_assets.lake import Lake
from aivo_assets.lake.storage.folder_storage import FolderStorage
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics
from aivo_assets.tracing.students.state_store import StateStore
from aivo_assets.tracing.students.state_update import Folder, Update, compare, update
from aivo_assets_tests.tracing.arrivals import SHARDS, arrivals, land, standing
from aivo_assets_tests.tracing.histories import school

SETTINGS = FeatureSettings()
HISTORY = school(12, 30, 4)
EVERYTHING = pl.Series([True] * HISTORY.height)
NOTHING = ~EVERYTHING


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    return fit_statistics(school(20, 20, 99), SETTINGS)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", shards=SHARDS)


def folder(statistics: Statistics, at_once: int = 40, champion: str = "1") -> Folder:
    return Folder(statistics, SETTINGS, champion, at_once)


def keep_up(lake: Lake, folds: Folder, witness: "Shown | None" = None) -> Update:
    """Update all shards; returns what was done in sum."""
    parts = lake.parts(ANONYMISED_INTERACTIONS)
    done = [update(lake, StateStore(lake), shard, parts[shard], folds, witness) for shard in range(SHARDS)]
    whole = next((one.whole for one in done if one.whole), None)
    return Update(*(sum(getattr(one, name) for one in done) for name in ("events", "learners", "late")), whole=whole)


def stored(lake: Lake) -> LearnerStates:
    return LearnerStates.concat([StateStore(lake).read(shard) for shard in range(SHARDS)])


def from_nothing(lake: Lake, statistics: Statistics) -> LearnerStates:
    return fold(lake.scan(ANONYMISED_INTERACTIONS).collect(), statistics, None, SETTINGS).states


class Shown:
    """Keeps what it is shown, as it would be committed."""

    def __init__(self) -> None:
        self.keys = pl.DataFrame(schema={"learner": pl.String, "event": pl.String})
        self._now: list[pl.DataFrame] = []
        self._staged = self.keys

    def see(self, features: FeatureTable) -> None:
        self._now.append(features.keys.select("learner", "event"))

    def stage(self, remade: pl.Series | None) -> None:
        new = pl.concat([self.keys.clear(), *self._now])
        kept = self.keys if remade is not None else self.keys.clear()
        if remade is not None:
            kept = kept.filter(~pl.col("learner").is_in(remade.implode()))
        self._staged, self._now = pl.concat([kept.join(new, on="event", how="anti"), new]), []

    def commit(self) -> None:
        self.keys = self._staged


@settings(max_examples=10, deadline=None)
@given(arrivals())
def test_whatever_arrives_late_or_is_taken_back_the_states_are_those_of_a_fold_from_nothing(statistics, arrived):
    history, there = arrived
    before = pl.Series([False] * history.height)
    with tempfile.TemporaryDirectory() as folder_:
        lake = Lake(folder_, shards=SHARDS)
        for now in there:
            land(lake, history, there=now, before=before)
            keep_up(lake, folder(statistics))
            assert stored(lake).equals(from_nothing(lake, statistics))
            again = keep_up(lake, folder(statistics))
            assert (again.events, again.learners, again.whole) == (0, 0, None)
            before = now
        store_ = StateStore(lake)
        for shard in range(SHARDS):
            kept = store_.read(shard)
            store_.compact(shard)
            assert store_.read(shard).equals(kept)
            assert compare(lake, store_, shard, folder(statistics)).differing == 0


def test_only_learners_with_new_events_are_touched_and_only_days_that_changed_are_read(lake, statistics):
    days = HISTORY["day"].unique().sort()
    last = HISTORY["day"] == days[-1]
    land(lake, HISTORY, there=~last, before=NOTHING)
    keep_up(lake, folder(statistics))
    sequences = [StateStore(lake).folded(shard).sequence for shard in range(SHARDS)]
    land(lake, HISTORY, there=EVERYTHING, before=~last)
    whole = from_nothing(lake, statistics)
    for file in lake.files(ANONYMISED_INTERACTIONS, days=days[:-1].to_list()):
        Path(file).write_bytes(b"nobody may read this")

    done = keep_up(lake, folder(statistics))

    active = HISTORY.filter(last)["learner"].unique().sort()
    assert (done.events, done.learners, done.late, done.whole) == (int(last.sum()), len(active), 0, None)
    assert stored(lake).equals(whole)
    touched = [StateStore(lake).changed_since(shard, sequences[shard]) for shard in range(SHARDS)]
    assert pl.concat(touched).sort().equals(active)


def test_a_late_event_rebuilds_its_learner_and_only_him(lake, statistics):
    first_of = HISTORY.with_row_index("row").filter(pl.col("learner") == "l003").sort("day", "sequence")["row"][0]
    missing = pl.Series([row != first_of for row in range(HISTORY.height)])
    land(lake, HISTORY, there=missing, before=NOTHING)
    keep_up(lake, folder(statistics))
    land(lake, HISTORY, there=EVERYTHING, before=missing)
    done = keep_up(lake, folder(statistics))
    assert (done.late, done.learners, done.events) == (1, 1, 30)
    assert stored(lake).equals(from_nothing(lake, statistics))


def test_a_learner_of_whom_nothing_is_left_has_no_state(lake, statistics):
    gone = HISTORY["learner"] == "l005"
    land(lake, HISTORY, there=EVERYTHING, before=NOTHING)
    keep_up(lake, folder(statistics))
    others = HISTORY.filter((pl.col("shard") == 5 % SHARDS) & ~gone)["day"]
    if not set(HISTORY.filter(gone)["day"]) <= set(others):
        pytest.fail("the other learners of the shard must leave a part on each of his days")
    land(lake, HISTORY, there=~gone, before=EVERYTHING)
    done = keep_up(lake, folder(statistics))
    assert (done.late, done.learners, done.whole) == (1, 0, None)
    assert "l005" not in stored(lake).learners["learner"]
    assert stored(lake).equals(from_nothing(lake, statistics))


def test_a_new_champion_or_other_settings_or_a_day_that_is_gone_fold_everybody_anew(lake, statistics):
    land(lake, HISTORY, there=EVERYTHING, before=NOTHING)
    assert keep_up(lake, folder(statistics)).whole == "There were no states."
    assert keep_up(lake, folder(statistics, champion="2")).whole == "There is a new champion."
    other = Folder(statistics, FeatureSettings(session_gap_minutes=5), "2", 40)
    assert "statistics, or the settings" in str(keep_up(lake, other).whole)
    back = HISTORY["day"].unique().sort()[-2]
    parts = lake.parts(ANONYMISED_INTERACTIONS, until=back)
    done = [update(lake, StateStore(lake), shard, parts[shard], other) for shard in range(SHARDS)]
    assert any("after the as-of day" in str(one.whole) for one in done)
    upto = fold(HISTORY.filter(pl.col("day") <= back), statistics, None, other.settings).states
    assert stored(lake).equals(upto)


def test_the_comparison_finds_a_state_that_is_off_by_one_bit(lake, statistics):
    land(lake, HISTORY, there=EVERYTHING, before=NOTHING)
    keep_up(lake, folder(statistics))
    states = StateStore(lake)
    wrong = states.read(0)
    nudged = wrong.skills.with_row_index().with_columns(
        offset=pl.when(pl.col("index") == 3).then(pl.col("offset") * (1 + 2**-52)).otherwise("offset")
    )
    folded = states.folded(0)
    off = LearnerStates(wrong.learners, wrong.subjects, nudged.drop("index"), wrong.items)
    states.commit(states.stage_all(0, [off], folded))
    found = compare(lake, states, 0, folder(statistics))
    assert (found.compared, found.differing) == (wrong.learners.height, 1)
    assert compare(lake, states, 1, folder(statistics)).differing == 0


def test_a_witness_is_shown_every_event_of_the_states_exactly_once(lake, statistics):
    before, shown = NOTHING, Shown()
    for step in range(3):
        now = pl.Series([(row * 7919) % 5 <= step + 1 for row in range(HISTORY.height)])
        land(lake, HISTORY, there=now, before=before)
        for shard in range(SHARDS):  # a witness of its own for each shard, as in the asset
            witness = Shown()
            witness.keys = witness._staged = shown.keys.filter(
                pl.col("learner").str.slice(-1).str.to_integer(base=36) % 4 == shard
            )
            parts = lake.parts(ANONYMISED_INTERACTIONS)[shard]
            done = update(lake, StateStore(lake), shard, parts, folder(statistics), witness)
            others = shown.keys.filter(pl.col("learner").str.slice(-1).str.to_integer(base=36) % 4 != shard)
            shown.keys = pl.concat([others, witness.keys])
            assert done.events >= 0
        assert shown.keys["event"].sort().equals(standing(HISTORY.filter(now))["event"].sort())
        before = now


class CrashError(Exception):
    """The machine stops."""


@pytest.mark.parametrize(("champion", "writes_at_least"), [("1", 6), ("2", 5)])
def test_a_crash_at_any_write_leaves_the_old_or_the_new_shard_and_the_next_update_catches_up(
    tmp_path, statistics, monkeypatch, champion, writes_at_least
):
    """Continued, late and rebuilt learners: the files of four frames, who was remade, and the one manifest."""
    history = HISTORY.filter(pl.col("shard") == 0)
    late = pl.Series([row % 9 != 4 for row in range(history.height - 4)] + [False] * 4)
    lake = Lake(tmp_path / "lake", shards=SHARDS)
    land(lake, history, there=late, before=late & ~late)
    update(lake, StateStore(lake), 0, lake.parts(ANONYMISED_INTERACTIONS)[0], folder(statistics, at_once=10_000))
    old = StateStore(lake).read(0)
    land(lake, history, there=late | ~late, before=late)
    parts, folds = lake.parts(ANONYMISED_INTERACTIONS)[0], folder(statistics, at_once=10_000, champion=champion)
    new = from_nothing(lake, statistics)
    real, found = FolderStorage.put, []
    for at in range(100):
        copied = Lake(shutil.copytree(tmp_path / "lake", tmp_path / str(at)), shards=SHARDS)
        left = iter(range(at))

        def write(self, path, content, left=left):
            if next(left, None) is None:
                raise CrashError
            real(self, path, content)

        with monkeypatch.context() as patched, contextlib.suppress(CrashError):
            patched.setattr(FolderStorage, "put", write)
            update(copied, StateStore(copied), 0, parts, folds)
        now = StateStore(copied).read(0)
        assert now.equals(old) or now.equals(new)
        found.append(now.equals(new))
        update(copied, StateStore(copied), 0, parts, folds)
        assert StateStore(copied).read(0).equals(new)
        if found[-1]:
            break
    assert found[-1]
    assert len(found) > writes_at_least
