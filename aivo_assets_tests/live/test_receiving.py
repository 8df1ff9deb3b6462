"""Answers are judged as a file's rows are; what is accepted is kept, and is what the source gives."""

from datetime import timedelta
from pathlib import Path

import polars as pl

from aivo_assets.events.inbox import KEPT_DAYS, OVERLAP
from aivo_assets.events.landing.events import read_cursor
from aivo_assets.events.schema import RAW_INTERACTIONS
from aivo_assets.events.sources.inbox import inbox_source
from aivo_assets.live.receiving import CONFLICT, TWICE, Fate, receive
from aivo_assets.privacy.erasure.databases import mask_postgres, search_postgres
from aivo_assets.privacy.erasure.search import Search
from aivo_assets.privacy.erasure.wanted import collect
from aivo_assets_tests.live.school import NOW, LiveSchool, answer, copied

JUST_NOW = NOW - timedelta(minutes=2)


def sent(school: LiveSchool, *rows: dict[str, object]) -> list[Fate]:
    return receive(list(rows), school.inbox, school.key, now=NOW, subject="general")


def test_each_answer_has_a_fate_and_a_refused_one_a_reason(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    good = answer("pupil-1", 3, JUST_NOW, 1, "e1")
    fates = sent(
        here,
        good,
        {**good, "event_id": "e2", "occurred_at": NOW + timedelta(hours=1)},
        {**good, "event_id": "e3", "hint_count": -1},
        {**good, "event_id": "e4", "item_id": " "},
        {**good, "event_id": "e5", "item_id": "nul\x00"},
        {**good, "correct": 0},
    )
    assert [fate.status for fate in fates] == ["accepted", "refused", "refused", "refused", "refused", "refused"]
    reasons = ["future", "hint_count is negative", "item_id is missing", "NUL", TWICE]
    assert all(reason in str(fate.reason) for reason, fate in zip(reasons, fates[1:], strict=True))
    assert here.inbox.of_learner(here.pseudonym("pupil-1"))["event_id"].to_list() == ["e1"]


def test_an_id_that_is_kept_with_other_content_is_refused_and_the_first_stays(
    school: LiveSchool, tmp_path: Path
) -> None:
    here = copied(school, tmp_path / "home")
    first = answer("pupil-2", 4, JUST_NOW, 1, "mine")
    assert sent(here, first) == [Fate("mine", "accepted")]
    assert sent(here, {**first, "correct": 0}) == [Fate("mine", "refused", CONFLICT)]
    assert here.inbox.of_learner(here.pseudonym("pupil-2"))["correct"].to_list() == [1]


def test_names_are_tidied_as_those_of_a_file(school: LiveSchool, tmp_path: Path) -> None:
    """Composed and decomposed letters, and white space around, are one learner here as there."""
    here = copied(school, tmp_path / "home")
    sent(here, answer(" Zoe\u0301 ", 1, JUST_NOW, 1, "composed"), answer("Zoé", 2, JUST_NOW, 0, "decomposed"))
    assert here.inbox.of_learner(here.pseudonym("Zoé")).height == 2


def test_what_was_accepted_is_what_the_raw_zone_gets(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    rows = [answer(f"pupil-{n}", n, JUST_NOW + timedelta(microseconds=n), n % 2, f"x{n}") for n in range(12)]
    rows[5]["skill_ids"] = ["a; b", "c~~d"]
    rows[6]["subject"] = None
    sent(here, *rows)
    kept = pl.concat([here.inbox.of_learner(here.pseudonym(f"pupil-{n}")) for n in range(12)])
    assert here.land_inbox() == 12
    raw = here.lake.scan(RAW_INTERACTIONS).filter(pl.col("event_id").str.starts_with("x")).collect()
    assert raw.sort("event_id").equals(kept.select(raw.columns).sort("event_id"))
    assert here.land_inbox() == 0


def test_an_answer_that_is_kept_late_is_not_passed_over(school: LiveSchool, tmp_path: Path) -> None:
    """A transaction that ends late has a smaller number than answers that were landed already."""
    here = copied(school, tmp_path / "home")
    with here.inbox.engine.connect() as slow:
        transaction = slow.begin()
        slow.exec_driver_sql("SELECT nextval(pg_get_serial_sequence('aivo_inbox', 'sequence'))")
        number = slow.exec_driver_sql("SELECT currval(pg_get_serial_sequence('aivo_inbox', 'sequence'))").scalar()
        sent(here, answer("pupil-1", 1, JUST_NOW, 1, "quick"))
        assert here.land_inbox() == 1
        slow.exec_driver_sql(
            "INSERT INTO aivo_inbox (sequence, event_id, learner_id, item_id, skill_ids, subject, occurred_at, correct,"
            " learner) OVERRIDING SYSTEM VALUE VALUES (%(n)s, 'slow', 'pupil-1', 'i', '{s}', 'x', %(at)s, 1, 'p')",
            {"n": number, "at": JUST_NOW},
        )
        transaction.commit()
    assert here.land_inbox() == 1


def test_landed_answers_are_deleted_after_some_days_and_no_others(school: LiveSchool, tmp_path: Path) -> None:
    here = copied(school, tmp_path / "home")
    sent(here, *(answer("pupil-1", 1, JUST_NOW, 1, f"d{n}") for n in range(3)))
    here.land_inbox()
    cursor = read_cursor(here.lake, inbox_source(here.settings, NOW).fingerprint())
    assert cursor is not None
    later = str(int(cursor) + OVERLAP)
    with here.inbox.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE aivo_inbox SET received_at = now() - interval '1 day' WHERE event_id = 'd2'")
        connection.exec_driver_sql(
            "UPDATE aivo_inbox SET received_at = now() - interval '9 days' WHERE event_id < 'd2'"
        )
        present = connection.exec_driver_sql("SELECT now()").scalar()
    assert here.inbox.forget_landed(cursor, present) == 0  # within what is read again
    assert here.inbox.forget_landed(later, present) == 2
    assert here.inbox.forget_landed(later, present + timedelta(days=KEPT_DAYS)) == 1


def test_another_table_is_read_from_its_beginning(school: LiveSchool, tmp_path: Path) -> None:
    """A database that was lost begins at number 1 again, which the old cursor would pass over."""
    here = copied(school, tmp_path / "home")
    before = inbox_source(here.settings, NOW).fingerprint()
    with here.inbox.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE aivo_inbox")
    here.inbox.make()
    assert inbox_source(here.settings, NOW).fingerprint() != before


def test_answers_of_a_forgotten_learner_leave_the_inbox_whole(school: LiveSchool, tmp_path: Path) -> None:
    """Covered like other tables, they would be landed as the answers of somebody who is not there."""
    here = copied(school, tmp_path / "home")
    sent(here, *(answer("pupil-9", n, JUST_NOW, 1) for n in range(5)), answer("pupil-8", 1, JUST_NOW, 1))
    search = Search(collect(here.lake, ["pupil-9"], here.key))
    assert mask_postgres(here.url, search, own=False) == 5
    assert here.inbox.of_learner(here.pseudonym("pupil-9")).is_empty()
    assert here.inbox.of_learner(here.pseudonym("pupil-8")).height == 1
    assert search_postgres(here.url, search) == []
