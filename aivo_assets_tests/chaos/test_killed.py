"""SIGKILL of the process that runs: in a shard write, in training, in promotion. The same command again heals it."""

import signal
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets_tests.chaos.conftest import LENIENT, School
from aivo_assets_tests.chaos.school import Home, nothing_lost_or_doubled

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]

TRAIN = ("train", "main-brain", "--force", "--reason", "a test of faults")
# The first call makes the challenger.
MOVES_THE_ALIAS = "call:aivo_assets.tracing.judging.registry_store:RegistryStore.point#2"


def test_killed_in_a_shard_write_the_day_is_old_or_new_and_the_next_run_completes_it(
    home: Home, school: School
) -> None:
    day = str(school.next)
    command = ("run", "--job", "late_events", "--from", day, "--to", day)
    killed = home.aivo(*command, dies_at=rf"rename:anonymised/interactions/day={day}/shard=0002/")
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    assert home.lake.manifest(ANONYMISED_INTERACTIONS, day=school.next) is None
    assert home.serving() == 1
    nothing_lost_or_doubled(home, school.source, school.first, school.known)

    healed = home.aivo(*command)
    assert healed.returncode == 0, healed.stdout
    nothing_lost_or_doubled(home, school.source, school.first, school.next)
    whole = home.lake.manifest(ANONYMISED_INTERACTIONS, day=school.next)
    assert whole is not None
    left = (home.path / "lake").rglob(f"day={day}/**/.*.tmp")
    assert whole["rows"] == home.events(school.next, school.next).height
    assert len(list(left)) <= 1  # what the killed process was writing; no reader sees it


def test_killed_in_training_the_champion_serves_and_the_next_training_is_not_held_back(home: Home) -> None:
    killed = home.aivo(*TRAIN, dies_at="call:lightgbm:Booster.update#5")
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    assert home.serving() == 1
    assert [version.number for version in home.registry.versions()] == [1]

    healed = home.aivo(*TRAIN)
    assert healed.returncode == 0, healed.stdout
    assert [version.number for version in home.registry.versions()] == [2, 1]
    assert home.serving() in (1, 2)


def test_killed_between_the_note_and_the_alias_of_a_promotion_the_old_champion_serves_until_the_next_run(
    copied: Callable[..., Home], school: School
) -> None:
    last = school.next + timedelta(days=1)
    home = copied(**LENIENT)
    command = ("run", "--job", "main_brain_training", "--from", str(school.next), "--to", str(last))
    killed = home.aivo(*command, dies_at=MOVES_THE_ALIAS)
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    assert [move.after for move in home.registry.moves()] == [1, 2]
    assert home.serving() == 1

    healed = home.aivo(*command)
    assert healed.returncode == 0, healed.stdout
    assert home.serving() == 2
    assert len(home.registry.versions()) == 2
    nothing_lost_or_doubled(home, school.source, school.first, last)


@pytest.mark.parametrize(
    "moment",
    [
        "told:lightgbm:Booster.update#5",
        "told:aivo_assets.tracing.judging.registry:Registry.promote",
        "told:polars:LazyFrame.collect#40",
    ],
)
def test_told_to_end_in_any_step_a_training_ends_at_once_cancelled_and_promotes_nothing(
    copied: Callable[..., Home], moment: str
) -> None:
    home = copied(**LENIENT)
    began = time.monotonic()
    ended = home.aivo(*TRAIN, dies_at=moment)
    assert ended.returncode == 130, ended.stdout
    assert "recorded as cancelled" in ended.stdout
    assert time.monotonic() - began < 120
    assert home.serving() == 1
    assert [move.after for move in home.registry.moves()] == [1]

    healed = home.aivo(*TRAIN)
    assert healed.returncode == 0, healed.stdout
    assert home.serving() == 2
