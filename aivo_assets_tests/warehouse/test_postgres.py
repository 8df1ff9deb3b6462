"""The SQL of the models is that of Postgres too: the same rows come out there."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from aivo_assets import warehouse
from aivo_assets.operations.server.postgres import embedded_postgres
from aivo_assets_tests.warehouse import tiny_lake
from aivo_assets_tests.warehouse.conftest import MARTS, MARTS_AND_STAGING, House

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
DATABASE = "warehouse"  # that of the DuckDB file, so that compiled names fit
TABLE = """
    create schema lake; create schema marts;
    create table lake.interactions (
        event text, learner text, shard int, day date, occurred_at timestamptz, sequence int, gap_s int, item_id text,
        skill_ids text[], subject text, correct smallint, response_time_ms bigint, hint_count int, attempt_number int,
        session text, focus double precision, assignment text, teacher text, class_ text, school text
    );
    -- what the macro without_repeats writes for Postgres
    create function list_distinct(repeating text[]) returns text[] language sql immutable
        return array(select distinct element from unnest(repeating) as elements (element));
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Connection]:
    """A database with the tiny lake's rows as a table."""
    with embedded_postgres(tmp_path_factory.mktemp("postgres"), database=DATABASE) as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as opened:
            opened.execute(sa.text(TABLE))
            rows = tiny_lake.interactions()
            names = ", ".join(rows.columns)
            values = ", ".join(f":{name}" for name in rows.columns)
            opened.execute(sa.text(f"insert into lake.interactions ({names}) values ({values})"), rows.to_dicts())
            yield opened


def compiled(built: House, model: str) -> str:
    (file,) = (warehouse.target_dir(built.settings) / "compiled").rglob(f"{model}.sql")
    return Path(file).read_text()


def test_every_mart_has_the_same_rows_on_postgres(built: House, connection: sa.Connection):
    for model in MARTS_AND_STAGING:
        connection.exec_driver_sql(f"create view marts.{model} as {compiled(built, model)}")
    for model in MARTS:
        expected = built.mart(model)
        result = connection.execute(sa.text(f"select * from marts.{model}"))
        there = pl.DataFrame([tuple(row) for row in result], schema=dict(expected.schema), orient="row")
        assert_frame_equal(there, expected, rel_tol=1e-12)
