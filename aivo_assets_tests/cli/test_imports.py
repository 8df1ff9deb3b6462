"""Commands import what they need: what a command loads is counted, because seconds on a busy machine say little."""

from pathlib import Path

import pytest

from aivo_assets_tests.cli.loading import COLUMNS, LEARNING, PLATFORM, loaded


@pytest.mark.parametrize(
    ("arguments", "code"), [("--help", 0), ("--no-such-option", 2), ("run --no-such-option", 2), ("train -h", 0)]
)
def test_help_and_a_wrong_option_load_the_command_line_alone(tmp_path: Path, arguments: str, code: int) -> None:
    modules = loaded(tmp_path, *arguments.split(), code=code)
    assert not modules & (COLUMNS | LEARNING | PLATFORM | {"pydantic"})
    assert len(modules) < 450
    ours = {name for name in modules if name.startswith("aivo_assets.")}
    light = ("aivo_assets.cli", "aivo_assets.errors", "aivo_assets.exports", "aivo_assets.private_files")
    assert all(name.startswith(light) for name in ours)


def test_settings_are_shown_without_columns_learning_or_the_platform(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "settings")
    assert not modules & (COLUMNS | LEARNING | PLATFORM)
    assert len(modules) < 550


@pytest.mark.parametrize("arguments", ["override list", "alerts list", "key new"])
def test_commands_of_teachers_and_alerts_load_no_learning_and_no_dagster(tmp_path: Path, arguments: str) -> None:
    assert not loaded(tmp_path, *arguments.split()) & (LEARNING | {"dagster", "fastapi"})
