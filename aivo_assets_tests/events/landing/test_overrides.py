"""Landing teachers' overrides: what is kept, what is set aside and why, and that saying it twice changes nothing."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from aivo_assets.errors import SourceError
from aivo_assets.events.landing.overrides import (
    COLUMNS,
    land_overrides,
    raw_overrides,
    read_override_file,
    remove_overrides,
    said_so_far,
)
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.events.receipts import Receipt
from aivo_assets.events.schema import RAW_LEARNERS
from aivo_assets.lake import Lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.overrides import OVERRIDES, anonymise_overrides
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets_tests.answers import land_answers

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
PIN = {"learner_id": "ann", "skill_id": "fractions", "action": "pin", "level": "4", "until": "2026-03-20"}
NO = {"learner_id": "ann", "skill_id": "fractions", "action": "reject", "kind": "level_up", "reason": "not_now"}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the answers of ann, bob, 7 and 8; `ratio` is a skill of two subjects, and ann met it in physics."""
    lake = Lake(tmp_path / "lake", shards=2)
    land_answers(
        lake,
        NOW,
        ("ann", "mathematics", ["fractions", "division"]),
        ("ann", "physics", ["ratio"]),
        ("bob", "mathematics", ["ratio", "fractions"]),
        ("7", "mathematics", ["a"]),
        ("8", "mathematics", ["b"]),
    )
    return lake


def rows(*given: dict[str, Any]) -> pl.DataFrame:
    frame = pl.DataFrame([{**dict.fromkeys(COLUMNS), **row} for row in given], schema=dict.fromkeys(COLUMNS, pl.String))
    return frame.with_columns(_location=pl.lit("here.csv"), _row=pl.int_range(2, pl.len() + 2, dtype=pl.Int64))


def land(lake: Lake, *given: dict[str, Any], now: datetime = NOW, run: str = "run") -> Receipt:
    return land_overrides(lake, rows(*given), now=now, run=run, source="a test")


def test_what_is_good_is_kept_with_its_types(lake: Lake) -> None:
    receipt = land(lake, {**PIN, "teacher_id": "t1", "note": "Ann told me"}, {**NO, "action": "Reject "})
    assert (receipt.kept, receipt.set_aside) == (2, 0)
    pin, no = raw_overrides(lake).sort("action").iter_rows(named=True)
    assert (pin["level"], pin["until"], pin["subject"], pin["note"]) == (
        4,
        date(2026, 3, 20),
        "mathematics",
        "Ann told me",
    )
    assert (no["action"], no["kind"], no["reason"], no["given_at"]) == ("reject", "level_up", "not_now", NOW)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ({**PIN, "learner_id": " "}, "learner_id", "learner_id is missing"),
        ({**PIN, "skill_id": None}, "skill_id", "skill_id is missing"),
        ({**PIN, "action": "forbid"}, "action", "action is none of accept, reject, pin"),
        ({**PIN, "action": None}, "action", "action is none of accept, reject, pin"),
        ({**PIN, "level": "11"}, "level", "a pin needs a level from 1 to 10"),
        ({**PIN, "level": "high"}, "level", "a pin needs a level from 1 to 10"),
        ({**PIN, "until": "soon"}, "until", "a pin needs a last day"),
        ({**PIN, "until": "2026-03-09"}, "until", "the pin ended before it was given"),
        ({**NO, "kind": "maintain"}, "kind", "maintain cannot be rejected"),
        ({**NO, "kind": None}, "kind", "accept and reject need a kind"),
        ({**NO, "reason": None}, "reason", "a rejection needs a reason"),
        ({**NO, "reason": "Ann's mother rang"}, "reason", "a rejection needs a reason"),
        ({**NO, "given_at": "2026-03-11T00:00:00Z"}, "given_at", "given_at is in the future"),
        ({**NO, "given_at": "yesterday"}, "given_at", "given_at is not a time"),
        ({**PIN, "learner_id": "anne"}, "learner_id", "no answer and no learner table names this learner"),
        ({**PIN, "skill_id": "Fractions"}, "skill_id", "no answer practises this skill"),
        ({**PIN, "subject": "physics"}, "subject", "the skill is not one of this subject"),
        ({**PIN, "learner_id": "7", "skill_id": "ratio"}, "subject", "the skill is one of several subjects"),
    ],
)
def test_what_cannot_be_obeyed_is_set_aside_with_its_reason(
    lake: Lake, row: dict[str, Any], column: str, reason: str
) -> None:
    receipt = land(lake, row, PIN)
    assert (receipt.kept, receipt.set_aside) == (1, 1)
    found = scan_quarantine(lake).collect().row(0, named=True)
    assert (found["location"], found["row"], found["column"]) == ("here.csv", 2, column)
    assert reason in found["reason"]
    assert raw_overrides(lake)["learner_id"].to_list() == ["ann"]


