"""What a landing leaves in the lake: every row accounted for, nothing twice, nothing by halves."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.errors import LakeError, SourceError
from aivo_assets.events.landing.events import land, read_cursor, read_receipts
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS, Event
from aivo_assets.events.sources.base import Extract, Window, broken_rows
from aivo_assets.events.values.labels import NEITHER
from aivo_assets.lake import Lake
from aivo_assets_tests.events.conftest import NOW
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract

FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)


def landed(lake: Lake, *extracts: Extract, window: Window | None = None, run: str = "run", **how: object) -> Receipt:
    return land(lake, MemorySource(extracts, **how), window=window, now=NOW, run=run)


def events(lake: Lake) -> pl.DataFrame:
    return lake.scan(RAW_INTERACTIONS).collect()


def test_events_land_in_their_own_day_in_order_of_time(lake: Lake) -> None:
    late = "2024-05-02T08:00:00Z"
    receipt = landed(lake, extract([answer(9), answer(occurred_at=late), answer(3)]))
    assert (receipt.rows_in, receipt.kept, receipt.days_changed) == (3, 3, (FIRST, SECOND))
    assert lake.days(RAW_INTERACTIONS) == [FIRST, SECOND]
    assert events(lake)["occurred_at"].is_sorted()
    assert lake.scan(RAW_INTERACTIONS, days=[SECOND]).collect().height == 1
    Event.validate(events(lake))


def test_events_of_one_instant_stay_in_the_order_of_the_source(lake: Lake) -> None:
    landed(lake, extract([answer(5, item_id=item) for item in "zyx"]))
    assert events(lake)["item_id"].to_list() == ["z", "y", "x"]


def test_the_same_extract_twice_changes_nothing(lake: Lake) -> None:
    rows = extract([answer(second, event_id=str(second)) for second in range(5)] + [answer(correct="7")])
    landed(lake, rows)
    version, quarantine = lake.version(RAW_INTERACTIONS), scan_quarantine(lake).collect()
    again = landed(lake, rows, run="again")
    assert (again.kept, again.duplicates, again.set_aside, again.days_changed) == (0, 5, 1, ())
    assert lake.version(RAW_INTERACTIONS) == version
    assert_frame_equal(scan_quarantine(lake).collect(), quarantine)


def test_identical_answers_of_one_file_are_kept_and_an_overlapping_file_adds_none(lake: Lake) -> None:
    landed(lake, extract([answer(1), answer(1), answer(2)], location="monday.csv"))
    assert events(lake).height == 3
    overlapping = landed(lake, extract([answer(1), answer(2), answer(3)], location="tuesday.csv"))
    assert (overlapping.kept, overlapping.duplicates) == (1, 2)
    together = landed(
        lake, extract([answer(1), answer(1)], location="a"), extract([answer(1), answer(1)], location="b")
    )
    assert (together.kept, together.duplicates) == (0, 4)


def test_ordinals_count_through_all_chunks_of_a_file(lake: Lake) -> None:
    landed(lake, extract([answer(1)], location="f"), extract([answer(1)], location="f", first_row=2))
    assert events(lake).height == 2


def test_a_late_event_is_merged_into_its_day_and_other_days_stay_as_they_are(lake: Lake) -> None:
    landed(lake, extract([answer(9), answer(occurred_at="2024-05-02T08:00:00Z")]))
    untouched = lake.version(RAW_INTERACTIONS, days=[SECOND])
    receipt = landed(lake, extract([answer(4)]), run="later")
    assert receipt.days_changed == (FIRST,)
    assert lake.scan(RAW_INTERACTIONS, days=[FIRST]).collect()["occurred_at"].dt.second().to_list() == [4, 9]
    assert lake.version(RAW_INTERACTIONS, days=[SECOND]) == untouched


def test_an_id_with_other_content_is_set_aside_and_the_first_stays(lake: Lake) -> None:
    receipt = landed(
        lake, extract([answer(1, event_id="e"), answer(1, event_id="e", correct="0"), answer(1, event_id="e")])
    )
    assert (receipt.kept, receipt.duplicates, receipt.set_aside) == (1, 1, 1)
    assert events(lake)["correct"].to_list() == [1]
    problem = scan_quarantine(lake).collect().row(0, named=True)
    assert (problem["row"], problem["column"], problem["value"]) == (2, "event_id", "e")


@pytest.mark.parametrize("other", [{"correct": "0"}, {"occurred_at": "2024-05-02T00:00:00Z"}])
def test_what_the_lake_holds_stays_also_where_the_newcomer_is_of_another_day(
    lake: Lake, other: dict[str, object]
) -> None:
    landed(lake, extract([answer(1, event_id="e")]))
    version = lake.version(RAW_INTERACTIONS)
    receipt = landed(lake, extract([answer(1, event_id="e") | other]), run="later")
    assert (receipt.kept, receipt.set_aside) == (0, 1)
    assert lake.version(RAW_INTERACTIONS) == version


def test_a_window_takes_its_days_only_and_counts_the_rest(lake: Lake) -> None:
    rows = extract([answer(1), answer(occurred_at="2024-05-02T08:00:00Z"), answer(correct="7")])
    receipt = landed(lake, rows, window=Window(SECOND, SECOND))
    assert (receipt.rows_read, receipt.rows_in, receipt.kept, receipt.outside_window) == (3, 1, 1, 2)
    assert lake.days(RAW_INTERACTIONS) == [SECOND]
    assert scan_quarantine(lake).collect().is_empty()


def test_day_by_day_leaves_the_same_lake_as_all_at_once(lake: Lake, tmp_path: Path) -> None:
    rows = extract([answer(occurred_at=f"2024-05-{1 + n % 2:02d}T{n:02d}:00:00Z") for n in range(20)])
    days = [date(2024, 5, 1), date(2024, 5, 2)]
    for day in days:
        landed(lake, rows, window=Window(day, day), run=str(day))
    whole = Lake(tmp_path / "whole", shards=4)
    landed(whole, rows, window=Window(days[0], days[-1]))
    assert lake.version(RAW_INTERACTIONS) == whole.version(RAW_INTERACTIONS)


def test_a_source_that_fails_half_way_leaves_the_lake_as_it_was(lake: Lake) -> None:
    landed(lake, extract([answer(1)]))
    before = sorted(path.name for path in Path(str(lake.root)).rglob("*"))
    broken = MemorySource([extract([answer(2), answer(correct="7")])], fails_with=SourceError("gone", fix="wait"))
    with pytest.raises(SourceError):
        land(lake, broken, window=None, now=NOW, run="broken")
    assert sorted(path.name for path in Path(str(lake.root)).rglob("*")) == before


def test_a_crash_between_two_days_is_healed_by_landing_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = extract([answer(1), answer(occurred_at="2024-05-02T08:00:00Z")], cursor="2")
    update = Lake.update

    def crashing(self: Lake, dataset: object, change: object, **unit: object) -> object:
        if unit.get("day") == SECOND:
            raise KeyboardInterrupt
        return update(self, dataset, change, **unit)

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "update", crashing)
        with pytest.raises(KeyboardInterrupt):
            landed(lake, rows, window_applies=False)
    assert lake.days(RAW_INTERACTIONS) == [FIRST]
    assert read_cursor(lake, "memory") is None
    healed = landed(lake, rows, window_applies=False)
    assert (healed.kept, healed.duplicates) == (1, 1)
    assert events(lake).height == 2


def test_a_cursor_source_ignores_the_window_and_goes_on_where_it_ended(lake: Lake) -> None:
    source = MemorySource([extract([answer(1)], cursor="41"), extract([answer(2)], cursor="42")], window_applies=False)
    first = land(lake, source, window=Window(SECOND, SECOND), now=NOW, run="a")
    assert (first.kept, first.cursor) == (2, "42")
    land(lake, source, window=None, now=NOW, run="b")
    assert source.asked == [(None, None), (None, "42")]


def test_the_cursor_moves_after_everything_else(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write_bytes = Lake.write_bytes

    def noting(self: Lake, path: str, content: bytes) -> object:
        written.append(path.split("/")[1])
        return write_bytes(self, path, content)

    monkeypatch.setattr(Lake, "write_bytes", noting)
    landed(lake, extract([answer(1)], cursor="1"), window_applies=False)
    assert written == ["receipts", "cursors"]


def test_receipts_are_kept_and_read_back(lake: Lake) -> None:
    one = landed(lake, extract([answer(1), answer(correct="7")]), window=Window(FIRST, SECOND), run="one")
    two = landed(lake, extract([answer(2)]), run="two")
    assert sorted(read_receipts(lake), key=lambda receipt: receipt.run) == [one, two]
    assert one.by_reason == {NEITHER: 1}


def test_a_receipt_that_does_not_add_up_cannot_be_made(lake: Lake) -> None:
    receipt = landed(lake, extract([answer(1)]))
    for wrong in ({"kept": 2}, {"rows_read": 5}, {"rows_in": 0}):
        with pytest.raises(LakeError, match="does not add up"):
            replace(receipt, **wrong)


def test_the_same_bad_rows_under_another_batch_are_not_doubled(lake: Lake) -> None:
    bad = replace(
        extract([answer(correct="7")]), broken=broken_rows("memory", [(9, None, "broken"), (None, "x", "broken")])
    )
    landed(lake, bad, fingerprint="one")
    landed(lake, bad, fingerprint="two", run="two")
    assert scan_quarantine(lake).collect().height == 3


def test_landing_leaves_no_staging_folder_behind(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    landed(lake, extract([answer(1)]))
    assert list(scratch.iterdir()) == []


def test_many_days_are_written_in_bundles_of_bounded_size(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aivo_assets.events.landing.events._ROWS_AT_ONCE", 2)
    rows = extract([answer(occurred_at=f"2024-05-{1 + n % 9:02d}T00:00:{n:02d}Z") for n in range(30)])
    receipt = landed(lake, rows)
    assert (receipt.kept, len(receipt.days_changed)) == (30, 9)
    assert events(lake).height == 30


# --- laws ---------------------------------------------------------------------------------------------------------

row = st.builds(
    lambda second, correct, event_id, item: answer(second, correct=correct, event_id=event_id, item_id=item),
    st.sampled_from([0, 1, 2, 86_399]),
    st.sampled_from(["0", "1", "7"]),
    st.sampled_from([None, "e1", "e2"]),
    st.sampled_from(["i1", "i2", ""]),
)
files = st.lists(row, max_size=8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files, files, st.booleans())
def test_every_row_is_accounted_for_and_landing_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, one: list[dict[str, object]], two: list[dict[str, object]], windowed: bool
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"), shards=4)
    window = Window(FIRST, FIRST) if windowed else None
    extracts = [extract(one, location="one"), extract(two, location="two")]
    receipt = landed(lake, *extracts, window=window)
    assert receipt.rows_in == receipt.kept + receipt.duplicates + receipt.set_aside
    assert receipt.rows_read == len(one) + len(two)
    assert events(lake).height == receipt.kept
    version, quarantine = lake.version(RAW_INTERACTIONS), scan_quarantine(lake).collect()
    again = landed(lake, *extracts, window=window, run="again")
    assert (again.kept, again.set_aside) == (0, receipt.set_aside)
    assert lake.version(RAW_INTERACTIONS) == version
    assert scan_quarantine(lake).collect().equals(quarantine)


@settings(max_examples=15, deadline=None)
@given(files, st.integers(0, 8), st.integers(0, 8))
def test_overlapping_extracts_hold_the_events_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], end: int, start: int
) -> None:
    """Two stretches that cover a file leave the ids of the whole file, as long as no id is contested."""
    named = [{**each, "event_id": None} for each in rows]
    start, end = min(start, end), max(start, end)
    parts, whole = (Lake(tmp_path_factory.mktemp("lake"), shards=4) for _ in range(2))
    landed(whole, extract(named))
    distinct = len({str(each) for each in named}) == len(named)
    landed(parts, extract(named[:end], location="first"))
    landed(parts, extract(named[start:], location="second"))
    if distinct:
        assert set(events(parts)["event_id"]) == set(events(whole)["event_id"])
    else:
        assert set(events(parts)["event_id"]) <= set(events(whole)["event_id"])
