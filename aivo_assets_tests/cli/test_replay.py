"""`aivo replay` as a person calls it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aivo_assets.cli.main import app
from aivo_assets.cli.replay import _key, _source
from aivo_assets.errors import AivoError, LakeError, SettingsError
from aivo_assets.privacy.keys import key_path
from aivo_assets.replay.record import write
from aivo_assets.settings import Settings
from aivo_assets_tests.replay.records import DAY, costs, record


def refused(*arguments: str) -> AivoError:
    error = CliRunner().invoke(app, ["replay", *arguments]).exception
    assert isinstance(error, AivoError)
    return error


@pytest.mark.parametrize("given", [(), ("--from", "2012-09-01"), ("--to", "2012-09-01")])
def test_without_both_days_nothing_is_replayed(given: tuple[str, ...]) -> None:
    assert "--from and --to" in refused(*given).what


def test_a_setting_that_does_not_exist_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    error = refused(
        "--from", "2012-09-01", "--to", "2012-09-02", "--set", "drift.never=1", "--out", str(tmp_path / "x")
    )
    assert isinstance(error, SettingsError)
    assert not (tmp_path / "x").exists()


def test_two_replays_that_are_there_are_put_side_by_side(tmp_path: Path) -> None:
    for name in ("careful", "bold"):
        write(tmp_path / name, record(), costs())
    result = CliRunner().invoke(
        app, ["replay", "--out", str(tmp_path / "bold"), "--compare", str(tmp_path / "careful")]
    )
    assert result.exit_code == 0, result.output
    page = (tmp_path / "bold" / "comparison.html").read_text()
    assert "Two replays: bold and careful" in page


def test_comparing_with_nothing_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "bold", record(), costs())
    error = refused("--out", str(tmp_path / "bold"), "--compare", str(tmp_path / "careful"))
    assert isinstance(error, LakeError)
    assert "careful" in error.what


def test_the_replays_have_one_key_of_their_own(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, pseudonym_key=None)
    assert _key(settings) == _key(settings)
    assert not key_path(tmp_path).exists()


def test_a_simulated_school_begins_on_the_first_day_of_its_replay(tmp_path: Path) -> None:
    source = _source(Settings(home=tmp_path), (DAY, DAY))
    table = source.learners()
    assert table is not None
    assert table.height > 0
    assert not (tmp_path / "simulator.json").exists()
