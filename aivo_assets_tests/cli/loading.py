"""Runs a command in a process of its own and says which modules it loaded; for tests of several commands."""

import subprocess
import sys
from pathlib import Path

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
LEARNING = {"numba", "scipy.stats", "sklearn", "lightgbm", "pandas", "mlflow", "optuna", "matplotlib", "evidently"}
PLATFORM = {"dagster", "dagster_dbt", "dbt", "sqlalchemy", "fastapi", "httpx", "faker"}


def loaded(home: Path, *arguments: str, code: int = 0) -> set[str]:
    """Names of the modules that a process holds once a command has ended in it, with this exit code."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env={"AIVO_HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    shown, *modules = ended.stdout.split()
    assert int(shown) == code, ended.stderr
    return set(modules)
