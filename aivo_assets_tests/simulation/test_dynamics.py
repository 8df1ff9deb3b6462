"""One answer at a time: the laws of success, learning, forgetting, fatigue and effort, by hand."""

from dataclasses import dataclass, replace
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.simulation import PARAMETERS, Answers, Parameters, build_world
from aivo_assets.simulation.disturbances import conditions_of
from aivo_assets.simulation.dynamics import MS_A_DAY, UNIFORMS, abilities, answer
from aivo_assets.simulation.simulation import room_for
from aivo_assets.simulation.state import (
    Rules,
    Sitting,
    State,
    content_of,
    first_state,
    laws_of,
    traits_of,
)
from aivo_assets_tests.simulation.conftest import MONDAY

WORLD = build_world(seed=9, learners=1, start=MONDAY, items_per_skill=4)
_FIRST = WORLD.curriculum.item_skills[:, 0]
_ONE_SKILL = WORLD.curriculum.item_skills[:, 1] < 0
_NEEDS_TWO = np.all(WORLD.curriculum.prerequisites[_FIRST] >= 0, axis=1)
ITEM = int(np.flatnonzero(_ONE_SKILL & _NEEDS_TWO & (WORLD.curriculum.hints > 0))[0])
SKILL = int(_FIRST[ITEM])
# Uniform numbers of an ordinary answer: normals of 0 (cos(π/2)), effort kept, no retry; the ninth decides success.
PLAIN = [0.5, 0.25, 0.99, 0.99, 0.99, 0.5, 0.25, 0.99, 0.5, 0.5, 0.99, 0.5, 0.5, 0.25, 0.99]
assert len(PLAIN) == UNIFORMS


# Without the ceiling, so that each law can be seen alone; it has a test of its own.
UNBOUNDED = replace(PARAMETERS, ceiling=1e6)


@dataclass
class Bench:
    """One learner before one item, everything settable."""

    parameters: Parameters = UNBOUNDED

    def __post_init__(self) -> None:
        self.state: State = first_state(WORLD.roster)
        self.sitting = Sitting(
            clock=np.zeros(1, np.int64),
            begun=np.zeros(1, np.int64),
            drifting=np.zeros(1, np.bool_),
            failures=np.zeros(1, np.int32),
            attempt=np.ones(1, np.int32),
            again=np.full(1, -1, np.int32),
        )
        self.rules = Rules(
            traits_of(WORLD.roster, 0)._replace(
                slip=np.array([0.04]),
                fatigue=np.array([0.4]),
                stamina=np.array([20.0]),
                speed=np.zeros(1),
                disengage=np.zeros(1),
                half_life=np.array([4.0]),
                learning=np.ones((1, 3), np.float32),
                help_seeking=np.array([0.5]),
            ),
            content_of(WORLD.curriculum)._replace(
                guess=np.full(WORLD.curriculum.guess.size, 0.25), skill_rate=np.ones(WORLD.curriculum.skill_rate.size)
            ),
            conditions_of((), MONDAY, WORLD.curriculum.subjects),
            laws_of(self.parameters),
        )

    def margin(self, logits: float) -> "Bench":
        """Let the ability lie so far above the item's difficulty."""
        self.state.lasting[0, SKILL] = WORLD.curriculum.difficulty[ITEM] + logits
        return self

    def meet(self, **chosen: float) -> Answers:
        """Meet the item; `u9=0.0` sets the ninth uniform number."""
        numbers = np.array([PLAIN])
        for name, value in chosen.items():
            numbers[0, int(name[1:])] = value
        out = room_for(1)
        items = np.array([ITEM], np.int32)
        answer(np.zeros(1, np.int64), items, numbers, self.state, self.sitting, self.rules, out)
        return out

    def ability(self, days: float = 0.0) -> float:
        out = np.empty_like(self.state.lasting)
        abilities(self.state, self.rules, float(self.sitting.clock[0]) + days * MS_A_DAY, out)
        return float(out[0, SKILL])

    def gain(self, **chosen: float) -> float:
        before = self.ability()
        self.meet(**chosen)
        return self.ability() - before


