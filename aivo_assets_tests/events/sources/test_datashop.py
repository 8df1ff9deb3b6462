"""DataShop exports: what of a stream of transactions is an event."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.errors import SourceError
from aivo_assets.events.landing.events import land
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import open_source
from aivo_assets.events.sources.datashop import skill_models
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings

COLUMNS = (
    "Transaction Id",
    "Anon Student Id",
    "Session Id",
    "Time",
    "Time Zone",
    "Duration (sec)",
    "Problem Name",
    "Problem View",
    "Step Name",
    "Outcome",
    "Condition Name",
    "Condition Name",
    "Input",
    "KC (Single-KC)",
    "KC (Area)",
    "KC (Area)",
    "School",
    "Class",
)


def transaction(number: int, outcome: str, **others: str) -> str:
    values = {
        "Transaction Id": f"t{number}",
        "Anon Student Id": "ada",
        "Session Id": "s1",
        "Time": f"1996-02-01 00:00:{number:02d}",
        "Time Zone": "US/Eastern",
        "Duration (sec)": "2.5",
        "Problem Name": "CIRCLE",
        "Problem View": "1",
        "Step Name": "(AREA Q1)",
        "Outcome": outcome,
        "Input": 'he said "what',
        "KC (Single-KC)": "Single-KC",
        "KC (Area)": "circle",
        "School": "north",
        "Class": "7b",
    } | {name.replace("_", " "): value for name, value in others.items()}
    return "\t".join(values.get(name, "") for name in COLUMNS) + "\r\n"


def landed(lake: Lake, folder: Path, rows: list[str], now: datetime, **how: object) -> Receipt:
    path = folder / "export.txt"
    path.write_text("\t".join(COLUMNS) + "\r\n" + "".join(rows), newline="")
    source = SourceSettings(kind="datashop", path=str(path), **how)
    return land(lake, open_source(Settings(source=source), now), window=None, now=now, run="run")


def events(lake: Lake) -> pl.DataFrame:
    return lake.scan(RAW_INTERACTIONS).collect()


def test_the_first_transaction_of_a_step_is_the_event_and_the_rest_is_folded(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    rows = [transaction(1, "INCORRECT"), transaction(2, "HINT"), transaction(3, "HINT"), transaction(4, "CORRECT")]
    receipt = landed(lake, tmp_path, rows, now)
    assert (receipt.rows_read, receipt.folded, receipt.kept) == (4, 3, 1)
    event = events(lake).row(0, named=True)
    assert (event["event_id"], event["correct"], event["hint_count"], event["attempt_number"]) == ("t1", 0, 2, 1)
    assert (event["item_id"], event["session_id"]) == ("CIRCLE / (AREA Q1)", "s1")
    assert (event["response_time_ms"], event["school_id"], event["class_id"]) == (2500, "north", "7b")


def test_a_hint_asked_for_first_says_that_the_learner_could_not(lake: Lake, tmp_path: Path, now: datetime) -> None:
    landed(lake, tmp_path, [transaction(1, "HINT"), transaction(2, "CORRECT")], now)
    assert events(lake).select("correct", "hint_count").row(0) == (0, 1)


def test_another_view_step_or_learner_is_another_event(lake: Lake, tmp_path: Path, now: datetime) -> None:
    rows = [
        transaction(1, "CORRECT"),
        transaction(2, "CORRECT", Problem_View="2"),
        transaction(3, "CORRECT", Step_Name="(AREA Q2)"),
        transaction(4, "CORRECT", **{"Anon Student Id": "bob"}),
    ]
    assert landed(lake, tmp_path, rows, now).kept == 4


def test_with_all_attempts_each_is_an_event_and_hints_count_for_the_next(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    outcomes = ["HINT", "INCORRECT", "HINT", "HINT", "CORRECT"]
    rows = [transaction(n, outcome) for n, outcome in enumerate(outcomes)]
    rows.append(transaction(9, "HINT", Step_Name="(AREA Q2)"))
    receipt = landed(lake, tmp_path, rows, now, attempts="all")
    assert (receipt.kept, receipt.folded) == (3, 3)
    assert events(lake).select("event_id", "correct", "attempt_number", "hint_count").rows() == [
        ("t1", 0, 1, 1),
        ("t4", 1, 2, 2),
        ("t9", 0, 1, 1),  # a step that was left after a hint
    ]


def test_transactions_that_are_no_answer_are_set_aside_with_their_outcome(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    rows = [transaction(1, "STUDY"), transaction(2, "", Step_Name=""), transaction(3, "correct")]
    receipt = landed(lake, tmp_path, rows, now)
    assert (receipt.kept, receipt.set_aside, receipt.folded) == (1, 2, 0)
    assert scan_quarantine(lake).collect().select("row", "column", "value").rows() == [
        (2, "correct", "STUDY"),
        (3, "correct", ""),
    ]


def test_times_are_of_the_zone_of_the_row_and_keep_the_order_within_a_second(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    same = "1996-02-01 00:02:12"
    rows = [transaction(n, "CORRECT", Time=same, Step_Name=f"q{9 - n}") for n in range(3)]
    rows.append(transaction(7, "CORRECT", Time="1996-02-01 00:02:13.5", Time_Zone="", Step_Name="z"))
    landed(lake, tmp_path, rows, now, timezone="Europe/Paris")
    found = events(lake)
    start = datetime(1996, 2, 1, 5, 2, 12, tzinfo=UTC)
    assert found.filter(pl.col("event_id") != "t7")["event_id"].to_list() == ["t0", "t1", "t2"]
    assert found.filter(pl.col("event_id") == "t0")["occurred_at"].item() == start
    assert found.filter(pl.col("event_id") == "t2")["occurred_at"].item() == start
    local = found.filter(pl.col("event_id") == "t7")["occurred_at"].item()
    assert local == datetime(1996, 1, 31, 23, 2, 13, 500_000, tzinfo=UTC)


def test_blank_times_unknown_zones_and_wrong_durations_are_set_aside(lake: Lake, tmp_path: Path, now: datetime) -> None:
    rows = [
        transaction(1, "CORRECT", Time="", Step_Name="a"),
        transaction(2, "CORRECT", Time_Zone="Mars", Step_Name="b"),
        transaction(3, "CORRECT", **{"Duration (sec)": "-2"}, Step_Name="c"),
        transaction(4, "CORRECT", **{"Duration (sec)": "."}, Step_Name="d"),
        transaction(5, "CORRECT", **{"Duration (sec)": "0"}, Step_Name="e"),
    ]
    receipt = landed(lake, tmp_path, rows, now)
    assert receipt.by_reason == {
        "occurred_at is missing": 1,
        "occurred_at has the time zone Mars, which is not known (AIVO_SOURCE_ZONES)": 1,
        "response_time_ms is negative": 1,
    }
    assert events(lake)["response_time_ms"].to_list() == [None, None]


def test_a_step_without_a_name_is_no_item(lake: Lake, tmp_path: Path, now: datetime) -> None:
    rows = [transaction(1, "CORRECT", Step_Name=""), transaction(2, "CORRECT", Step_Name="")]
    assert landed(lake, tmp_path, rows, now).by_reason == {"item_id is missing": 2}


def test_skills_are_those_of_one_model_in_all_its_columns(lake: Lake, tmp_path: Path, now: datetime) -> None:
    line = transaction(1, "CORRECT").split("\t")
    line[COLUMNS.index("KC (Area)") + 1] = "square~~circle"
    rows = ["\t".join(line), transaction(2, "CORRECT", Step_Name="b", **{"KC (Area)": "angle"})]
    landed(lake, tmp_path, rows, now)
    assert events(lake)["skill_ids"].to_list() == [["circle", "square"], ["angle"]]


def test_a_model_may_be_named_and_must_be_there(lake: Lake, tmp_path: Path, now: datetime) -> None:
    with pytest.raises(SourceError, match=r"KC \(Other\).*Single-KC, Area"):
        landed(lake, tmp_path, [transaction(1, "CORRECT")], now, skill_model="Other")
    landed(lake, tmp_path, [transaction(1, "CORRECT")], now, skill_model="Single-KC")
    assert events(lake)["skill_ids"].to_list() == [["Single-KC"]]


def test_models_are_read_from_repeated_columns_and_categories_are_not_models() -> None:
    assert skill_models(["KC (A (b))", "KC Category (A (b))", "KC (A (b)) (2)", "KC (C)"]) == {
        "A (b)": ["KC (A (b))", "KC (A (b)) (2)"],
        "C": ["KC (C)"],
    }


def test_what_learners_typed_is_not_read(lake: Lake, tmp_path: Path, now: datetime) -> None:
    landed(lake, tmp_path, [transaction(1, "CORRECT"), transaction(2, "STUDY")], now)
    content = [str(row) for row in [*events(lake).rows(), *scan_quarantine(lake).collect().rows()]]
    assert not any("he said" in row for row in content)
