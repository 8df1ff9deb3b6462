"""Policies that differ in difficulty alone, the oracle above them, and what teaching otherwise does."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from aivo_assets.simulation import PARAMETERS, Log, Simulation, World, build_world
from aivo_assets.simulation.policies.assigned import LEVELS, AssignedLevels, RandomItems, Shelf
from aivo_assets.simulation.policies.oracle import Oracle, true_successes
from aivo_assets.simulation.policies.policy import Policy
from aivo_assets.simulation.world.timetable import DAY_MS
from aivo_assets_tests.simulation.conftest import MONDAY

WORLD = build_world(seed=5, learners=40, start=MONDAY, items_per_skill=20)
DAYS = 10
# Two items a level in every skill, by true difficulty.
RANKS = np.argsort(np.argsort(WORLD.curriculum.difficulty.reshape(-1, 20), axis=1), axis=1).ravel()
LEVEL = (RANKS // 2 + 1).astype(np.int64)
SHELF = Shelf.of(WORLD.curriculum, LEVEL)
SKILLS = len(WORLD.curriculum.skill_ids)


def assigned(level: int) -> Callable[[Simulation], Policy]:
    everywhere = np.full((WORLD.roster.size, SKILLS), level, np.int8)
    return lambda _: AssignedLevels(WORLD.curriculum, SHELF, everywhere)


def at_random(_: Simulation) -> Policy:
    return RandomItems(WORLD.curriculum, SHELF, WORLD.roster.size)


def oracle(simulation: Simulation) -> Policy:
    return Oracle(simulation, SHELF)


def lived(policy: Callable[[Simulation], Policy], world: World = WORLD) -> tuple[Simulation, list[Log]]:
    simulation = Simulation(world, policy)
    return simulation, [simulation.live_one_day() for _ in range(DAYS)]


def firsts(logs: list[Log], values: npt.NDArray[np.int64]) -> list[int]:
    """A property of the items of all first attempts."""
    return [int(v) for log in logs for v in values[log.items[log.answers.attempt_number == 1]]]


def test_everybody_gets_items_of_the_level_that_is_assigned() -> None:
    _, logs = lived(assigned(7))
    assert set(firsts(logs, LEVEL)) == {7}
    _, anything = lived(at_random)
    assert set(firsts(anything, LEVEL)) == set(range(1, LEVELS + 1))


def test_a_level_without_items_gives_those_of_the_nearest_the_easier_of_two() -> None:
    sparse = np.where((LEVEL == 3) | (LEVEL == 5), LEVEL, 0)
    shelf = Shelf.of(WORLD.curriculum, sparse)
    given = [set(sparse[shelf.order[shelf.start[0, n] : shelf.stop[0, n]]]) for n in range(LEVELS)]
    assert given == [{3}, {3}, {3}, {3}, {5}, {5}, {5}, {5}, {5}, {5}]


def test_of_a_skill_that_the_bank_does_not_know_any_item_is_given() -> None:
    of_first = WORLD.curriculum.item_skills[:, 0] == 0
    shelf = Shelf.of(WORLD.curriculum, np.where(of_first, 0, LEVEL))
    for level in range(LEVELS):
        given = shelf.order[shelf.start[0, level] : shelf.stop[0, level]]
        assert sorted(given) == np.flatnonzero(of_first).tolist()


def test_what_is_true_of_a_level_is_the_mean_over_its_items() -> None:
    simulation = Simulation(WORLD, assigned(1))
    by_item = true_successes(simulation, 0)
    means = SHELF.means(by_item)
    chosen = (WORLD.curriculum.item_skills[:, 0] == 11) & (LEVEL == 4)
    assert means[6, 11, 3] == pytest.approx(by_item[6, chosen].mean(), abs=1e-6)
    everybody = means.mean(axis=0)
    assert (everybody[:, :5].mean(axis=1) > everybody[:, 5:].mean(axis=1)).all()  # harder levels are harder


def test_the_true_success_is_that_with_which_rested_learners_answer() -> None:
    """The first answers of the school, before anybody is tired or has learnt."""
    simulation = Simulation(WORLD, at_random)
    by_item = true_successes(simulation, 0)
    log = simulation.live_one_day()
    begin = np.flatnonzero((log.position == 0) & (log.session == 0) & ~log.answers.rapid)
    assert log.answers.success[begin] == pytest.approx(by_item[log.rows[begin], log.items[begin]], abs=1e-5)
    assert (log.answers.success <= log.answers.probability).all()


def test_the_oracle_teaches_more_than_chance_and_than_any_one_level() -> None:
    def gain(policy: Callable[[Simulation], Policy]) -> float:
        simulation, _ = lived(policy)
        return float((simulation.abilities(DAYS * DAY_MS) - WORLD.roster.ability).mean())

    best = gain(oracle)
    assert best > 1.15 * gain(at_random)
    assert all(best > gain(assigned(level)) for level in (1, 4, 7, 10))


def test_who_is_stuck_learns_once_taught_otherwise_and_nobody_else_changes() -> None:
    stuck = replace(PARAMETERS, stuck_share=0.5)
    world = build_world(seed=5, learners=40, start=MONDAY, items_per_skill=20, parameters=stuck)

    def taught(otherwise: bool) -> npt.NDArray[np.float32]:
        simulation = Simulation(world, at_random)
        simulation.taught_otherwise[:] = otherwise
        for _ in range(DAYS):
            simulation.live_one_day()
        grown = simulation.abilities(DAYS * DAY_MS) - world.roster.ability
        return grown.reshape(40, 3, -1).sum(axis=2)

    before, after = taught(False), taught(True)
    assert after[world.roster.stuck].mean() > 4 * before[world.roster.stuck].mean()
    free = ~world.roster.stuck.any(axis=1)
    assert free.any()
    assert np.array_equal(before[free], after[free])
