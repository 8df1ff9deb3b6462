"""Policies: asked once a step for everybody, told what came of it, and they matter."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from aivo_assets.simulation import Answers, ItemRequest, Simulation, World, build_world
from aivo_assets.simulation.policies.policy import POLICY_UNIFORMS
from aivo_assets.simulation.world.timetable import DAY_MS
from aivo_assets_tests.simulation.conftest import MONDAY, Lived


class Recording:
    """Gives everybody the first item of the topic and writes down what it is asked and told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.steps: list[ItemRequest] = []
        self.seen: list[tuple[npt.NDArray[np.int32], Answers]] = []

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        self.steps.append(step)
        items: npt.NDArray[np.int32] = self.world.curriculum.by_skill[self.world.curriculum.skill_start[step.topic]]
        return items

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:
        assert step is self.steps[-1]
        self.seen.append((items, answers))


class ByTruth:
    """Looks at the true ability in the topic and takes the item whose true margin is nearest to a wish."""

    def __init__(self, simulation: Simulation, margin: float) -> None:
        self.simulation, self.margin = simulation, margin

    def choose(self, step: ItemRequest) -> npt.NDArray[np.int32]:
        curriculum = self.simulation.world.curriculum
        ability = self.simulation.abilities(int(step.at.max()))[step.rows, step.topic]
        bank = curriculum.by_skill.reshape(len(curriculum.skill_ids), -1)[step.topic]
        away = np.abs(ability[:, None] - curriculum.difficulty[bank] - self.margin)
        chosen: npt.NDArray[np.int32] = bank[np.arange(step.rows.size), away.argmin(axis=1)]
        return chosen

    def observe(self, step: ItemRequest, items: npt.NDArray[np.int32], answers: Answers) -> None:
        pass


def by_truth(margin: float) -> Callable[[Simulation], ByTruth]:
    return lambda simulation: ByTruth(simulation, margin)


def test_a_policy_is_asked_once_a_step_and_told_every_answer() -> None:
    world = build_world(seed=2, learners=30, start=MONDAY)
    simulation = Simulation(world, lambda running: Recording(running.world))
    policy = simulation.policy
    assert isinstance(policy, Recording)
    logs = [simulation.live_one_day() for _ in range(4)]
    assert len(policy.steps) == len(policy.seen)
    assert sum(step.rows.size for step in policy.steps) == sum(log.rows.size for log in logs)
    for step in policy.steps:
        assert np.unique(step.rows).size == step.rows.size
        assert step.uniforms.shape == (step.rows.size, POLICY_UNIFORMS)
        assert np.array_equal(world.curriculum.skill_subject[step.topic], step.subject)
        assert np.all(step.at // DAY_MS == step.day)
    for (items, answers), step in zip(policy.seen, policy.steps, strict=True):
        first = answers.attempt_number == 1
        chosen = world.curriculum.by_skill[world.curriculum.skill_start[step.topic]]
        assert np.array_equal(items[first], chosen[first])


def test_a_second_attempt_is_at_the_same_item(lived: Lived) -> None:
    for log in lived.logs[:5]:
        order = np.lexsort((log.position, log.session, log.rows))
        attempt, items = log.answers.attempt_number[order], log.items[order]
        again = np.flatnonzero(attempt > 1)
        assert np.array_equal(items[again], items[again - 1])
        assert np.array_equal(attempt[again], attempt[again - 1] + 1)
        assert not log.answers.correct[order][again - 1].any()


def test_the_teacher_stays_in_the_subject_mostly_at_the_topic() -> None:
    simulation = Simulation(build_world(seed=2, learners=100, start=MONDAY))
    curriculum, asked = simulation.world.curriculum, []
    choose = simulation.policy.choose

    def watch(step: ItemRequest) -> npt.NDArray[np.int32]:
        items = choose(step)
        asked.append((step, items))
        return items

    simulation.policy.choose = watch  # type: ignore[method-assign]
    for _ in range(10):
        simulation.live_one_day()
    topic = np.concatenate([step.topic for step, _ in asked])
    subject = np.concatenate([step.subject for step, _ in asked])
    skill = curriculum.item_skills[np.concatenate([items for _, items in asked]), 0]
    assert np.array_equal(curriculum.skill_subject[skill], subject)
    assert 0.65 < np.mean(skill == topic) < 0.95
    assert np.all(curriculum.skill_grade[skill] <= curriculum.skill_grade[topic])


def test_the_teacher_gives_abler_learners_harder_items_and_does_not_repeat_at_once(lived: Lived) -> None:
    curriculum, roster = lived.world.curriculum, lived.world.roster
    skill = curriculum.item_skills[lived.items, 0]
    above = curriculum.authored[lived.items] - curriculum.skill_difficulty[skill]
    standing = roster.ability[lived.rows, skill] - curriculum.skill_difficulty[skill]
    homework = np.concatenate([log.session for log in lived.logs]) == 1
    assert np.corrcoef(above[homework], standing[homework])[0, 1] > 0.4
    for log in lived.logs[:5]:
        order = np.lexsort((log.position, log.session, log.rows))
        first = log.answers.attempt_number[order][1:] == 1
        same = (np.diff(log.rows[order]) == 0) & (np.diff(log.items[order]) == 0)
        assert not np.any(same & first)


@pytest.mark.parametrize("wrong", [-4.0, 5.0])
def test_who_chooses_the_right_difficulty_teaches_more(wrong: float) -> None:
    gains = []
    for margin in (1.2, wrong):
        simulation = Simulation(build_world(seed=6, learners=60, start=MONDAY), by_truth(margin))
        for _ in range(12):
            simulation.live_one_day()
        practised = simulation.state.opportunities > 0
        gained = simulation.abilities(12 * DAY_MS) - simulation.world.roster.ability
        gains.append(float(gained[practised].sum()))
    assert gains[0] > 1.3 * gains[1] > 0


def test_reading_the_truth_changes_nothing() -> None:
    world = build_world(seed=6, learners=20, start=MONDAY)
    simulation = Simulation(world)
    simulation.live_one_day()
    before = simulation.state.fresh.copy()
    first, second = simulation.abilities(3 * DAY_MS), simulation.abilities(3 * DAY_MS)
    assert np.array_equal(first, second)
    assert np.array_equal(before, simulation.state.fresh)
