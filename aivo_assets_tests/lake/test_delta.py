"""Delta tables over the lake's own files: other programs read what the lake holds, whatever happens to a publisher."""

import shutil
import time
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.commits.manifest import GRACE_SECONDS
from aivo_assets.lake.commits.reading_marks import MARK
from aivo_assets.lake.delta import publish, standing, unpublish
from aivo_assets.lake.layout.left_over import remove_left_layouts
from aivo_assets.lake.layout.reshard import reshard

MARKS = Dataset(
    "school/marks",
    {
        "learner": pl.String,
        "shard": pl.Int32,
        "mark": pl.Int8,
        "weights": pl.List(pl.Struct({"skill": pl.String, "weight": pl.Float32})),
        "given_at": pl.Datetime("us", "UTC"),
        "verdict": pl.Enum(["passed", "failed"]),
    },
    unit="day",
    sharded=True,
)
MAY = date(2026, 5, 4)


def marks(*given: int) -> pl.DataFrame:
    rows = [
        {
            "learner": f"{number:08x}" * 4,
            "shard": number % 3,
            "mark": mark,
            "weights": [{"skill": "sums", "weight": mark / 8}],
            "given_at": datetime(2026, 5, 4, 9, mark, tzinfo=UTC),
            "verdict": "passed" if mark < 5 else "failed",
        }
        for number, mark in enumerate(given)
    ]
    return pl.DataFrame(rows, schema=dict(MARKS.schema))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", shards=3)


def uri(lake: Lake, dataset: Dataset = MARKS) -> str:
    return lake.storage.location(dataset.path)


def as_read_by_others(lake: Lake, dataset: Dataset = MARKS) -> pl.DataFrame:
    """By deltalake's own reader, in an order that does not hang on that of the files."""
    table = deltalake.DeltaTable(uri(lake, dataset)).to_pyarrow_dataset().to_table()
    frame = pl.DataFrame(table)
    return frame.sort(frame.columns[0])


def as_held(lake: Lake, dataset: Dataset = MARKS) -> pl.DataFrame:
    frame = lake.scan(dataset).collect().with_columns(pl.col(pl.Enum).cast(pl.String))
    return frame.sort(frame.columns[0])


def nobody_reads(lake: Lake) -> None:
    lake.storage.remove([MARK])


def on_disk(lake: Lake) -> set[str]:
    return {str(file) for file in Path(uri(lake)).glob("day=*/shard=*/*.parquet")}


def test_readers_of_other_makes_get_the_rows_of_the_lake_without_a_copy(lake: Lake) -> None:
    lake.write(MARKS, marks(1, 2, 6), day=MAY)
    before = on_disk(lake)
    table = publish(lake, MARKS)
    assert (table.version, table.files, table.rows) == (0, 3, 3)
    assert on_disk(lake) == before
    assert as_read_by_others(lake).equals(as_held(lake))
    arrow = deltalake.DeltaTable(uri(lake)).to_pyarrow_dataset()
    with duckdb.connect() as connection:
        connection.register("marks", arrow)
        assert connection.execute("select verdict, count(*) from marks group by 1 order by 1").fetchall() == [
            ("failed", 1),
            ("passed", 2),
        ]
    by_polars = pl.scan_delta(uri(lake)).select("learner", "mark", "weights", "given_at").collect().sort("learner")
    assert by_polars.equals(as_held(lake).select("learner", "mark", "weights", "given_at"))


@given(st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, 9), max_size=5), st.booleans()), max_size=8))
@settings(max_examples=15, deadline=None)
def test_whatever_was_written_and_removed_the_table_is_what_the_lake_holds(
    tmp_path_factory: pytest.TempPathFactory, story: list[tuple[int, list[int], bool]]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("delta") / "lake", shards=3)
    for days, given_marks, publishes in story:
        day = MAY + timedelta(days=days)
        if given_marks:
            lake.write(MARKS, marks(*given_marks), day=day)
        else:
            lake.remove(MARKS, day=day)
        if publishes:
            publish(lake, MARKS)
    table = publish(lake, MARKS)
    assert standing(lake, MARKS).differing == ()
    if table.version is not None:
        assert as_read_by_others(lake).rows() == as_held(lake).rows()


def test_publishing_what_is_published_writes_no_version(lake: Lake) -> None:
    lake.write(MARKS, marks(1), day=MAY)
    assert publish(lake, MARKS).changed
    again = publish(lake, MARKS)
    assert (again.version, again.changed) == (0, False)


def test_a_dataset_that_holds_nothing_has_no_table(lake: Lake) -> None:
    assert publish(lake, MARKS).version is None
    assert not deltalake.DeltaTable.is_deltatable(uri(lake))
    assert lake.storage.read(".delta/school/marks.json") is None


def test_files_that_the_log_names_stay_however_often_the_lake_is_written_to(lake: Lake) -> None:
    lake.write(MARKS, marks(1, 2, 3), day=MAY)
    publish(lake, MARKS)
    promised = as_held(lake)
    for mark in range(4, 9):
        nobody_reads(lake)
        lake.write(MARKS, marks(mark), day=MAY)
    nobody_reads(lake)
    lake.remove(MARKS, day=MAY)
    nobody_reads(lake)
    lake.tidy(MARKS)
    assert as_read_by_others(lake).equals(promised)
    assert standing(lake, MARKS).differing


