"""Whether a database holds anything else than before, told by a digest; on a real server. Nothing is landed for it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from aivo_assets.errors import SourceError
from aivo_assets.events import arrivals
from aivo_assets.events.arrivals import arrived
from aivo_assets.events.landing.events import land
from aivo_assets.events.sources import open_source, postgres
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract

TABLES = """
CREATE SCHEMA arrivals;
CREATE TABLE arrivals.answers (
  id bigint PRIMARY KEY, learner_id text, item_id text, occurred_at timestamptz, correct boolean
);
CREATE TABLE arrivals.learners (learner_id text, grade text);
INSERT INTO arrivals.learners VALUES ('ada', '7');
"""
Look = Callable[[], str | None]


@pytest.fixture
def execute(postgres_url: str) -> Iterator[Callable[[str], None]]:
    """Runs a statement on a server on which two rows wait to be landed."""
    url = postgres_url.replace("postgresql://", "postgresql+psycopg2://")
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)

    def run(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(statement))

    run("DROP SCHEMA IF EXISTS arrivals CASCADE")
    run(TABLES)
    run(rows(1, 2))
    yield run
    engine.dispose()


def rows(*ids: int) -> str:
    values = ", ".join(f"({n}, 'ada', 'i{n}', '2024-05-01 00:00:{n:02d}', true)" for n in ids)
    return f"INSERT INTO arrivals.answers VALUES {values}"


def settings_of(url: str, **how: object) -> Settings:
    base: dict[str, object] = {"url": SecretStr(url), "table": "arrivals.answers", "cursor_overlap": 0}
    return Settings(source=SourceSettings(**({"kind": "postgres"} | base | how)))


@pytest.fixture
def settings(postgres_url: str) -> Settings:
    return settings_of(postgres_url, learner_table="arrivals.learners")


@pytest.fixture
def look(settings: Settings, lake: Lake, now: datetime) -> Look:
    return lambda: arrived(settings, lake, now)


@pytest.fixture
def landing(settings: Settings, lake: Lake, now: datetime) -> Callable[[], None]:
    """What any run does that reads the source: it takes what is new and moves the cursor."""

    def run() -> None:
        land(lake, open_source(settings, now), window=None, now=now, run="run")

    return run


@pytest.mark.postgres
@pytest.mark.usefixtures("execute")
def test_nothing_new_looks_the_same_at_any_time_and_lands_nothing(
    look: Look, settings: Settings, lake: Lake, now: datetime
) -> None:
    assert look() is not None
    assert look() == arrived(settings, lake, now + timedelta(hours=2))
    assert not lake.root.exists()


@pytest.mark.postgres
@pytest.mark.parametrize(
    "change",
    [
        rows(3),
        "UPDATE arrivals.answers SET correct = false WHERE id = 2",
        "INSERT INTO arrivals.learners VALUES ('bob', '7')",
        "UPDATE arrivals.learners SET grade = '8'",
    ],
)
def test_a_new_or_corrected_answer_and_another_learner_look_different(
    change: str, look: Look, execute: Callable[[str], None]
) -> None:
    before = look()
    execute(change)
    assert look() not in (None, before)


@pytest.mark.postgres
def test_what_was_landed_is_new_no_more_and_is_not_taken_for_nothing_having_come(
    look: Look, landing: Callable[[], None], execute: Callable[[str], None]
) -> None:
    """Another run may have landed it: a check from before it came has not seen it."""
    landing()
    nothing_new = look()
    landing()
    assert look() == nothing_new
    execute(rows(3))
    new = look()
    landing()
    landed = look()
    assert len({nothing_new, new, landed}) == 3
    landing()
    assert look() == landed
    execute("UPDATE arrivals.answers SET correct = false WHERE id = 3")  # behind the cursor; no landing would see it
    assert look() == landed


@pytest.mark.postgres
def test_a_row_that_was_committed_late_is_seen_in_the_overlap(
    postgres_url: str, lake: Lake, now: datetime, execute: Callable[[str], None]
) -> None:
    settings = settings_of(postgres_url, cursor_overlap=10)
    execute(rows(9))
    land(lake, open_source(settings, now), window=None, now=now, run="run")
    before = arrived(settings, lake, now)
    assert arrived(settings, lake, now) == before
    execute(rows(5))
    assert arrived(settings, lake, now) not in (None, before)


@pytest.mark.postgres
def test_a_file_that_is_read_beside_the_database_counts_too(
    postgres_url: str, lake: Lake, now: datetime, tmp_path: Path, execute: Callable[[str], None]
) -> None:
    words = tmp_path / "overrides.csv"
    words.write_text("learner_id\n")
    settings = settings_of(postgres_url, override_path=str(words))
    before = arrived(settings, lake, now)
    words.write_text("learner_id\nada\n")
    assert arrived(settings, lake, now) not in (None, before)


@pytest.mark.postgres
@pytest.mark.parametrize("at_once", [1, 100])
def test_with_too_many_new_rows_nothing_is_said_until_they_are_landed(
    at_once: int,
    look: Look,
    landing: Callable[[], None],
    execute: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arrivals, "MOST_ROWS", 3)
    monkeypatch.setattr(postgres, "_ROWS_AT_ONCE", at_once)
    assert look() is not None
    execute(rows(3))
    assert look() is None
    landing()
    assert look() is not None


def test_no_more_is_read_than_shows_that_there_is_too_much(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MOST_ROWS", 3)
    too_far = SourceError("Somebody read on", fix="Stop before.")
    extracts = [extract([answer(0), answer(1)], cursor="2"), extract([answer(2)], cursor="3")]
    assert arrivals._behind_the_cursor(MemorySource(extracts, window_applies=False, fails_with=too_far), lake) is None
    with pytest.raises(SourceError, match="read on"):
        arrivals._behind_the_cursor(MemorySource(extracts[:1], window_applies=False, fails_with=too_far), lake)


def test_a_server_that_does_not_answer_is_an_error_and_not_nothing_new(lake: Lake, now: datetime) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        arrived(settings_of("postgresql://u:p@127.0.0.1:1/d"), lake, now)
