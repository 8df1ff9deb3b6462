"""The published lake: which files count, and one writer at a time."""

import multiprocessing
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aivo_assets import warehouse
from aivo_assets.errors import LakeError, ServiceError
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS, ANONYMISED_LEARNERS
from aivo_assets_tests.warehouse import tiny_lake
from aivo_assets_tests.warehouse.conftest import House, house


def read(made: House, table: str) -> pl.DataFrame:
    with duckdb.connect(str(warehouse.warehouse_path(made.settings)), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.sql(f"select * from lake.{table}").pl()


def test_the_views_hold_the_rows_of_the_lake(tmp_path: Path):
    made = house(tmp_path, tiny_lake.interactions())
    assert made.publish() == {"interactions": 7, "learners": 1}
    expected = made.lake.scan(ANONYMISED_INTERACTIONS).collect()
    assert_frame_equal(read(made, "interactions"), expected, check_row_order=False)
    assert_frame_equal(read(made, "learners"), tiny_lake.learners())


def test_only_files_that_the_manifests_list_count(tmp_path: Path):
    made = house(tmp_path, tiny_lake.interactions())
    made.publish()
    folder = Path(str(made.lake.root)) / ANONYMISED_INTERACTIONS.folder(day=date(2024, 3, 4))
    tiny_lake.interactions().write_parquet(folder / "stray.parquet")
    one = tiny_lake.interactions().filter(pl.col("day") == date(2024, 3, 4)).head(1)
    made.lake.write(ANONYMISED_INTERACTIONS, one, day=date(2024, 3, 4))
    made.lake.remove(ANONYMISED_INTERACTIONS, day=date(2024, 3, 11))
    made.publish()
    assert read(made, "interactions")["day"].value_counts().sort("day").rows() == [
        (date(2024, 3, 4), 1),
        (date(2024, 3, 5), 3),
        (date(2024, 3, 18), 3),
    ]


def test_an_empty_lake_is_two_empty_tables_with_all_columns(tmp_path: Path):
    made = house(tmp_path, None)
    assert made.publish() == {"interactions": 0, "learners": 0}
    for table, dataset in (("interactions", ANONYMISED_INTERACTIONS), ("learners", ANONYMISED_LEARNERS)):
        assert_frame_equal(read(made, table), dataset.empty())


def test_a_quote_in_the_path_is_only_a_quote(tmp_path: Path):
    made = house(tmp_path / "o'hara", tiny_lake.interactions())
    made.publish()
    assert read(made, "interactions").height == 17


def test_a_lake_elsewhere_is_refused(tmp_path: Path):
    with pytest.raises(LakeError, match="memory://"):
        warehouse.publish(Lake("memory://lake", shards=1), tmp_path / "warehouse.duckdb")


def _hold(path: Path, held: "multiprocessing.synchronize.Event", done: "multiprocessing.synchronize.Event") -> None:
    with warehouse.exclusive(path), duckdb.connect(str(path)):
        held.set()
        done.wait(60)


def test_a_second_writer_waits_and_says_so_when_it_waits_in_vain(tmp_path: Path):
    made = house(tmp_path, None)
    made.publish()
    path = warehouse.warehouse_path(made.settings)
    spawn = multiprocessing.get_context("spawn")
    held, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(path, held, done))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(ServiceError, match="in use"), warehouse.exclusive(path, wait_seconds=0.3):
            pass
        with pytest.raises(ServiceError, match="cannot be opened"):
            made.publish()
    finally:
        done.set()
        other.join(60)
    with warehouse.exclusive(path, wait_seconds=0.3):
        made.publish()


def test_a_writer_that_dies_lets_go(tmp_path: Path):
    path = tmp_path / "warehouse.duckdb"
    spawn = multiprocessing.get_context("spawn")
    held, done = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(path, held, done))
    other.start()
    assert held.wait(60)
    other.kill()
    other.join(60)
    with warehouse.exclusive(path, wait_seconds=5):
        pass
