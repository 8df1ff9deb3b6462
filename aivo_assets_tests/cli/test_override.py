"""`aivo override`: what a teacher's system types, and what it reads."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aivo_assets.cli.main import app
from aivo_assets.errors import SettingsError
from aivo_assets.events.overrides import raw_overrides
from aivo_assets.events.quarantine import scan_quarantine
from aivo_assets.lake import open_lake
from aivo_assets.settings import load_settings


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIVO_HOME", str(tmp_path / "home"))


def call(*arguments: str) -> str:
    told = CliRunner().invoke(app, ["override", *arguments], catch_exceptions=False)
    assert told.exit_code == 0
    return told.stdout


def test_what_is_added_is_kept_and_listed() -> None:
    assert "There are no overrides" in call("list")
    said = call("add", "ann", "reject", "--skill", "fractions", "--kind", "level_up", "--reason", "not_now")
    assert "Kept: reject for fractions" in said
    call("add", "bob", "pin", "--skill", "fractions", "--level", "4", "--until", "2999-12-31", "--note", "as agreed")
    listed = call("list")
    assert "ann  fractions  reject level_up (not_now)" in listed
    assert "bob  fractions  pin level 4 until 2999-12-31" in listed
    assert "as agreed" not in listed
    assert "ann" not in call("list", "--learner", "bob")
    assert raw_overrides(open_lake(load_settings()))["note"].drop_nulls().to_list() == ["as agreed"]


def test_saying_it_twice_is_saying_it_once() -> None:
    word = ("add", "ann", "accept", "--skill", "fractions", "--kind", "level_up")
    call(*word)
    assert "known already" in call(*word)


def test_what_cannot_be_kept_says_why_and_is_in_the_quarantine() -> None:
    with pytest.raises(SettingsError, match="a pin needs a level from 1 to 10"):
        call("add", "ann", "pin", "--skill", "fractions", "--level", "12", "--until", "2999-12-31")
    assert scan_quarantine(open_lake(load_settings())).collect()["column"].to_list() == ["level"]
