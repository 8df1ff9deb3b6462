"""What runs beside a run dies, or two come at once: PostgreSQL, the daemon, two emergencies."""

import time
from collections.abc import Callable

import dagster as dg
import pytest

from aivo_assets.resources.instance import open_instance
from aivo_assets_tests.chaos.conftest import School
from aivo_assets_tests.chaos.school import Home, environment_of, nothing_lost_or_doubled
from aivo_assets_tests.chaos.servers import stop_hard

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]

TRAIN = ("train", "main-brain", "--force", "--reason", "a test of faults")


def until(holds: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_postgres_stopped_hard_in_mid_run_ends_the_run_and_the_next_one_completes_it(
    home: Home, school: School
) -> None:
    day = str(school.next)
    command = ("run", "--job", "late_events", "--from", day, "--to", day)
    running = home.start(*command)
    landed = home.path / "lake" / "raw" / "interactions" / f"day={day}" / "_manifest.json"
    until(landed.exists)
    stop_hard(home.path)
    said, _ = running.communicate(timeout=300)
    assert running.returncode != 0, said
    assert home.serving() == 1

    healed = home.aivo(*command)
    assert healed.returncode == 0, healed.stdout
    nothing_lost_or_doubled(home, school.source, school.first, school.next)
    with environment_of(home.environment), open_instance(home.settings) as instance:
        assert {run.status for run in instance.get_runs()} == {
            dg.DagsterRunStatus.SUCCESS,
            dg.DagsterRunStatus.FAILURE,
        }


def test_two_emergencies_at_once_make_one_new_version(home: Home) -> None:
    both = [home.start(*TRAIN), home.start(*TRAIN)]
    said = [process.communicate(timeout=570)[0] for process in both]
    assert 0 in {process.returncode for process in both}, said
    for process, output in zip(both, said, strict=True):
        assert process.returncode == 0 or "is training already" in output, output
    assert [version.number for version in home.registry.versions()] == [2, 1]
    assert len(home.registry.moves()) <= 2
    assert home.serving() in (1, 2)
