"""What a replay shows of a source at an instant: all that has happened by then, and nothing that has not."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aivo_assets.errors import SourceError
from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.replay.feed import DAYS_SHOWN, Feed, gather
from aivo_assets.settings import Settings

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = Window(FIRST.date(), FIRST.date() + timedelta(days=6))


class Told:
    """A source of the given rows."""

    name = "told"
    window_applies = True

    def __init__(self, rows: list[dict[str, Any]], table: pl.DataFrame | None = None) -> None:
        self.rows = rows
        self.table = table

    def fingerprint(self) -> str:
        return "told"

    def events(self, window: Window | None, cursor: str | None) -> Iterator[Extract]:
        frame = pl.DataFrame(self.rows).with_columns(_location=pl.lit("told"), _row=pl.int_range(pl.len()))
        yield Extract(frame=frame, broken=broken_rows("told", [(9, "a,b,c", "no row")]))

    def learners(self) -> pl.DataFrame | None:
        return self.table


def answer(learner: str, hours: float, correct: Any = 1) -> dict[str, Any]:
    return {
        "learner_id": learner,
        "item_id": "1+1",
        "occurred_at": FIRST + timedelta(hours=hours),
        "correct": correct,
    }


def shown(feed: Feed) -> pl.DataFrame:
    return pl.read_parquet(feed.events_path, glob=True)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 160), min_size=1, max_size=30), st.lists(st.floats(0, 170), min_size=1, max_size=8))
def test_at_each_instant_exactly_what_has_happened_is_there(
    tmp_path: Path, hours: list[float], looks: list[float]
) -> None:
    feed = Feed(gather(Told([answer("ann", at) for at in hours]), WEEK, learners=None, seed=0), tmp_path / "feed")
    for look in sorted(looks):
        now = FIRST + timedelta(hours=look)
        feed.show(now)
        happened = [at for at in hours if FIRST + timedelta(hours=at) <= now]
        assert feed.arrived == len(happened)
        if happened:
            assert shown(feed).height == len(happened)
            assert shown(feed)["occurred_at"].max() <= now  # type: ignore[operator]


def test_the_platform_reads_the_feed_without_a_future(tmp_path: Path) -> None:
    feed = Feed(gather(Told([answer("ann", 1), answer("bob", 3)]), WEEK, learners=None, seed=0), tmp_path / "feed")
    now = FIRST + timedelta(hours=2)
    feed.show(now)
    own = Settings.model_validate({"source": {"kind": "parquet", "path": feed.events_path}})
    frames = [
        extract.frame for extract in open_source(own, now).events(Window(date(2026, 3, 2), date(2026, 3, 2)), None)
    ]
    assert pl.concat(frames)["learner_id"].to_list() == ["ann"]


def test_only_the_newest_days_lie_in_the_folder(tmp_path: Path) -> None:
    rows = [answer("ann", 24 * day) for day in range(DAYS_SHOWN + 5)]
    window = Window(FIRST.date(), FIRST.date() + timedelta(days=DAYS_SHOWN + 5))
    feed = Feed(gather(Told(rows), window, learners=None, seed=0), tmp_path / "feed")
    for day in range(DAYS_SHOWN + 5):
        feed.show(FIRST + timedelta(days=day, hours=1))
    assert len(list((tmp_path / "feed" / "events").iterdir())) == DAYS_SHOWN
    assert shown(feed)["occurred_at"].max() == rows[-1]["occurred_at"]


def test_a_bad_value_arrives_as_it_is_for_the_platform_to_judge(tmp_path: Path) -> None:
    feed = Feed(gather(Told([answer("ann", 1, correct=7)]), WEEK, learners=None, seed=0), tmp_path / "feed")
    feed.show(FIRST + timedelta(days=1))
    assert shown(feed)["correct"].to_list() == [7]


def test_what_has_no_time_within_the_days_is_counted_and_never_arrives() -> None:
    rows = [answer("ann", 1), answer("ann", -5), answer("ann", 24 * 30), answer("ann", 0) | {"occurred_at": None}]
    gathered = gather(Told(rows), WEEK, learners=None, seed=0)
    assert (gathered.events.height, gathered.rows_read, gathered.without_time) == (1, 5, 4)


def test_whole_learners_are_drawn_and_the_same_seed_draws_the_same() -> None:
    rows = [answer(f"learner {number % 50}", number / 10) for number in range(500)]

    def drawn(seed: int) -> pl.DataFrame:
        return gather(Told(rows), WEEK, learners=12, seed=seed).events

    assert drawn(1).equals(drawn(1))
    assert set(drawn(1)["learner_id"]) != set(drawn(2)["learner_id"])
    assert drawn(1)["learner_id"].n_unique() == 12
    assert drawn(1).height == 120  # ten answers each


def test_more_learners_than_there_are_is_all_of_them() -> None:
    gathered = gather(Told([answer("ann", 1), answer("bob", 2)]), WEEK, learners=9, seed=0)
    assert (gathered.learners_found, gathered.events.height) == (2, 2)


def test_a_learner_is_known_from_the_first_answer_on(tmp_path: Path) -> None:
    table = pl.DataFrame({"learner_id": ["ann", "bob", "cyd"], "grade": ["5", "6", "7"], "_row": [1, 2, 3]})
    source = Told([answer("ann", 1), answer("bob", 3)], table)
    feed = Feed(gather(source, WEEK, learners=None, seed=0), tmp_path / "feed")
    assert feed.learners_path is not None
    for hours, known in ((2, ["ann"]), (4, ["ann", "bob"])):
        feed.show(FIRST + timedelta(hours=hours))
        assert pl.read_parquet(feed.learners_path)["learner_id"].to_list() == known


def test_days_without_an_answer_are_an_error_and_not_an_empty_replay() -> None:
    with pytest.raises(SourceError, match="no event from"):
        gather(Told([answer("ann", 24 * 30)]), WEEK, learners=None, seed=0)