def test_success_at_equal_ability_and_difficulty_is_half_known_half_guessed() -> None:
    # knows = 0.5; 0.5 · (1 − 0.04) + 0.5 · 0.25
    assert Bench().margin(0.0).meet().probability[0] == pytest.approx(0.605, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(a=st.floats(-6, 6), b=st.floats(-6, 6))
def test_success_grows_with_ability_between_guessing_and_slipping(a: float, b: float) -> None:
    low, high = (float(Bench().margin(m).meet().probability[0]) for m in sorted((a, b)))
    assert 0.25 < low <= high < 0.96


def test_an_answer_is_right_exactly_where_its_number_lies_below_the_chance() -> None:
    assert Bench().margin(0.0).meet(u9=0.604).correct[0] == 1
    assert Bench().margin(0.0).meet(u9=0.606).correct[0] == 0


def test_a_hint_makes_the_answer_count_as_not_known() -> None:
    helped = Bench().margin(-3.0).meet(u7=0.0, u9=0.0)
    assert helped.hint_count[0] >= 1
    assert helped.correct[0] == 0


def test_the_response_time_is_the_items_and_shorter_far_from_the_right_difficulty() -> None:
    expected = 1000 * exp(WORLD.curriculum.intensity[ITEM])
    assert Bench().margin(0.0).meet().response_time_ms[0] == pytest.approx(expected, abs=1)
    assert Bench().margin(2.0).meet().response_time_ms[0] == pytest.approx(expected * exp(-0.16), abs=1)


def test_a_rapid_guess_takes_two_seconds_succeeds_by_chance_and_teaches_nothing() -> None:
    bench = Bench().margin(5.0)
    bench.sitting.drifting[0] = True
    before = bench.ability()
    guess = bench.meet(u3=0.0)
    assert guess.rapid[0]
    assert guess.probability[0] == pytest.approx(0.25)
    assert guess.response_time_ms[0] == pytest.approx(2000, abs=1)
    assert bench.ability() == before


def test_effort_returns() -> None:
    bench = Bench()
    bench.sitting.drifting[0] = True
    bench.meet(u2=PARAMETERS.reengage - 0.01)
    assert not bench.sitting.drifting[0]


def test_fatigue_costs_what_it_says_beyond_the_stamina() -> None:
    bench = Bench().margin(1.0)
    pause_ms = 6000
    bench.sitting.begun[0] = -(50 * 60_000) + pause_ms  # fifty minutes, thirty of them beyond the stamina
    discrimination = WORLD.curriculum.discrimination[ITEM]
    knows = 1 / (1 + exp(-discrimination * (1.0 - 0.4)))
    assert bench.meet().probability[0] == pytest.approx(knows * 0.96 + (1 - knows) * 0.25, abs=1e-4)


def test_the_first_gain_at_the_best_difficulty_is_the_learning_rate() -> None:
    bench = Bench(replace(UNBOUNDED, prerequisite_floor=1.0))
    known = (0.80 - 0.25) / (0.96 - 0.25)
    bench.margin(log(known / (1 - known)) / WORLD.curriculum.discrimination[ITEM])
    assert bench.gain(u9=0.0) == pytest.approx(0.16, abs=1e-5)


def test_practice_teaches_most_near_the_right_difficulty_and_less_by_failing() -> None:
    too_hard, right, too_easy = (Bench().margin(m).gain(u9=0.0) for m in (-5.0, 1.2, 5.0))
    assert right > 1.5 * too_hard > 0
    assert right > 1.5 * too_easy > 0
    assert Bench().margin(1.2).gain(u9=0.999) == pytest.approx(0.7 * right, rel=1e-3)


def test_the_gain_falls_by_the_power_law_of_practice() -> None:
    fresh, practised = Bench().margin(1.0), Bench().margin(1.0)
    practised.state.opportunities[0, SKILL] = 30
    assert practised.gain(u9=0.0) == pytest.approx(fresh.gain(u9=0.0) * 4.0**-0.4, rel=1e-3)


def test_missing_prerequisites_slow_learning_down_to_the_floor() -> None:
    gains = []
    for mastery in (50.0, -50.0):
        bench = Bench().margin(1.0)
        for before in WORLD.curriculum.prerequisites[SKILL]:
            if before >= 0:
                bench.state.lasting[0, before] = mastery
        gains.append(bench.gain(u9=0.0))
    assert gains[1] == pytest.approx(0.3 * gains[0], rel=1e-3)


def test_what_is_mastered_grows_half_as_fast_at_the_ceiling_and_hardly_beyond() -> None:
    standing = WORLD.curriculum.difficulty[ITEM] - WORLD.curriculum.skill_difficulty[SKILL] + 1.0
    free = Bench().margin(1.0).gain(u9=0.0)
    at, beyond = (Bench(replace(PARAMETERS, ceiling=standing - by)).margin(1.0).gain(u9=0.0) for by in (0.0, 3.0))
    assert at == pytest.approx(free / 2, rel=1e-3)
    assert 0 < beyond < 0.01 * free


def test_half_of_what_can_be_forgotten_is_gone_after_a_half_life_and_the_rest_stays() -> None:
    bench = Bench().margin(1.0)
    before = bench.ability()
    gained = bench.gain(u9=0.0)
    half_life = 4.0 * 2.0**0.4  # one opportunity
    assert bench.ability(half_life) - before == pytest.approx(gained * (0.35 + 0.65 / 2), rel=1e-3)
    assert bench.ability(10_000.0) - before == pytest.approx(gained * 0.35, rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(days=st.lists(st.floats(0, 60), min_size=1, max_size=5).map(sorted))
def test_without_practice_ability_never_rises(days: list[float]) -> None:
    bench = Bench().margin(0.5)
    bench.meet(u9=0.0)
    abilities_then = [bench.ability(day) for day in [0.0, *days]]
    assert abilities_then == sorted(abilities_then, reverse=True)


def test_a_wrong_answer_may_be_tried_again_at_most_twice() -> None:
    bench = Bench().margin(-2.0)
    attempts = [int(bench.meet(u9=0.999, u14=0.0).attempt_number[0]) for _ in range(4)]
    assert attempts == [1, 2, 3, 1]


def test_a_client_that_records_the_wrong_way_round_changes_the_label_and_not_the_learning() -> None:
    honest, broken = Bench().margin(1.0), Bench().margin(1.0)
    broken.rules.conditions.wrong_labels[:] = 1.0
    assert honest.meet(u9=0.0).correct[0] == 1
    assert broken.meet(u9=0.0).correct[0] == 0
    assert honest.ability() == broken.ability()
