"""ASSISTments exports: order without times, and one row a skill."""

from datetime import UTC, datetime
from pathlib import Path

from aivo_assets.events.landing.events import land
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import open_source
from aivo_assets.events.values.labels import NEITHER
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings

HEADER = (
    ",order_id,assignment_id,user_id,problem_id,original,correct,attempt_count,ms_first_response,student_class_id,"
    "skill_id,skill_name,teacher_id,school_id,hint_count,answer_text\n"
)


def row(order: object, *, correct: object = 1, skill: str = "10.0", hints: object = 0, answer: str = "26") -> str:
    return f"0,{order},77,ada,p{order},1,{correct},3,5125.0,c1,{skill},Table,t1,s1,{hints},{answer}\n"


def landed(lake: Lake, folder: Path, content: str, now: datetime, *, name: str = "export.csv", **how: str) -> Receipt:
    path = folder / name
    path.write_text(content, newline="")
    source = SourceSettings(kind="assistments", path=str(path), **how)
    return land(lake, open_source(Settings(source=source), now), window=None, now=now, run=name)


def test_the_columns_mean_what_the_export_says(lake: Lake, tmp_path: Path, now: datetime) -> None:
    landed(lake, tmp_path, HEADER + row(3600, correct=0, hints=2), now, first_event_at="2010-01-01")
    (event,) = lake.scan(RAW_INTERACTIONS).collect().to_dicts()
    assert event == {
        "event_id": "3600",
        "learner_id": "ada",
        "item_id": "p3600",
        "skill_ids": ["10"],
        "subject": "general",
        "occurred_at": datetime(2010, 1, 1, 1, tzinfo=UTC),
        "correct": 0,
        "response_time_ms": 5125,
        "hint_count": 2,
        "attempt_number": 1,  # the first response, however many attempts followed
        "session_id": None,
        "focus": None,
        "assignment_id": "77",
        "teacher_id": "t1",
        "class_id": "c1",
        "school_id": "s1",
    }


def test_rows_of_one_order_id_are_one_event_with_several_skills(lake: Lake, tmp_path: Path, now: datetime) -> None:
    content = HEADER + row(5, skill="2.0") + row(6, skill="") + row(5, skill="1.0")
    receipt = landed(lake, tmp_path, content, now)
    assert (receipt.rows_read, receipt.folded, receipt.kept) == (3, 1, 2)
    events = lake.scan(RAW_INTERACTIONS).collect()
    assert events["skill_ids"].to_list() == [["1", "2"], ["p6"]]


def test_rows_of_one_order_id_that_disagree_are_not_one_event(lake: Lake, tmp_path: Path, now: datetime) -> None:
    receipt = landed(lake, tmp_path, HEADER + row(5) + row(5, correct=0), now)
    assert (receipt.kept, receipt.set_aside) == (1, 1)
    assert lake.scan(RAW_INTERACTIONS).collect()["correct"].to_list() == [1]


def test_the_order_of_the_file_does_not_matter_and_overlapping_exports_agree(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    landed(lake, tmp_path, HEADER + row(30) + row(10) + row(20), now)
    assert lake.scan(RAW_INTERACTIONS).collect()["event_id"].to_list() == ["10", "20", "30"]
    again = landed(lake, tmp_path, HEADER + row(20) + row(40), now, name="later.csv")
    assert (again.kept, again.duplicates) == (1, 1)


def test_a_messy_export_loses_its_bad_lines_and_nothing_else(lake: Lake, tmp_path: Path, now: datetime) -> None:
    content = (
        HEADER
        + row(1)
        + row(2, correct=7)
        + "cut,short\n"
        + row(3, answer='"free\ntext, ""quoted"""')
        + row("", correct=1)
        + row("tomorrow")
        + row(4, answer='"never closed')
        + row(5)
    )
    receipt = landed(lake, tmp_path, content, now)
    assert (receipt.rows_in, receipt.kept, receipt.set_aside) == (8, 3, 5)
    problems = scan_quarantine(lake).select("row", "reason").sort("row", "reason").collect().rows()
    assert problems == [
        (3, NEITHER),
        (4, "the line has fewer values than there are columns"),
        (7, "occurred_at is missing"),
        (8, "occurred_at is not a date and time"),
        (9, "the line opens a quote that does not close"),
    ]
