"""Answers of one instant stay in the order of the source: in the raw zone, past it, and from several files."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aivo_assets.events.landing.events import land
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import open_source
from aivo_assets.lake import Lake
from aivo_assets.privacy import anonymise_interactions
from aivo_assets.settings import PrivacySettings, Settings, SourceSettings
from aivo_assets_tests.events.conftest import NOW
from aivo_assets_tests.events.memory_source import MemorySource, answer, extract
from aivo_assets_tests.privacy.raw_school import KEY

HEADER = "student,item,answered_at,correct\n"


def raw(lake: Lake) -> pl.DataFrame:
    return lake.scan(RAW_INTERACTIONS).collect()


def past_the_raw_zone(lake: Lake) -> list[str]:
    """Items in the order of `sequence`."""
    made = anonymise_interactions(lake.scan(RAW_INTERACTIONS), KEY, PrivacySettings(), lake.shards)
    return made.sort("learner", "day", "sequence")["item_id"].to_list()


def landed(lake: Lake, path: Path | str, kind: str = "csv", **how: object) -> None:
    source = SourceSettings(kind=kind, path=str(path), **how)
    land(lake, open_source(Settings(source=source), NOW), window=None, now=NOW, run="run")


def rows(*items: str, at: str = "2023-05-04 08:15", learner: str = "kim") -> str:
    return "".join(f"{learner},{item},{at},{number % 2}\n" for number, item in enumerate(items))


@pytest.mark.parametrize("ids", [None, ["9", "10", "99", "100", "101"], ["e", "d", "c", "b", "a"]])
def test_answers_of_one_minute_keep_the_order_of_the_file_past_the_raw_zone(lake: Lake, ids: list[str] | None) -> None:
    items = ["p", "c", "x", "a", "m"]
    given_ids = [{}] * 5 if ids is None else [{"event_id": name} for name in ids]
    answers = [answer(7, item_id=item) | name for item, name in zip(items, given_ids, strict=True)]
    land(lake, MemorySource([extract(answers)]), window=None, now=NOW, run="run")
    assert raw(lake)["item_id"].to_list() == items
    assert past_the_raw_zone(lake) == items


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    instants=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    growth=st.lists(st.sets(st.integers(0, 11)), min_size=1, max_size=4),
    data=st.data(),
)
def test_whatever_part_of_a_source_lands_first_the_order_is_that_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, instants: list[int], growth: list[set[int]], data: st.DataObject
) -> None:
    """Each landing reads some more of the same source, here and there; the last one reads all of it."""
    lake = Lake(tmp_path_factory.mktemp("lake"), shards=2)
    whole = [answer(second, event_id=f"{1000 - n}", item_id=f"i{n}") for n, second in enumerate(instants)]
    known: set[int] = set()
    for more in [*growth, set(range(len(whole)))]:
        known |= {n for n in more if n < len(whole)}
        cut = data.draw(st.integers(0, len(known)))
        chosen = [whole[n] for n in sorted(known)]
        files = [extract(part, location=str(place)) for place, part in enumerate((chosen[:cut], chosen[cut:])) if part]
        if files:
            land(lake, MemorySource(files), window=None, now=NOW, run="run")
    expected = [f"i{n}" for n in sorted(range(len(whole)), key=lambda n: instants[n])]
    assert raw(lake)["item_id"].to_list() == expected
    assert past_the_raw_zone(lake) == expected


def test_what_is_landed_again_or_beside_it_moves_nothing(lake: Lake) -> None:
    first = [answer(3, item_id=item) for item in "zxy"]
    land(lake, MemorySource([extract(first)]), window=None, now=NOW, run="run")
    land(lake, MemorySource([extract(first[::-1], location="other")]), window=None, now=NOW, run="run")
    assert raw(lake)["item_id"].to_list() == ["z", "x", "y"]
    land(lake, MemorySource([extract([answer(3, item_id="a")], location="third")]), window=None, now=NOW, run="run")
    assert past_the_raw_zone(lake) == ["z", "x", "y", "a"]


def test_an_answer_that_was_mended_in_the_source_takes_its_place(lake: Lake) -> None:
    answers = [answer(3, item_id=item) for item in "dcba"]
    damaged = [*answers[:1], answers[1] | {"correct": "perhaps"}, *answers[2:]]
    land(lake, MemorySource([extract(damaged)]), window=None, now=NOW, run="run")
    assert past_the_raw_zone(lake) == ["d", "b", "a"]
    land(lake, MemorySource([extract(answers)]), window=None, now=NOW, run="run")
    assert past_the_raw_zone(lake) == ["d", "c", "b", "a"]


def test_files_of_a_glob_follow_each_other_by_their_numbers(lake: Lake, tmp_path: Path) -> None:
    for number in (1, 2, 9, 10, 11):
        (tmp_path / f"export-{number}.csv").write_text(HEADER + rows(f"item{number}"))
    landed(lake, tmp_path / "export-*.csv")
    assert past_the_raw_zone(lake) == ["item1", "item2", "item9", "item10", "item11"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_parts_that_hold_only_an_order_go_on_after_each_other(lake: Lake, tmp_path: Path, ending: str) -> None:
    parts = {"log_2": ["a", "b", "c"], "log_10": ["d", "e"], "log_11": ["f"]}
    for name, items in parts.items():
        frame = pl.DataFrame({"user_id": ["kim"] * len(items), "item_id": items, "correct": [1] * len(items)})
        if ending == "csv":
            frame.write_csv(tmp_path / f"{name}.csv")
        else:
            frame.write_parquet(tmp_path / f"{name}.parquet")
    landed(lake, tmp_path / f"log_*.{ending}", ending, first_event_at="2011-03-01")
    assert past_the_raw_zone(lake) == ["a", "b", "c", "d", "e", "f"]
    assert raw(lake)["occurred_at"].diff().drop_nulls().dt.total_seconds().to_list() == [1] * 5
    whole = tmp_path / f"whole.{ending}"
    frame = pl.DataFrame({"user_id": ["kim"] * 6, "item_id": list("abcdef"), "correct": [1] * 6})
    frame.write_csv(whole) if ending == "csv" else frame.write_parquet(whole)
    landed(lake, whole, ending, first_event_at="2011-03-01")  # the same in one file is the same
    assert raw(lake).height == 6


def test_transactions_of_one_second_keep_the_order_of_their_exports(lake: Lake, tmp_path: Path) -> None:
    header = "Anon Student Id\tTime\tProblem Name\tStep Name\tOutcome\n"
    for name, steps in {"a1": "ts", "a2": "rq"}.items():
        lines = [f"kim\t2008-09-22 10:00:41\tP\t{step}\tCORRECT\n" for step in steps]
        (tmp_path / f"{name}.txt").write_text(header + "".join(lines))
    landed(lake, tmp_path / "a*.txt", "datashop")
    assert past_the_raw_zone(lake) == ["P / t", "P / s", "P / r", "P / q"]
    assert raw(lake)["occurred_at"].unique().to_list() == [datetime(2008, 9, 22, 10, 0, 41, tzinfo=UTC)]


def test_the_hour_that_a_clock_passes_twice_follows_the_order_of_the_file(lake: Lake, tmp_path: Path) -> None:
    local = ["00:40", "01:15", "01:45", "01:05", "01:05", "01:55", "02:20"]  # clocks in New York go back at 02:00
    lines = "".join(f"kim,q{n},2023-11-05 {at},{n % 2}\n" for n, at in enumerate(local))
    (tmp_path / "night.csv").write_text(HEADER + lines)
    landed(lake, tmp_path / "night.csv", timezone="America/New_York")
    assert past_the_raw_zone(lake) == [f"q{n}" for n in range(7)]
    utc = raw(lake)["occurred_at"].dt.strftime("%H:%M").to_list()
    assert utc == ["04:40", "05:15", "05:45", "06:05", "06:05", "06:55", "07:20"]
