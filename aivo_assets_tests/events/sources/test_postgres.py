"""A PostgreSQL table read by cursor, on a real server."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from aivo_assets.errors import SettingsError, SourceError
from aivo_assets.events.landing.events import land, land_learners, read_cursor
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.events.sources import open_source, postgres
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings, load_settings

pytestmark = pytest.mark.postgres

TABLE = """
CREATE SCHEMA school;
CREATE TABLE school.answers (
  id bigserial PRIMARY KEY, pupil text, item_id int, answered_at timestamptz, correct boolean,
  skills text[], focus numeric, updated_at timestamp DEFAULT '2024-05-01'
);
CREATE TABLE school.pupils (student_id text, full_name text, dob date);
"""


@pytest.fixture
def database(postgres_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(
        postgres_url.replace("postgresql://", "postgresql+psycopg2://"), poolclass=sa.pool.NullPool
    )
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA IF EXISTS school CASCADE"))
        connection.execute(sa.text(TABLE))
    yield engine
    engine.dispose()


def insert(database: sa.Engine, values: str) -> None:
    with database.begin() as connection:
        connection.execute(
            sa.text(f"INSERT INTO school.answers (pupil, item_id, answered_at, correct) VALUES {values}")
        )


def source_settings(postgres_url: str, **how: object) -> SourceSettings:
    base: dict[str, object] = {
        "kind": "postgres",
        "url": SecretStr(postgres_url),
        "table": "school.answers",
        "columns": {"learner_id": "pupil"},
        "cursor_overlap": 0,
    }
    return SourceSettings(**(base | how))


def landed(lake: Lake, url: str, now: datetime, **how: object) -> Receipt:
    source = open_source(Settings(source=source_settings(url, **how)), now)
    return land(lake, source, window=None, now=now, run="run")


def test_a_table_is_read_to_its_end_and_then_only_what_is_new(
    database: sa.Engine, postgres_url: str, lake: Lake, now: datetime
) -> None:
    insert(database, "('ada', 1, '2024-05-01 10:00+02', true), ('ada', 2, '2024-05-02 10:00+02', false)")
    assert landed(lake, postgres_url, now).kept == 2
    insert(database, "('bob', 1, '2024-05-01 09:00+02', true)")
    later = landed(lake, postgres_url, now)
    assert (later.rows_read, later.kept, later.cursor) == (1, 1, "3")
    assert [day.day for day in later.days_changed] == [1]
    nothing = landed(lake, postgres_url, now)
    assert (nothing.rows_read, nothing.cursor) == (0, None)
    source = open_source(Settings(source=source_settings(postgres_url)), now)
    assert read_cursor(lake, source.fingerprint()) == "3"


def test_types_of_the_database_mean_what_they_say(
    database: sa.Engine, postgres_url: str, lake: Lake, now: datetime
) -> None:
    with database.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO school.answers VALUES (7, 'ada', 1, '2024-05-01 10:00+02', true, '{b,\"a,c\"}', 0.25)")
        )
    landed(lake, postgres_url, now)
    event = lake.scan(RAW_INTERACTIONS).collect().row(0, named=True)
    assert event["event_id"] == "7"  # the unique cursor column names the event where nothing else does
    assert event["occurred_at"] == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert (event["skill_ids"], event["focus"], event["correct"]) == (["a,c", "b"], 0.25, 1)


def test_what_only_a_database_can_hold_is_set_aside_with_its_cursor(
    database: sa.Engine, postgres_url: str, lake: Lake, now: datetime
) -> None:
    insert(database, "('ada', 1, 'infinity', true), (NULL, 1, '2024-05-01', true), ('ada', 3, '2024-05-01', NULL)")
    receipt = landed(lake, postgres_url, now)
    assert (receipt.rows_in, receipt.set_aside) == (3, 3)
    problems = scan_quarantine(lake).select("location", "row", "column", "value").collect().rows()
    assert problems == [
        ("school.answers", 1, "occurred_at", "infinity"),
        ("school.answers", 2, "learner_id", None),
        ("school.answers", 3, "correct", None),
    ]


def test_a_row_that_was_committed_late_is_found_in_the_overlap(
    database: sa.Engine, postgres_url: str, lake: Lake, now: datetime
) -> None:
    """The number was given before that of a row which was read already."""
    slow = database.connect()
    slow.execute(
        sa.text(
            "INSERT INTO school.answers (pupil, item_id, answered_at, correct) VALUES ('eve', 9, '2024-05-01', true)"
        )
    )
    insert(database, "('ada', 1, '2024-05-01', true)")
    assert landed(lake, postgres_url, now, cursor_overlap=10).kept == 1
    slow.commit()
    slow.close()
    receipt = landed(lake, postgres_url, now, cursor_overlap=10)
    assert (receipt.kept, receipt.duplicates) == (1, 1)
    assert sorted(lake.scan(RAW_INTERACTIONS).collect()["learner_id"]) == ["ada", "eve"]


def test_a_cursor_may_be_a_time_that_several_rows_share(
    database: sa.Engine, postgres_url: str, lake: Lake, now: datetime
) -> None:
    insert(database, "('ada', 1, '2024-05-01', true), ('ada', 1, '2024-05-01', true), ('bob', 1, '2024-05-01', NULL)")
    how = {"cursor_column": "updated_at", "cursor_overlap": 60}
    first = landed(lake, postgres_url, now, **how)
    assert (first.kept, first.set_aside, first.cursor) == (2, 1, "2024-05-01 00:00:00")
    again = landed(lake, postgres_url, now, **how)
    assert (again.kept, again.duplicates, again.set_aside) == (0, 2, 1)
    assert scan_quarantine(lake).collect().select("location", "row").rows() == [
        ("school.answers updated_at=2024-05-01 00:00:00", None)
    ]


def test_rows_come_in_chunks(
    database: sa.Engine, postgres_url: str, lake: Lake, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_ROWS_AT_ONCE", 10)
    insert(database, ", ".join(f"('ada', {n}, '2024-05-01 00:00:{n:02d}', true)" for n in range(35)))
    source = open_source(Settings(source=source_settings(postgres_url)), now)
    chunks = list(source.events(None, None))
    assert [(chunk.frame.height, chunk.cursor) for chunk in chunks] == [(10, "10"), (10, "20"), (10, "30"), (5, "35")]


def test_the_connection_cannot_write(database: sa.Engine, postgres_url: str, now: datetime) -> None:
    source = open_source(Settings(source=source_settings(postgres_url)), now)
    assert isinstance(source, postgres.PostgresSource)
    with pytest.raises(SourceError, match="read-only"), source._connected() as connection:
        connection.execute(sa.text("DELETE FROM school.answers"))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"table": "school.nothing"}, "no table school.nothing"),
        ({"cursor_column": "serial"}, "no column serial"),
        ({"columns": {"learner_id": "child"}}, r"no column child \(for learner_id\)"),
        ({"columns": {}}, "no column for learner_id"),
        ({"url": SecretStr("postgresql://u:hush-hush@127.0.0.1:1/d")}, "cannot be read"),
    ],
)
def test_what_is_not_there_is_one_clear_error_without_the_password(
    how: dict[str, object], said: str, database: sa.Engine, postgres_url: str, lake: Lake, now: datetime
) -> None:
    settings = Settings(source=source_settings(postgres_url, **how))
    with pytest.raises(SourceError, match=said) as caught:
        land(lake, open_source(settings, now), window=None, now=now, run="run")
    assert "hush-hush" not in str(caught.value)
    assert not lake.root.exists()


def test_a_url_is_needed_and_must_be_of_postgresql(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="needs the URL"):
        open_source(Settings(source=SourceSettings(kind="postgres")), now)
    for url, said in (("no url with hush-hush", "no URL"), ("mysql://u:hush-hush@h/d", "mysql")):
        monkeypatch.setenv("AIVO_SOURCE_URL", url)
        with pytest.raises(SettingsError, match=said) as caught:
            load_settings()
        assert "hush-hush" not in str(caught.value)


def test_a_learner_table_is_read_too(database: sa.Engine, postgres_url: str, lake: Lake, now: datetime) -> None:
    with database.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO school.pupils VALUES ('ada', 'Ada L', '2011-12-10'), (NULL, 'X', NULL)")
        )
    source = open_source(Settings(source=source_settings(postgres_url, learner_table="school.pupils")), now)
    receipt = land_learners(lake, source, now=now, run="run")
    assert (receipt.kept, receipt.set_aside) == (1, 1)
    assert lake.scan(RAW_LEARNERS).collect()["name"].to_list() == ["Ada L"]
