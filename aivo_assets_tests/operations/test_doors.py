"""Whoever starts the platform, under whatever mask: no other account may open what it keeps, and openings are told."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aivo_assets.operations.doors import close_doors
from aivo_assets.settings import LakeSettings, Settings
from aivo_assets_tests.other_account import as_another_account, let_pass

OPEN_FOLDER, OPEN_FILE = 0o755, 0o644


@pytest.fixture(autouse=True)
def _mask_of_the_shell() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def written(path: Path) -> Path:
    """A file with names, made as a process with an ordinary mask makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("Mila Castellan, mila@school.example")
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_lay_open_is_closed_and_told_once(tmp_path: Path) -> None:
    files = [
        written(tmp_path / place)
        for place in (
            "lake/raw/learners/a.parquet",
            "lake/raw/quarantine/day=2026-02-03/b.parquet",
            "alerts/outbox.db",
            "mlflow/mlflow.db",
            "dagster/storage/run/compute.err",
            "logs/http.log",
            "secrets/session.key",
            "simulator.json",
        )
    ]
    assert {mode(file) for file in files} == {OPEN_FILE}
    (told,) = close_doors(Settings(home=tmp_path))
    assert "could be opened by other accounts" in told
    assert str(tmp_path) in told
    for file in files:
        assert mode(file) == 0o600
        for folder in file.relative_to(tmp_path).parents[:-1]:
            assert mode(tmp_path / folder) == 0o700
    assert close_doors(Settings(home=tmp_path)) == []


def test_the_raw_zone_of_a_lake_elsewhere_is_closed_and_its_marts_stay_as_they_were(tmp_path: Path) -> None:
    raw = written(tmp_path / "shared/lake/raw/learners/a.parquet")
    mart = written(tmp_path / "shared/lake/marts/progress.parquet")
    close_doors(Settings(home=tmp_path / "home", lake=LakeSettings(url=str(tmp_path / "shared/lake"))))
    assert (mode(raw), mode(raw.parent)) == (0o600, 0o700)
    assert (mode(mart), mode(mart.parent)) == (OPEN_FILE, OPEN_FOLDER)


def test_what_is_made_afterwards_is_private_also_by_processes_that_are_started(tmp_path: Path) -> None:
    close_doors(Settings(home=tmp_path))
    assert mode(written(tmp_path / "new/by_me")) == 0o600
    child = tmp_path / "by_a_child"
    subprocess.run([sys.executable, "-c", f"open({str(child)!r}, 'w')"], check=True)
    assert mode(child) == 0o600
    assert mode(tmp_path / "new") == 0o700


def test_a_folder_put_elsewhere_is_closed_there_and_what_a_file_links_to_is_not(tmp_path: Path) -> None:
    foreign = written(tmp_path / "elsewhere/file")
    alert = written(tmp_path / "disk/alerts/outbox.db")
    (tmp_path / "home" / "logs").mkdir(parents=True)
    (tmp_path / "home" / "logs" / "link").symlink_to(foreign)
    (tmp_path / "home" / "alerts").symlink_to(alert.parent)
    close_doors(Settings(home=tmp_path / "home"))
    assert (mode(foreign), mode(foreign.parent)) == (OPEN_FILE, OPEN_FOLDER)
    assert (mode(alert), mode(alert.parent)) == (0o600, 0o700)


def test_an_open_key_is_left_for_the_refusal_that_names_it(tmp_path: Path) -> None:
    key = written(tmp_path / "secrets/pseudonym.key")
    close_doors(Settings(home=tmp_path))
    assert mode(key) == OPEN_FILE
    assert mode(key.parent) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_what_belongs_to_another_account_is_told_as_still_open(tmp_path: Path) -> None:
    written(tmp_path / "logs/http.log")
    let_pass(tmp_path)
    (told,) = as_another_account(lambda: close_doors(Settings(home=tmp_path)))
    assert "may not change" in told
    assert str(tmp_path / "logs" / "http.log") in told


@pytest.mark.parametrize(
    "module",
    [
        "aivo_assets.cli",
        pytest.param("aivo_assets.definitions", marks=pytest.mark.slow),
        pytest.param("aivo_assets.api.__main__", marks=pytest.mark.slow),
    ],
)
def test_every_way_to_start_the_platform_closes_doors(module: str, tmp_path: Path) -> None:
    """The raw zone of a home that another tool opened is closed by the mere start."""
    raw = written(tmp_path / "lake/raw/learners/names.parquet")
    start = {
        "aivo_assets.cli": "import sys; sys.argv = ['aivo', 'settings']; from aivo_assets.cli import main; main()",
        "aivo_assets.definitions": "import aivo_assets.definitions as d; d.defs()",
        # Beyond loopback without a token it ends by itself, after it has looked at the doors.
        "aivo_assets.api.__main__": "import runpy; runpy.run_module('aivo_assets.api.__main__', run_name='__main__')",
    }[module]
    environment = {**os.environ, "AIVO_HOME": str(tmp_path), "AIVO_API_HOST": "0.0.0.0"}
    done = subprocess.run(
        [sys.executable, "-c", start],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
        timeout=120,
    )
    assert mode(raw) == 0o600, done.stderr
    assert str(tmp_path / "lake") in done.stderr