def test_files_go_once_no_log_names_them_and_readers_had_their_time(lake: Lake) -> None:
    start = time.time() + 100
    lake.write(MARKS, marks(1), day=MAY)
    publish(lake, MARKS)
    first = on_disk(lake)
    lake.write(MARKS, marks(7), day=MAY)
    publish(lake, MARKS, now=start)
    nobody_reads(lake)
    assert lake.tidy(MARKS) == 0  # who opened the table a moment ago still reads them
    publish(lake, MARKS, now=start + GRACE_SECONDS + 1)
    logs = lake.storage.files(f"{MARKS.path}/_delta_log", "0")
    assert {name.split(".")[0] for name in logs} == {f"{1:020d}"}  # none that names the first file
    nobody_reads(lake)
    assert lake.tidy(MARKS) == 1
    assert not first & on_disk(lake)
    assert as_read_by_others(lake).equals(as_held(lake))
    assert lake.tidy(MARKS) == 0


def test_without_a_table_files_of_before_go_as_ever(lake: Lake) -> None:
    for mark in (1, 2, 3):
        nobody_reads(lake)
        lake.write(MARKS, marks(mark), day=MAY)
    assert len(on_disk(lake)) == 2
    nobody_reads(lake)
    assert lake.tidy(MARKS) == 1
    assert as_held(lake)["mark"].to_list() == [3]


@pytest.mark.parametrize("step", ["create_checkpoint", "create_write_transaction", "the record"])
def test_a_publisher_that_dies_leaves_a_table_that_can_be_read(
    lake: Lake, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write(MARKS, marks(1, 2), day=MAY)
    publish(lake, MARKS)
    old = as_held(lake)
    lake.write(MARKS, marks(3, 4, 5), day=MAY)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        if step == "the record":
            dying.setattr(lake.storage, "put", die)
        else:
            dying.setattr(deltalake.DeltaTable, step, die)
        with pytest.raises(KeyboardInterrupt):
            publish(lake, MARKS)
    nobody_reads(lake)
    lake.write(MARKS, marks(6), day=MAY)
    assert as_read_by_others(lake).rows() in (old.rows(), marks(3, 4, 5).cast({"verdict": pl.String}).rows())
    for hour in range(1, 4):
        publish(lake, MARKS, now=time.time() + 3600 * hour)
        nobody_reads(lake)
        lake.tidy(MARKS)
        assert as_read_by_others(lake).equals(as_held(lake))


def test_a_column_more_is_null_where_files_are_older(lake: Lake) -> None:
    lake.write(MARKS, marks(2), day=MAY)
    publish(lake, MARKS)
    wider = Dataset(MARKS.path, {**MARKS.schema, "teacher": pl.String}, unit="day", sharded=True)
    lake.write(wider, marks(3).with_columns(teacher=pl.lit("Ada")), day=MAY + timedelta(days=1))
    publish(lake, wider)
    assert sorted(as_read_by_others(lake, wider)["teacher"].to_list(), key=str) == ["Ada", None]


def test_taken_away_there_is_no_table_and_the_dataset_is_as_it_was(lake: Lake) -> None:
    lake.write(MARKS, marks(2, 3), day=MAY)
    publish(lake, MARKS)
    assert unpublish(lake, MARKS)
    assert not deltalake.DeltaTable.is_deltatable(uri(lake))
    assert as_held(lake).height == 2
    assert not unpublish(lake, MARKS)
    assert publish(lake, MARKS).version == 0


def test_a_lake_moved_to_other_shards_keeps_what_the_log_names_until_it_is_published(lake: Lake) -> None:
    lake.write(MARKS, marks(1, 2, 3, 4), day=MAY)
    publish(lake, MARKS)
    reshard(lake, 2, (), lambda notes, *_: notes, lambda _: None, last_step=nullcontext)
    moved = Lake(str(lake.root), shards=2)
    remove_left_layouts(moved, (), now=time.time() + 2 * GRACE_SECONDS)
    assert as_read_by_others(moved).height == 4
    for hour in (1, 2):
        publish(moved, MARKS, now=time.time() + 3600 * hour)
    assert remove_left_layouts(moved, (), now=time.time() + 2 * GRACE_SECONDS) == 1
    assert as_read_by_others(moved)["shard"].max() == 1


def test_the_log_is_no_dataset(lake: Lake) -> None:
    from aivo_assets.lake.catalogue import datasets

    lake.write(MARKS, marks(1), day=MAY)
    publish(lake, MARKS)
    assert [held.path for held in datasets(lake, ())] == ["school/marks"]


def test_a_lake_copied_elsewhere_is_a_table_there(lake: Lake, tmp_path: Path) -> None:
    lake.write(MARKS, marks(4, 4), day=MAY)
    publish(lake, MARKS)
    shutil.copytree(str(lake.root), tmp_path / "copy")
    shutil.rmtree(str(lake.root))
    table = deltalake.DeltaTable(str(tmp_path / "copy" / MARKS.path)).to_pyarrow_dataset().to_table()
    assert table.num_rows == 2
