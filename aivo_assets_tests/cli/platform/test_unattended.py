"""The settings of `make unattended`: the platform can be started with them, and they tell the story that they state."""

import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest

from aivo_assets.automation.schedules import ABOUT_PEOPLE, build_schedules
from aivo_assets.settings import Settings, load_settings
from aivo_assets_tests.conftest import REPOSITORY

SETTINGS = REPOSITORY / "examples" / "unattended.env"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What `aivo` reads after a shell has read the file, as `make unattended` has it."""
    shell = shutil.which("sh")
    assert shell is not None
    given = {"PATH": "/usr/bin:/bin", "AIVO_HOME": str(tmp_path)}
    said = subprocess.run(
        [shell, "-c", f"set -a; . {SETTINGS}; env -0"], env=given, check=True, capture_output=True, text=True
    )
    for line in said.stdout.split("\0"):
        name, _, value = line.partition("=")
        if name.startswith("AIVO_"):
            monkeypatch.setenv(name, value)
    return load_settings()


def test_every_schedule_is_due_each_minute_and_no_guard_but_one_at_a_time_is_left(settings: Settings) -> None:
    deciding = [each for each in build_schedules(settings) if each.name not in ABOUT_PEOPLE]
    assert {schedule.cron_schedule for schedule in deciding} == {"* * * * *"}
    assert settings.training.minimum_hours_between == 0
    assert settings.schedule.refusal_cooldown_hours == 0
    assert settings.drift.cooldown_days == 0


def test_the_wrong_answers_lie_between_the_history_and_the_start_and_the_drift_begins_with_it(
    settings: Settings,
) -> None:
    first, start = settings.simulator.start, settings.clock.start
    assert first is not None
    assert start == date(2025, 9, 18)
    spell, drift = settings.simulator.disturbances
    assert (
        first + timedelta(days=settings.simulator.days) == first + timedelta(days=spell.after_days) == date(2025, 9, 16)
    )
    assert spell.for_days == 1
    assert first + timedelta(days=drift.after_days) == start
    assert drift.for_days is None


def test_it_keeps_what_it_makes_apart_from_the_platform_of_the_checkout() -> None:
    assert "AIVO_HOME=${AIVO_HOME:-.aivo-unattended}" in SETTINGS.read_text()
    assert ".aivo-unattended/" in (REPOSITORY / ".gitignore").read_text().splitlines()
