"""`aivo override`: what a teacher or a teacher's system types, and what they read."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.cli.main import app
from aivo_assets.errors import SettingsError
from aivo_assets.events.landing.overrides import raw_overrides
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.lake import Lake, open_lake
from aivo_assets.privacy.keys import PseudonymKey
from aivo_assets.privacy.overrides import OVERRIDES, anonymise_overrides
from aivo_assets.privacy.pseudonyms import pseudonyms
from aivo_assets.settings import load_settings
from aivo_assets_tests.answers import land_answers

SECRET = "quarterdeck" * 4


@pytest.fixture(autouse=True)
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A school in which ann and bob do arithmetic, and bob also reads; `sums` is a skill of two subjects."""
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIVO_PSEUDONYM_KEY", SECRET)
    lake = open_lake(load_settings())
    land_answers(
        lake,
        datetime(2026, 3, 9, 9, tzinfo=UTC),
        ("ann", "arithmetic", ["arithmetic.long-division", "sums"]),
        ("bob", "arithmetic", ["arithmetic.fractions"]),
        ("bob", "reading", ["reading.inference"]),
        ("cleo", "games", ["sums"]),
    )
    return lake


def call(*arguments: str) -> str:
    told = CliRunner().invoke(app, ["override", *arguments], catch_exceptions=False)
    assert told.exit_code == 0
    return told.stdout


def pseudonym(learner: str) -> str:
    return str(pseudonyms(pl.Series([learner]), "learner", PseudonymKey(SECRET))[0])


def recommend(lake: Lake, *rows: dict[str, Any]) -> None:
    """Recommendations of today that know every word so far, as the check makes them."""
    lake.write(OVERRIDES, anonymise_overrides(raw_overrides(lake), PseudonymKey(SECRET), lake.shards))
    day = datetime.now(UTC).date()
    usual = {
        **dict.fromkeys(RECOMMENDATIONS.schema),
        "day": day,
        "shard": 0,
        "made_by": f"signals abc; overrides {lake.version(OVERRIDES)[:12]}; code def",
        "policy_kind": "maintain",
    }
    made = pl.DataFrame([{**usual, **row} for row in rows], schema=dict(RECOMMENDATIONS.schema))
    lake.write(RECOMMENDATIONS, made, day=day)


@pytest.mark.parametrize("named", ["ann", " ann ", "pseudonym", "beginning"])
def test_a_learner_may_be_named_either_way_and_the_subject_follows_from_the_skill(lake: Lake, named: str) -> None:
    given = {"pseudonym": pseudonym("ann"), "beginning": pseudonym("ann")[:8]}.get(named, named)
    said = call("add", given, "pin", "--skill", "arithmetic.long-division", "--level", "4", "--until", "2999-12-31")
    assert "Kept: pin level 4 for arithmetic.long-division (arithmetic) until 2999-12-31" in said
    (row,) = raw_overrides(lake).iter_rows(named=True)
    assert (row["learner_id"], row["subject"], row["level"]) == ("ann", "arithmetic", 4)


