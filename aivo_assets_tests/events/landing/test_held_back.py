"""Rows of a source that gives them once: those that come too early, or for a damaged day, are answers later."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from aivo_assets.events.intake import FUTURE
from aivo_assets.events.landing.events import land
from aivo_assets.events.landing.held_back import scan_held_back
from aivo_assets.events.landing.torn_days import TORN_DAY
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources.base import Extract, Window
from aivo_assets.lake import Lake
from aivo_assets.lake.commits.damage import damaged_files
from aivo_assets_tests.events.conftest import NOW
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract

FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)
HOUR = timedelta(hours=1)
WHOLE = Window(date(2024, 1, 1), NOW.date() + timedelta(days=1))


def landed(lake: Lake, *extracts: Extract, hours: float = 0, window: bool = False) -> tuple[Receipt, MemorySource]:
    source = MemorySource(extracts, window_applies=window)
    receipt = land(lake, source, window=WHOLE if window else None, now=NOW + hours * HOUR, run=f"run-{hours}")
    return receipt, source


def ids(lake: Lake) -> list[str]:
    return sorted(lake.scan(RAW_INTERACTIONS).collect()["event_id"])


def at(hours: float, **others: object) -> dict[str, object]:
    return answer(occurred_at=(NOW + hours * HOUR).isoformat(), **others)


def file_of(lake: Lake, day: date) -> Path:
    return Path(lake.files(RAW_INTERACTIONS, days=[day])[0])


def cut(lake: Lake, day: date) -> bytes:
    path = file_of(lake, day)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return content


def test_an_answer_of_the_future_is_kept_as_soon_as_its_time_has_come(lake: Lake) -> None:
    early = extract([at(-1, event_id="past"), at(0.5, event_id="soon"), at(3, event_id="later")], cursor="3")
    receipt, _ = landed(lake, early)
    assert (receipt.kept, receipt.set_aside, receipt.by_reason) == (1, 2, {FUTURE: 2})
    assert landed(lake, hours=0.4)[0].rows_read == 0
    receipt, source = landed(lake, hours=1)
    assert source.asked == [(None, "3")]
    assert (receipt.rows_in, receipt.kept, receipt.set_aside) == (1, 1, 0)
    assert ids(lake) == ["past", "soon"]
    assert scan_quarantine(lake).collect()["row"].to_list() == [3]
    assert landed(lake, hours=4)[0].kept == 1
    assert ids(lake) == ["later", "past", "soon"]
    assert scan_quarantine(lake).collect().is_empty()
    assert scan_held_back(lake).collect().is_empty()


@pytest.mark.parametrize("named", [True, False])
def test_a_row_that_is_given_again_while_it_waits_and_when_it_is_due_is_one_answer(lake: Lake, named: bool) -> None:
    """A cursor reads some rows twice, for those that were committed late."""
    row = at(0.5, **({"event_id": "soon"} if named else {}))
    for hours in (0, 0.1, 1, 2):
        landed(lake, extract([row], cursor="1"), hours=hours)
        assert len(ids(lake)) == (hours >= 1)
        assert scan_held_back(lake).collect().height == (hours < 1)
    assert scan_quarantine(lake).collect().is_empty()


def test_a_row_with_another_fault_as_well_is_not_waited_for(lake: Lake) -> None:
    landed(lake, extract([at(0.5, correct="7")], cursor="1"))
    assert scan_held_back(lake).collect().is_empty()
    assert landed(lake, hours=1)[0].rows_read == 0
    assert scan_quarantine(lake).collect().height == 2


def test_a_source_that_is_read_again_needs_nothing_held_back_and_the_quarantine_lets_go_of_it(lake: Lake) -> None:
    rows = extract([at(-1), at(0.5)])
    assert landed(lake, rows, window=True)[0].set_aside == 1
    assert scan_held_back(lake).collect().is_empty()
    assert landed(lake, rows, window=True, hours=1)[0].kept == 1
    assert scan_quarantine(lake).collect().is_empty()


@pytest.mark.parametrize("window", [True, False])
def test_a_damaged_day_is_written_anew_from_what_the_source_gives_again(lake: Lake, window: bool) -> None:
    rows = extract([answer(3, event_id="a"), answer(5, event_id="b"), *two_of_the_second()], cursor="4")
    landed(lake, rows, window=window)
    content, version = cut(lake, FIRST), lake.version(RAW_INTERACTIONS)
    receipt, source = landed(lake, rows, window=window, hours=1)
    assert source.asked[0][1] is None  # from the start, where it is read by cursor
    assert (receipt.kept, receipt.duplicates, receipt.days_changed) == (2, 2, (FIRST,))
    assert file_of(lake, FIRST).read_bytes() == content
    assert lake.version(RAW_INTERACTIONS) == version
    _, source = landed(lake, window=window, hours=2)
    assert source.asked[0][1] == (None if window else "4")


def test_a_damaged_day_that_the_source_no_longer_gives_whole_waits_for_its_backup_and_nothing_is_lost(
    lake: Lake,
) -> None:
    """The source is read from its start once for the damage, and what it gives of that day waits."""
    landed(lake, extract([answer(3, event_id="a"), answer(5, event_id="b"), *two_of_the_second()], cursor="4"))
    content, version = cut(lake, FIRST), lake.version(RAW_INTERACTIONS)
    late = extract([answer(9, event_id="late"), answer(occurred_at="2024-05-02T09:00:00Z", event_id="z")], cursor="6")
    # b may be one of the two that the day held, or one more: that cannot be known while the file is damaged.
    receipt, source = landed(lake, extract([answer(5, event_id="b"), *two_of_the_second()], cursor="4"), hours=1)
    assert source.asked[0][1] is None
    assert (receipt.kept, receipt.duplicates, receipt.by_reason) == (0, 2, {TORN_DAY: 1})
    assert lake.version(RAW_INTERACTIONS) == version
    receipt, source = landed(lake, late, hours=2)
    assert source.asked[0][1] == "4"
    assert (receipt.kept, receipt.set_aside) == (1, 1)
    assert damaged_files(lake, RAW_INTERACTIONS, [FIRST])

    file_of(lake, FIRST).write_bytes(content)
    receipt, source = landed(lake, hours=3)
    assert source.asked[0][1] == "6"
    assert (receipt.kept, receipt.duplicates, receipt.set_aside) == (1, 1, 0)
    assert ids(lake) == ["a", "b", "late", "x", "y", "z"]
    assert scan_quarantine(lake).collect().is_empty()


def test_another_damage_is_read_for_again_and_what_waited_for_the_first_is_not_forgotten(lake: Lake) -> None:
    rows = extract([answer(3, event_id="a"), answer(5, event_id="b"), *two_of_the_second()], cursor="4")
    landed(lake, rows)
    cut(lake, FIRST)
    landed(lake, extract([answer(7, event_id="gone from the source since")], cursor="5"), hours=1)
    cut(lake, SECOND)
    receipt, source = landed(lake, rows, hours=2)
    assert source.asked[0][1] is None
    assert receipt.kept == 4
    assert landed(lake, hours=3)[0].kept == 1
    assert ids(lake) == ["a", "b", "gone from the source since", "x", "y"]
    assert scan_quarantine(lake).collect().is_empty()
    assert scan_held_back(lake).collect().is_empty()


def two_of_the_second() -> list[dict[str, object]]:
    return [answer(occurred_at=f"2024-05-02T08:00:0{n}Z", event_id=name) for n, name in enumerate("xy")]
