"""The same answers read in another way are not counted twice without a word; other answers are not lost."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from aivo_assets.events.landing import account
from aivo_assets.events.landing.events import land, rehearse
from aivo_assets.events.receipts import Receipt, read_receipts
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources import open_source
from aivo_assets.lake import Lake
from aivo_assets.settings import Settings, SourceSettings

ROWS = [
    f"ada{n % 4},sum{n % 9},{n % 2},2023-11-{6 + n // 12:02d} 09:{n * 7 % 60:02d}:{n:02d},{900 + 13 * n},t{n % 3},x{n}"
    for n in range(40)
]
HEADER = "pupil,task,ok,at,ms,topic,key"
MAP = {"learner_id": "pupil", "item_id": "task", "correct": "ok", "occurred_at": "at"}


def source(path: Path, columns: dict[str, str], **how: object) -> SourceSettings:
    return SourceSettings(kind="csv", path=str(path), columns=MAP | columns, **how)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return file(tmp_path, ROWS)


def file(folder: Path, rows: Sequence[str], name: str = "answers.csv") -> Path:
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n")
    return folder / name


def landed(lake: Lake, path: Path, now: datetime, columns: dict[str, str] | None = None, **how: object) -> Receipt:
    opened = open_source(Settings(source=source(path, columns or {}, **how)), now)
    told, _ = rehearse(lake, opened, window=None, now=now)
    receipt = land(lake, opened, window=None, now=now, run=f"run-{len(read_receipts(lake))}")
    assert (told.kept, told.duplicates, told.alike) == (receipt.kept, receipt.duplicates, receipt.alike)
    return receipt


def events(lake: Lake) -> int:
    return lake.scan(RAW_INTERACTIONS).collect().height


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {"response_time_ms": "ms"}),
        ({}, {"skill_ids": "topic", "session_id": "topic"}),
        ({"response_time_ms": "ms", "skill_ids": "topic"}, {}),
        ({}, {"event_id": "key"}),
        ({"event_id": "key"}, {}),
        ({"class_id": "topic"}, {"teacher_id": "topic", "response_time_ms": "ms"}),
    ],
)
def test_the_same_file_with_other_columns_holds_the_same_answers(
    first: dict[str, str], then: dict[str, str], lake: Lake, path: Path, now: datetime
) -> None:
    assert landed(lake, path, now, first).kept == 40
    again = landed(lake, path, now, then)
    assert (again.kept, again.duplicates, again.known_otherwise) == (0, 40, 40)
    assert again.further_columns == tuple(sorted(set(then) - {"event_id"}))
    assert "40 of the duplicates" in " ".join(account.remarks(again))
    assert events(lake) == 40
    assert landed(lake, path, now, first).known_otherwise == 0


def test_another_zone_is_told_with_the_shift(lake: Lake, path: Path, now: datetime) -> None:
    landed(lake, path, now)
    shifted = landed(lake, path, now, timezone="Asia/Kathmandu")
    assert shifted.alike == {str(-20_700): 40}
    assert any("5.75 h earlier" in told and "--time-zone" in told for told in account.remarks(shifted))


def test_another_meaning_of_right_is_told(lake: Lake, path: Path, now: datetime) -> None:
    landed(lake, path, now)
    turned = landed(lake, path, now, correct_values={"0": 1, "1": 0})
    assert turned.alike == {"same time": 40}
    assert "differ from it elsewhere" in account.remarks(turned)[-1]


def test_other_answers_are_other_answers(lake: Lake, tmp_path: Path, now: datetime) -> None:
    """At one instant a learner may answer an item twice; what differs in what both say is not the same answer."""
    measured = {"response_time_ms": "ms"}
    landed(lake, file(tmp_path, ["ada,sum1,1,2023-11-06,900,t1,k"]), now, measured)
    second = landed(lake, file(tmp_path, ["ada,sum1,1,2023-11-06,901,t1,k"]), now, measured)
    assert (second.kept, second.known_otherwise) == (1, 0)
    whole = ["ada,sum1,1,2023-11-06,900,t1,k", "ada,sum1,1,2023-11-06,901,t1,k", "ada,sum1,1,2023-11-06,902,t1,k"]
    third = landed(lake, file(tmp_path, whole), now, measured)
    assert (third.kept, third.duplicates) == (1, 2)
    assert events(lake) == 3


def test_what_a_growing_file_adds_is_new_whatever_looks_like_it(lake: Lake, tmp_path: Path, now: datetime) -> None:
    """One learner answers one item every hour."""
    hourly = [f"ada,sum1,1,2023-11-06 {hour:02d}:00:00,900,t1,k" for hour in range(20)]
    for end in (6, 13, 20):
        receipt = landed(lake, file(tmp_path, hourly[:end]), now)
        assert receipt.alike == {}
    assert events(lake) == 20


def test_as_many_answers_are_known_as_the_lake_has(lake: Lake, tmp_path: Path, now: datetime) -> None:
    one = "ada,sum1,1,2023-11-06,,t1,k"
    landed(lake, file(tmp_path, [one, one]), now)
    three = landed(lake, file(tmp_path, ["ada,sum1,1,2023-11-06,5,t1,k"] * 3), now, {"response_time_ms": "ms"})
    assert (three.kept, three.duplicates) == (1, 2)


def test_exact_repetitions_in_a_file_are_counted_and_folded_where_wanted(
    lake: Lake, tmp_path: Path, now: datetime
) -> None:
    path = file(tmp_path, [*ROWS[:10], *ROWS[:6], *ROWS[:2]])
    kept = landed(lake, path, now)
    assert (kept.kept, kept.repeated) == (18, 8)
    assert "8 of 18 rows say exactly" in account.remarks(kept)[0]
    assert "AIVO_SOURCE_REPEATS=fold" in account.remarks(kept)[0]
    folded_lake = Lake(tmp_path / "folded", shards=4)
    folded = landed(folded_lake, path, now, repeats="fold")
    assert (folded.kept, folded.duplicates, folded.repeated) == (10, 8, 8)
    assert landed(folded_lake, path, now, repeats="fold").kept == 0


def test_the_account_of_lines_is_kept_and_told(lake: Lake, tmp_path: Path, now: datetime) -> None:
    noted = ROWS[1].removesuffix(",x1") + ',"two\nlines"'
    path = file(tmp_path, [ROWS[0], noted, "broken", "", HEADER, ROWS[2]])
    receipt = landed(lake, path, now)
    assert receipt.lines == {"header": 2, "rows": 3, "set_aside": 1, "joined": 1, "blank": 1}
    assert receipt.rows_in == receipt.lines["rows"] + receipt.lines["set_aside"]
    assert sum(receipt.lines.values()) == path.read_text().count("\n")
    assert account.lines(receipt) == [
        "8 lines = 2 header + 3 rows + 1 that are no row + 1 joined to the row before + 1 blank."
    ]
    assert read_receipts(lake) == [receipt]


def test_one_row_a_skill_is_told(lake: Lake, tmp_path: Path, now: datetime) -> None:
    rows = [row.replace(f",t{n % 3},", f",{topic},") for n, row in enumerate(ROWS[:9]) for topic in ("add", "carry")]
    receipt = landed(lake, file(tmp_path, [*rows, rows[0]]), now, {"skill_ids": "topic"})
    assert (receipt.kept, receipt.repeated, receipt.alike_in_file) == (19, 1, 9)
    assert "With a row a skill" in account.remarks(receipt)[1]