def test_a_pin_without_a_last_day_holds_for_the_days_that_the_settings_name(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIVO_POLICY_PIN_DAYS", "3")
    call("add", "ann", "pin", "--skill", "arithmetic.long-division", "--level", "4")
    (row,) = raw_overrides(lake).iter_rows(named=True)
    assert (row["until"] - row["given_at"].date()).days == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("anne", "pin", "--skill", "sums", "--level", "4"), "no learner 'anne'.*did you mean ann"),
        (("0" * 32, "pin", "--skill", "sums", "--level", "4"), "There is no learner"),
        (("", "pin", "--skill", "sums", "--level", "4"), "No learner is named"),
        (
            ("ann", "pin", "--skill", "long-division", "--level", "4"),
            "no skill 'long-division'.*did you mean arithmetic.long-division",
        ),
        (
            ("bob", "pin", "--skill", "reading.inference", "--subject", "arithmetic", "--level", "4"),
            "a skill of reading, not of 'arithmetic'",
        ),
        (("bob", "pin", "--skill", "sums", "--level", "4"), "a skill of arithmetic, games"),
        (("ann", "forbid", "--skill", "sums"), "action is none of accept, reject, pin"),
    ],
)
def test_what_names_nobody_and_nothing_is_refused_with_what_is_like_it(
    lake: Lake, arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        call("add", *arguments)
    assert raw_overrides(lake).is_empty()


def test_what_is_added_is_kept_and_listed_and_its_note_is_not() -> None:
    assert "There are no overrides" in call("list")
    call("add", "bob", "reject", "--skill", "arithmetic.fractions", "--kind", "level_up", "--reason", "not_now")
    call("add", "ann", "pin", "--skill", "sums", "--level", "4", "--until", "2999-12-31", "--note", "as agreed")
    listed = call("list")
    assert "bob  arithmetic.fractions (arithmetic)  reject level_up (not_now)" in listed
    assert "ann  sums (arithmetic)  pin level 4 until 2999-12-31" in listed
    assert listed.count("waiting: The next check obeys it") == 2
    assert "as agreed" not in listed
    assert "ann" not in call("list", "--learner", pseudonym("bob"))


def test_what_came_of_a_word_is_shown(lake: Lake) -> None:
    call("add", "ann", "pin", "--skill", "sums", "--level", "4")
    call("add", "bob", "pin", "--skill", "sums", "--subject", "games", "--level", "3")
    call("add", "bob", "reject", "--skill", "reading.inference", "--kind", "level_up", "--reason", "not_now")
    ann, bob = ({"learner": pseudonym(name)} for name in ("ann", "bob"))
    pinned = {"override": "pin", "kind": "level_down", "recommended_level": 4}
    recommend(
        lake,
        {**ann, "subject": "arithmetic", "skill_id": "sums", **pinned},
        {**bob, "subject": "reading", "skill_id": "reading.inference", "kind": "maintain", "recommended_level": 5},
    )
    listed = call("list")
    assert "obeyed: Level 4 is recommended" in listed
    assert "came to nothing: There is no recommendation in this skill" in listed
    assert "on record: Nothing had to be changed" in listed
    call("add", "ann", "pin", "--skill", "sums", "--level", "7")
    assert "replaced" not in call("list")
    assert "replaced: A later pin holds in its place" in call("list", "--all")


def test_who_has_no_answer_in_the_skill_is_told_so_at_once() -> None:
    said = call("add", "bob", "pin", "--skill", "arithmetic.long-division", "--level", "4")
    assert "no answer in this skill yet" in said


def test_saying_it_twice_is_saying_it_once(lake: Lake) -> None:
    word = ("add", "ann", "accept", "--skill", "sums", "--kind", "level_up")
    call(*word)
    assert "kept already" in call(*word)
    assert raw_overrides(lake).height == 1


def test_what_is_taken_back_holds_no_more_and_may_be_said_again(lake: Lake) -> None:
    word = ("add", "ann", "pin", "--skill", "sums", "--level", "4")
    call(*word)
    (first,) = raw_overrides(lake)["override_id"]
    assert "Taken back: 1 override" in call("remove", first[:8])
    assert "0 overrides. 1 more" in call("list")
    assert "taken back: Taken back on" in call("list", "--all")
    with pytest.raises(SettingsError, match=r"was taken back on .* already"):
        call("remove", first)
    assert "kept already" not in call(*word)
    assert "1 override." in call("list")
    assert "Taken back: 1 override" in call("remove", pseudonym("ann"), "--skill", "sums")
    assert raw_overrides(lake)["removed_at"].null_count() == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("abcdef12",), "No overrides begin with"),
        (("a",), "No overrides begin with"),
        (("ann", "--skill", "sums"), "No override holds for ann"),
        (("nobody", "--skill", "sums"), "no learner 'nobody'"),
    ],
)
def test_what_cannot_be_taken_back_is_refused(arguments: tuple[str, ...], says: str) -> None:
    call("add", "ann", "accept", "--skill", "arithmetic.long-division", "--kind", "level_up")
    with pytest.raises(SettingsError, match=says):
        call("remove", *arguments)


def test_what_cannot_be_kept_says_why_and_is_in_the_quarantine(lake: Lake) -> None:
    with pytest.raises(SettingsError, match="a pin needs a level from 1 to 10"):
        call("add", "ann", "pin", "--skill", "sums", "--level", "12", "--until", str(date(2999, 12, 31)))
    assert scan_quarantine(lake).collect()["column"].to_list() == ["level"]
