"""A lake is moved to another number of shards: nothing is lost, the old layout serves meanwhile, it can be resumed."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.errors import LakeError
from aivo_assets.lake import Dataset, Lake, Layered, Layers
from aivo_assets.lake.commits.manifest import GRACE_SECONDS, digest
from aivo_assets.lake.layout import made_with as closing
from aivo_assets.lake.layout.left_over import remove_left_layouts
from aivo_assets.lake.layout.made_with import sealed
from aivo_assets.lake.layout.reshard import Moved, reshard
from aivo_assets.lake.shards import shard_of

ANSWERS = Dataset(
    "anonymised/answers", {"learner": pl.String, "shard": pl.Int32, "n": pl.Int64}, unit="day", sharded=True
)
MODELS = Dataset("models", {"learner": pl.String, "shard": pl.Int32, "level": pl.Int8}, unit="day", sharded=True)
ROLL = Dataset("anonymised/roll", {"learner": pl.String, "shard": pl.Int32})
ITEMS = Dataset("items", {"item": pl.String}, unit="day")
STATES = Layered(
    "states", {"learners": (Dataset("states/l", {"learner": pl.String, "n": pl.Int64}, unit="layers"), ("learner",))}
)
MONDAY = date(2026, 5, 4)
DAYS = [MONDAY + timedelta(days=offset) for offset in range(3)]
LEARNERS = [digest(f"learner {number}".encode()) for number in range(23)]
Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writers look again at once, so that the last step need not wait for them."""
    monkeypatch.setattr(closing, "CHECK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr("aivo_assets.lake.layout.reshard.CHECK_AGAIN_SECONDS", 0.0)


def answers(day: date, shards: int, learners: list[str] = LEARNERS) -> pl.DataFrame:
    """Two answers of each learner, the later ones of each after the earlier ones."""
    frame = pl.DataFrame({"learner": sorted(learners * 2)}, schema={"learner": pl.String})
    numbered = frame.with_columns(n=pl.int_range(pl.len()) * 100 + day.day)
    return numbered.with_columns(shard_of(pl.col("learner"), shards)).select("learner", "shard", "n")


def fill(root: Path, shards: int) -> Lake:
    lake = Lake(root, shards=shards)
    for day in DAYS:
        lake.write(ANSWERS, answers(day, shards), day=day, made_by={"raw_version": f"raw of {day}"})
        lake.write(ITEMS, pl.DataFrame({"item": ["i1", "i2"]}), day=day)
    lake.write(ANSWERS, ANSWERS.empty(), day=DAYS[-1] + timedelta(days=1))
    for shard in range(shards):
        rows = answers(MONDAY, shards).filter(shard=shard).select("learner", "shard", level=pl.lit(4, pl.Int8))
        lake.replace_shard(MODELS, rows, day=MONDAY, shard=shard, made_by={"whole": shard != 1})
    lake.write(ROLL, answers(MONDAY, shards).select("learner", "shard").unique().sort("learner"))
    layers = Layers(lake, STATES)
    layers.commit(layers.stage_base(0, [{"learners": pl.DataFrame({"learner": ["a"], "n": [1]})}], {}))
    return lake


def all_whole(notes: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"whole": all(note["whole"] for note in notes)}


def move(root: Path, now: int, then: int, say: Callable[[str], None] = lambda _: None, **other: Any) -> Moved:
    step = other.get("last_step", nullcontext)
    return reshard(Lake(root, shards=now), then, [STATES], all_whole, say, last_step=step)


def held(lake: Lake, dataset: Dataset) -> Rows:
    """Rows without their shard, in the order in which each learner's are kept."""
    return lake.scan(dataset).drop("shard").collect().sort("learner", maintain_order=True).to_dicts()


@given(now=st.integers(1, 9), then=st.integers(1, 9))
def test_every_row_is_kept_in_the_shard_of_its_learner(
    now: int, then: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("lake")
    lake = fill(root, now)
    before = {dataset.path: held(lake, dataset) for dataset in (ANSWERS, MODELS, ROLL)}
    if now == then:
        with pytest.raises(LakeError, match=f"has {now} shards already"):
            move(root, now, then)
        return
    move(root, now, then)
    moved = Lake(root, shards=then)
    for dataset in (ANSWERS, MODELS, ROLL):
        assert held(moved, dataset) == before[dataset.path]
        rows = moved.scan(dataset).collect()
        assert rows["shard"].equals(rows.select(shard_of(pl.col("learner"), then))["shard"])
    for dataset in (ANSWERS, MODELS):
        for shard in range(then):
            assert moved.scan(dataset, shards=[shard]).collect()["shard"].unique().to_list() in ([shard], [])
    assert moved.days(ANSWERS) == [*DAYS, DAYS[-1] + timedelta(days=1)]
    assert moved.scan(ITEMS).collect().height == 6
    assert Layers(moved, STATES).shard(0) is None


def test_provenance_goes_along_and_what_a_shard_says_follows_from_those_it_takes_from(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    move(tmp_path, 3, 2)
    lake = Lake(tmp_path, shards=2)
    of_day = lake.manifest(ANSWERS, day=MONDAY)
    of_models = lake.manifest(MODELS, day=MONDAY)
    assert of_day is not None
    assert of_models is not None
    assert of_day["made_by"]["raw_version"] == f"raw of {MONDAY}"
    assert [of_models["made_by"][f"shard=000{shard}"] for shard in range(2)] == [{"whole": False}] * 2
    move(tmp_path, 2, 5)
    again = Lake(tmp_path, shards=5).manifest(MODELS, day=MONDAY)
    assert again is not None
    assert sorted(name for name in again["made_by"] if name.startswith("shard=")) == [
        f"shard=000{shard}" for shard in range(5)
    ]


class PulledError(Exception):
    """Somebody pulled the plug."""


def test_a_move_that_is_interrupted_serves_as_before_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    lake = fill(tmp_path, 4)
    before, version = held(lake, ANSWERS), lake.version(ANSWERS)

    def pull(line: str) -> None:
        if line.startswith("anonymised/answers"):
            raise PulledError

    with pytest.raises(PulledError):
        move(tmp_path, 4, 7, pull)
    still = Lake(tmp_path, shards=4)
    assert (held(still, ANSWERS), still.version(ANSWERS)) == (before, version)
    late = answers(DAYS[1], 4).with_columns(n=pl.lit(-1, pl.Int64))
    still.write(ANSWERS, late, day=DAYS[1])
    still.remove(ANSWERS, day=DAYS[2])
    said = list[str]()
    move(tmp_path, 4, 7, said.append)
    assert "anonymised/answers: 1 of 3 days moved, 46 rows" in said
    moved = Lake(tmp_path, shards=7)
    assert moved.scan(ANSWERS, days=[DAYS[1]]).collect()["n"].to_list() == [-1] * 46
    assert DAYS[2] not in moved.days(ANSWERS)


def test_what_was_begun_for_another_number_is_not_taken_for_done(tmp_path: Path) -> None:
    lake = fill(tmp_path, 4)
    before = held(lake, ANSWERS)

    @contextmanager
    def never() -> Iterator[None]:
        raise PulledError
        yield

    with pytest.raises(PulledError):
        move(tmp_path, 4, 7, last_step=never)
    move(tmp_path, 4, 6)
    moved = Lake(tmp_path, shards=6)
    assert held(moved, ANSWERS) == before
    assert set(moved.scan(ANSWERS).collect()["shard"]) <= set(range(6))


def test_a_move_that_fails_in_its_last_step_lets_writers_in_again_and_learners_keep_their_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = fill(tmp_path, 4)
    roll = lake.scan(ROLL).collect()
    monkeypatch.setattr("aivo_assets.lake.layout.reshard.left_layouts", _pulled)
    with pytest.raises(PulledError):
        move(tmp_path, 4, 3)
    monkeypatch.undo()
    still = Lake(tmp_path, shards=4)
    still.write(ITEMS, pl.DataFrame({"item": ["i9"]}), day=MONDAY)
    assert still.scan(ROLL).collect().equals(roll)


def _pulled(*_: Any) -> None:
    raise PulledError


def test_while_it_is_closed_writers_are_refused_and_readers_served_and_the_move_can_be_ended(tmp_path: Path) -> None:
    lake = fill(tmp_path, 4)
    sealed(lake.storage, 6)  # as a mover that was killed leaves it
    for writer in (lake, Lake(tmp_path, shards=4)):
        with pytest.raises(LakeError, match="being moved to 6 shards") as refused:
            writer.write(ITEMS, pl.DataFrame({"item": ["i3"]}), day=MONDAY)
        assert "aivo lake reshard 6" in refused.value.fix
        with pytest.raises(LakeError, match="being moved to 6 shards"):
            Layers(writer, STATES).stage(0, [({"learners": pl.DataFrame({"learner": ["b"], "n": [2]})}, None)], {})
        assert writer.scan(ANSWERS).collect().height == 3 * 46
    move(tmp_path, 4, 6)
    Lake(tmp_path, shards=6).write(ITEMS, pl.DataFrame({"item": ["i3"]}), day=MONDAY)


def test_whoever_had_the_lake_open_learns_that_it_was_moved(tmp_path: Path) -> None:
    lake = fill(tmp_path, 4)
    move(tmp_path, 4, 2)
    rows = answers(MONDAY, 4).with_columns(n=pl.lit(-2, pl.Int64))
    for touched in (
        lambda: lake.scan(ANSWERS),
        lambda: lake.write(ANSWERS, rows, day=MONDAY),
        lambda: lake.update(ITEMS, lambda held: held.head(1), day=MONDAY),
        lambda: lake.remove(ITEMS, day=MONDAY),
        lambda: Layers(lake, STATES).shard(0),
    ):
        with pytest.raises(LakeError, match="moved to 2 shards since this process opened it with 4"):
            touched()
    assert -2 not in Lake(tmp_path, shards=2).scan(ANSWERS).collect()["n"].to_list()


def test_a_write_that_was_begun_before_and_ends_after_the_move_is_refused(tmp_path: Path) -> None:
    lake = fill(tmp_path, 4)
    staged = lake.stage(ANSWERS, answers(MONDAY, 4).with_columns(n=pl.lit(-3, pl.Int64)), day=MONDAY)
    move(tmp_path, 4, 2)
    with pytest.raises(LakeError, match="moved to 2 shards"):
        lake.commit([staged])


def test_two_movers_are_one_too_many(tmp_path: Path) -> None:
    lake = fill(tmp_path, 4)
    with lake.exclusive("reshard", "somebody"), pytest.raises(LakeError, match="somebody"):
        move(tmp_path, 4, 2)


def test_what_the_layout_before_leaves_goes_when_nobody_can_read_it_any_more(tmp_path: Path) -> None:
    fill(tmp_path, 4)
    move(tmp_path, 4, 2)
    lake = Lake(tmp_path, shards=2)
    before = {dataset.path: lake.scan(dataset).collect() for dataset in (ANSWERS, MODELS, ROLL, ITEMS)}
    assert remove_left_layouts(lake, [STATES]) == 0
    later = time.time() + GRACE_SECONDS + 1
    assert remove_left_layouts(lake, [STATES], now=later) == 4 + 1 + 1  # days of answers, of models, a shard of states
    for dataset in (ANSWERS, MODELS, ROLL, ITEMS):
        assert lake.scan(dataset).collect().equals(before[dataset.path])
    listed = {Path(path).name for dataset in (ANSWERS, MODELS, ITEMS) for path in lake.files(dataset)}
    there = {path.name for path in tmp_path.rglob("*.parquet") if path.parent.name != "roll"}
    assert there == listed
    assert remove_left_layouts(lake, [STATES], now=later) == 0