@pytest.mark.parametrize(
    ("learner", "skill", "subject"),
    [
        ("bob", "fractions", "mathematics"),  # the skill is of one subject only
        ("ann", "ratio", "physics"),  # of two, and ann practised it in one
        ("8", "division", "mathematics"),  # nobody practised it but ann
    ],
)
def test_a_subject_that_is_left_out_follows_from_the_skill(lake: Lake, learner: str, skill: str, subject: str) -> None:
    assert land(lake, {**PIN, "learner_id": learner, "skill_id": skill}).kept == 1
    assert raw_overrides(lake)["subject"].to_list() == [subject]


def test_who_is_enrolled_and_has_not_answered_is_known(lake: Lake) -> None:
    enrolled = pl.DataFrame([{**dict.fromkeys(RAW_LEARNERS.schema), "learner_id": "eva"}], schema=RAW_LEARNERS.schema)
    lake.write(RAW_LEARNERS, enrolled)
    assert land(lake, {**PIN, "learner_id": "eva"}).kept == 1


def test_what_is_taken_back_stays_with_its_time_and_is_not_landed_again(lake: Lake) -> None:
    land(lake, PIN, NO, run="one")
    pin = raw_overrides(lake).filter(pl.col("action") == "pin")["override_id"][0]
    before = said_so_far(lake)
    later = datetime(2026, 3, 12, 9, tzinfo=UTC)
    assert remove_overrides(lake, [pin, "unknown"], now=later, run="back") == 1
    assert remove_overrides(lake, [pin], now=later, run="back again") == 0
    assert dict(raw_overrides(lake).select("action", "removed_at").iter_rows()) == {"pin": later, "reject": None}
    assert said_so_far(lake) != before
    assert land(lake, PIN, NO, run="the file again").kept == 0


def test_the_same_file_twice_changes_nothing(lake: Lake) -> None:
    land(lake, PIN, NO, run="one")
    again = land(lake, PIN, NO, PIN, run="two")
    assert (again.kept, again.duplicates) == (0, 3)
    assert raw_overrides(lake).height == 2


def test_the_same_word_on_another_day_is_another_word(lake: Lake) -> None:
    land(lake, NO, run="one")
    assert land(lake, NO, now=datetime(2026, 3, 11, 9, tzinfo=UTC), run="two").kept == 1


def test_two_landings_at_once_do_not_take_from_each_other(lake: Lake) -> None:
    land(lake, PIN, run="one")
    land(lake, {**PIN, "learner_id": "bob"}, run="two")
    assert sorted(raw_overrides(lake)["learner_id"]) == ["ann", "bob"]


@pytest.mark.parametrize("name", ["words.csv", "words.parquet"])
def test_a_file_is_read_with_its_lines(tmp_path: Path, lake: Lake, name: str) -> None:
    table = pl.DataFrame({"learner_id": [7, 8], "skill_id": ["a", "b"], "action": ["pin", "pin"], "level": [4, 0]})
    table = table.with_columns(until=pl.lit(date(2026, 4, 1)))
    if name.endswith("csv"):
        table.write_csv(tmp_path / name)
    else:
        table.write_parquet(tmp_path / name)
    given = read_override_file(tmp_path / name)
    receipt = land_overrides(lake, given, now=NOW, run="r", source=name)
    assert (receipt.kept, receipt.set_aside) == (1, 1)
    assert raw_overrides(lake)["learner_id"].to_list() == ["7"]
    assert scan_quarantine(lake).collect()["row"].to_list() == [3 if name.endswith("csv") else 2]


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file of overrides"):
        read_override_file(tmp_path / "words.csv")
    (tmp_path / "words.csv").write_text("pupil,skill_id\na,b\n")
    with pytest.raises(SourceError, match="no column learner_id, action"):
        read_override_file(tmp_path / "words.csv")


def test_past_the_raw_zone_there_are_pseudonyms_and_codes_and_no_free_text(lake: Lake) -> None:
    secret = "Ann Miller's mother rang on 01-555-0199"
    land(lake, {**PIN, "teacher_id": "t.miller", "note": secret}, {**NO, "note": secret})
    key = PseudonymKey("k" * 40)
    made = anonymise_overrides(raw_overrides(lake), key, lake.shards)
    assert dict(made.schema) == dict(OVERRIDES.schema)
    written = made.write_csv()
    for raw in ("Miller", "t.miller", "0199", "ann"):
        assert raw not in written
    assert made["learner"].unique().to_list() == pseudonyms(pl.Series("l", ["ann"]), "learner", key).to_list()
    assert made.sort("action").select("action", "level", "reason", "given_on").rows() == [
        ("pin", 4, None, NOW.date()),
        ("reject", None, "not_now", NOW.date()),
    ]
