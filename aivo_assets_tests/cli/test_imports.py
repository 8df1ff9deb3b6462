"""Commands import what they need: what a command loads is counted, because seconds on a busy machine say little."""

import subprocess
import sys
from pathlib import Path

import pytest

LOADED = """
import contextlib, io, sys
from aivo_assets.cli import main
sys.argv = ["aivo", *sys.argv[1:]]
code = 0
with contextlib.redirect_stdout(io.StringIO()):
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
print(code, *sys.modules)
"""
COLUMNS = {"polars", "numpy", "pyarrow"}
LEARNING = {"numba", "scipy", "sklearn", "lightgbm", "pandas", "mlflow", "optuna", "matplotlib", "evidently"}
PLATFORM = {"dagster", "dagster_dbt", "dbt", "sqlalchemy", "fastapi", "httpx", "faker"}


def loaded(home: Path, *arguments: str, code: int = 0) -> list[str]:
    """Names of the modules that a process holds once a command has ended in it, with this exit code."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env={"AIVO_HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    shown, *modules = ended.stdout.split()
    assert int(shown) == code, ended.stderr
    return modules


def packages(modules: list[str]) -> set[str]:
    """Their packages: the first part of each name."""
    return {name.split(".")[0] for name in modules}


@pytest.mark.parametrize(
    ("arguments", "code"), [("--help", 0), ("--no-such-option", 2), ("run --no-such-option", 2), ("train -h", 0)]
)
def test_help_and_a_wrong_option_load_the_command_line_alone(tmp_path: Path, arguments: str, code: int) -> None:
    modules = loaded(tmp_path, *arguments.split(), code=code)
    assert not packages(modules) & (COLUMNS | LEARNING | PLATFORM | {"pydantic"})
    assert len(modules) < 450
    ours = {name for name in modules if name.startswith("aivo_assets.")}
    assert all(name.startswith(("aivo_assets.cli", "aivo_assets.errors")) for name in ours)


def test_settings_are_shown_without_columns_learning_or_the_platform(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "settings")
    assert not packages(modules) & (COLUMNS | LEARNING | PLATFORM)
    assert len(modules) < 550


@pytest.mark.parametrize("arguments", ["override list", "alerts list", "key new"])
def test_commands_of_teachers_and_alerts_load_no_learning_and_no_dagster(tmp_path: Path, arguments: str) -> None:
    assert not packages(loaded(tmp_path, *arguments.split())) & (LEARNING | {"dagster", "fastapi"})
