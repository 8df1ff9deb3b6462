"""The school as a source: its calendar in AIVO_HOME, the present, windows, and rows that say where they stand."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.errors import SettingsError
from aivo_assets.events.landing.events import land
from aivo_assets.events.schema import RAW_INTERACTIONS, Event, Learner
from aivo_assets.events.sources.base import Source, Window
from aivo_assets.events.sources.simulator import SimulatorSource
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SimulatorSettings
from aivo_assets.simulation import School, simulate

NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
START = date(2026, 11, 4)


def place(home: Path, **chosen: object) -> Settings:
    values = {"learners": 40, "days": 14, **chosen}
    return Settings(home=home, simulator=SimulatorSettings.model_validate(values))


def rows(source: Source, window: Window | None = None) -> pl.DataFrame:
    frames = [extract.frame for extract in source.events(window, None)]
    return pl.concat(frames) if frames else pl.DataFrame()


def test_at_first_use_the_history_ends_on_the_day_before(tmp_path: Path) -> None:
    source = SimulatorSource(place(tmp_path / "new home"), NOW)
    assert json.loads((tmp_path / "new home" / "simulator.json").read_text()) == {"start": "2026-11-04"}
    days = rows(source).filter(pl.col("occurred_at") < NOW)["occurred_at"].dt.date()
    assert (days.min(), days.max()) == (START, NOW.date())
    assert [path.name for path in (tmp_path / "new home").iterdir()] == ["simulator.json"]


def test_later_uses_keep_the_first_day_and_the_events(tmp_path: Path) -> None:
    before = rows(SimulatorSource(place(tmp_path), NOW))
    after = rows(SimulatorSource(place(tmp_path), NOW + timedelta(days=2)))
    assert after.height > before.height
    assert_frame_equal(after.head(before.height), before)


def test_a_start_in_the_settings_needs_no_calendar(tmp_path: Path) -> None:
    source = SimulatorSource(place(tmp_path, start=date(2026, 11, 11)), NOW)
    assert rows(source)["occurred_at"].min() >= datetime(2026, 11, 11, tzinfo=UTC)  # type: ignore[operator]
    assert not list(tmp_path.iterdir())


@settings(max_examples=6, deadline=None)
@given(minutes=st.integers(0, 48 * 60))
def test_only_what_has_happened_is_handed_over(tmp_path_factory: pytest.TempPathFactory, minutes: int) -> None:
    now = datetime(2026, 11, 18, tzinfo=UTC) + timedelta(minutes=minutes)
    source = SimulatorSource(place(tmp_path_factory.mktemp("home"), start=START, dirt=0.0), now)
    school = School.build(SimulatorSettings(learners=40, dirt=0.0), START)
    expected = simulate(school, START, now.date()).filter(pl.col("occurred_at") <= now)
    assert_frame_equal(rows(source).select(Event.column_names()), expected)


def test_the_present_may_be_given_in_any_zone(tmp_path: Path) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=11)))
    assert_frame_equal(
        rows(SimulatorSource(place(tmp_path / "a"), NOW)), rows(SimulatorSource(place(tmp_path / "b"), there))
    )


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        (date(2026, 11, 9), date(2026, 11, 11), 3),
        (date(2026, 1, 1), date(2026, 11, 5), 2),
        (date(2026, 11, 17), date(2027, 1, 1), 2),
    ],
)
def test_a_window_gives_its_days_as_the_whole_gives_them(tmp_path: Path, first: date, last: date, days: int) -> None:
    source = SimulatorSource(place(tmp_path, dirt=0.0), NOW)
    part = rows(source, Window(first, last))
    assert part["occurred_at"].dt.date().n_unique() == days
    whole = rows(source)
    assert_frame_equal(part, whole.filter(whole["occurred_at"].dt.date().is_between(first, last)))


def test_a_window_before_the_school_or_in_the_future_is_empty(tmp_path: Path) -> None:
    source = SimulatorSource(place(tmp_path), NOW)
    assert rows(source, Window(date(2026, 1, 1), date(2026, 2, 1))).is_empty()
    assert rows(source, Window(date(2026, 11, 19), date(2026, 12, 1))).is_empty()


def test_every_row_says_where_it_stands(tmp_path: Path) -> None:
    source = SimulatorSource(place(tmp_path, dirt=0.02), NOW)
    frame = rows(source)
    assert frame.columns == [*Event.column_names(), "_location", "_row"]
    assert frame.schema["_row"] == pl.Int64
    assert not frame.select("_location", "_row").is_duplicated().any()
    assert frame["_location"].str.starts_with("simulator, 2026-11-").all()
    assert all(extract.broken.is_empty() and extract.cursor is None for extract in source.events(None, None))


def test_the_learner_table_says_where_its_rows_stand(tmp_path: Path) -> None:
    table = SimulatorSource(place(tmp_path), NOW).learners()
    assert table.columns == [*Learner.column_names(), "_location", "_row"]
    Learner.validate(table.select(Learner.column_names()))
    assert set(rows(SimulatorSource(place(tmp_path), NOW))["learner_id"].drop_nulls()) <= set(table["learner_id"])


def test_the_fingerprint_names_the_school_and_not_how_far_it_has_come(tmp_path: Path) -> None:
    def fingerprint(now: datetime = NOW, **chosen: object) -> str:
        return SimulatorSource(place(tmp_path, **chosen), now).fingerprint()

    assert fingerprint() == fingerprint(NOW + timedelta(days=9)) == fingerprint(days=99)
    others = ({"seed": 7}, {"dirt": 0.5}, {"learners": 9}, {"start": date(2026, 11, 1)})
    assert len({fingerprint(), *(fingerprint(**other) for other in others)}) == 5


@pytest.mark.parametrize("content", ["not json", "{}", '{"start": "tomorrow"}', '{"start": 5}', "[]"])
def test_a_spoilt_calendar_is_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "simulator.json").write_text(content)
    with pytest.raises(SettingsError, match=r"simulator\.json is not.*\n.*AIVO_SIMULATOR_START"):
        SimulatorSource(place(tmp_path), NOW)


def test_a_home_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="AIVO_HOME writable"):
        SimulatorSource(place(tmp_path / "file"), NOW)


def test_the_calendar_of_who_was_first_holds(tmp_path: Path) -> None:
    (tmp_path / "simulator.json").write_text('{"start": "2026-11-16"}')
    source = SimulatorSource(place(tmp_path), NOW)
    assert rows(source)["occurred_at"].min() >= datetime(2026, 11, 16, tzinfo=UTC)  # type: ignore[operator]


def test_the_school_lands_in_a_lake_its_dirt_in_the_quarantine_and_a_second_time_changes_nothing(
    tmp_path: Path,
) -> None:
    lake, dirty = Lake(tmp_path / "lake", shards=1), place(tmp_path, dirt=0.05)
    first = land(lake, SimulatorSource(dirty, NOW), window=None, now=NOW, run="1")
    version = lake.version(RAW_INTERACTIONS)
    again = land(lake, SimulatorSource(dirty, NOW), window=None, now=NOW, run="2")
    assert first.rows_in == first.kept + first.duplicates + first.set_aside
    assert first.kept > 1000
    assert first.duplicates > 10
    assert first.set_aside > 10
    assert len(first.by_reason) >= 4
    assert (again.rows_in, again.kept) == (first.rows_in, 0)
    assert lake.version(RAW_INTERACTIONS) == version


def test_the_next_hours_add_to_what_landed(tmp_path: Path) -> None:
    lake, later = Lake(tmp_path / "lake", shards=1), NOW + timedelta(hours=3)
    land(lake, SimulatorSource(place(tmp_path), NOW), window=None, now=NOW, run="1")
    today = Window(NOW.date(), NOW.date())
    receipt = land(lake, SimulatorSource(place(tmp_path), later), window=today, now=later, run="2")
    assert receipt.kept > 0
    assert receipt.days_changed == (NOW.date(),)
    times = lake.scan(RAW_INTERACTIONS, days=receipt.days_changed).collect()["occurred_at"]
    assert (times > NOW).sum() == receipt.kept


def test_what_befalls_the_school_is_a_setting_that_counts_school_days(tmp_path: Path) -> None:
    """A client that turns every answer round on the third school day, and on that day alone."""
    spell = {"after_days": 2, "for_days": 1, "wrong_labels": 1.0}
    usual = rows(SimulatorSource(place(tmp_path, start=START, dirt=0.0), NOW))
    spoilt = rows(SimulatorSource(place(tmp_path, start=START, dirt=0.0, disturbances=[spell]), NOW))
    third = START + timedelta(days=2)
    before = pl.col("occurred_at").dt.date() < third
    assert_frame_equal(spoilt.filter(before), usual.filter(before))

    def right(frame: pl.DataFrame, day: date) -> float:
        return float(frame.filter(pl.col("occurred_at").dt.date() == day)["correct"].mean())  # type: ignore[arg-type]

    assert right(spoilt, third) < 0.45
    assert right(usual, third) > 0.55
    assert right(spoilt, third + timedelta(days=3)) > 0.55


def test_a_disturbance_of_a_subject_that_is_not_taught_is_refused(tmp_path: Path) -> None:
    settings = place(tmp_path, start=START, disturbances=[{"after_days": 0, "subject": "alchemy", "guessing": 0.1}])
    with pytest.raises(SettingsError, match="alchemy"):
        rows(SimulatorSource(settings, NOW))


def test_another_school_by_its_disturbances_is_another_source(tmp_path: Path) -> None:
    disturbed = place(tmp_path, start=START, disturbances=[{"after_days": 3, "difficulty": 1.0}])
    assert (
        SimulatorSource(disturbed, NOW).fingerprint()
        != SimulatorSource(place(tmp_path, start=START), NOW).fingerprint()
    )
