"""The school is a function of its settings: of nothing else, and of the past only."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.simulation import Simulation, build_world, simulate
from aivo_assets_tests.simulation.conftest import MONDAY, school

DAYS = 6
LAST = MONDAY + timedelta(days=DAYS - 1)
BY_KEY = ["occurred_at", "event_id"]
WHOLE = school(60, dirt=0.1)
EVENTS = simulate(WHOLE, MONDAY, LAST)
CLEAN = simulate(school(60), MONDAY, LAST)


def test_the_same_school_lives_the_same_life_to_the_last_bit() -> None:
    assert_frame_equal(simulate(school(), MONDAY, LAST), simulate(school(), MONDAY, LAST), check_exact=True)


def test_another_seed_is_another_school() -> None:
    one, other = simulate(school(seed=1), MONDAY, LAST), simulate(school(seed=2), MONDAY, LAST)
    assert not one.select("event_id", "correct").equals(other.select("event_id", "correct"))


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(-(2**40), 2**40),
    first=st.integers(0, DAYS - 1),
    last=st.integers(0, DAYS - 1),
    dirt=st.sampled_from([0.0, 0.2]),
)
def test_a_longer_horizon_keeps_the_days_before_and_a_window_is_a_part_of_the_whole(
    seed: int, first: int, last: int, dirt: float
) -> None:
    first, last = min(first, last), max(first, last)
    place = school(30, seed, dirt)
    whole = dict(place.days(MONDAY, LAST))
    for day, frame in place.days(MONDAY + timedelta(days=first), MONDAY + timedelta(days=last)):
        assert_frame_equal(frame, whole.pop(day), check_exact=True)
    assert len(whole) == DAYS - (last - first + 1)


@settings(max_examples=8, deadline=None)
@given(begin=st.integers(0, 59), size=st.integers(1, 40))
def test_a_part_of_the_school_lives_as_it_does_in_the_whole(begin: int, size: int) -> None:
    whole = WHOLE
    part = whole.part(range(begin, min(begin + size, 60)))
    names = part.learners()["learner_id"].to_list()
    expected = EVENTS.filter(pl.col("session_id").str.slice(8, 6).is_in([n[8:] for n in names]))
    assert_frame_equal(
        simulate(part, MONDAY, LAST).sort(BY_KEY, maintain_order=True),
        expected.sort(BY_KEY, maintain_order=True),
        check_exact=True,
    )
    assert_frame_equal(part.learners(), whole.learners().filter(pl.col("learner_id").is_in(names)))


@settings(max_examples=6, deadline=None)
@given(minute=st.integers(0, DAYS * 24 * 60))
def test_what_lies_after_the_present_has_not_happened(minute: int) -> None:
    now = datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=UTC) + timedelta(minutes=minute)
    place = school(60)
    assert_frame_equal(simulate(place, MONDAY, LAST, until=now), CLEAN.filter(pl.col("occurred_at") <= now))


def test_a_larger_school_begins_with_the_learners_of_the_smaller() -> None:
    small, large = school(40), school(80)
    expected = simulate(large, MONDAY, LAST).filter(
        pl.col("learner_id").is_in(small.learners()["learner_id"].to_list())
    )
    assert_frame_equal(simulate(small, MONDAY, LAST).sort(BY_KEY), expected.sort(BY_KEY))


def test_uniform_numbers_are_uniform_and_unrelated() -> None:
    world = build_world(seed=5, learners=20_000, start=MONDAY, items_per_skill=2)
    uniforms = world.draws.uniforms("a stream", world.roster.index, 4, day=3)
    other = world.draws.uniforms("another stream", world.roster.index, 1, day=3)
    table = np.corrcoef(
        np.column_stack([uniforms, other, world.draws.uniforms("a stream", world.roster.index, 1, day=4)]).T
    )
    np.testing.assert_allclose(uniforms.mean(axis=0), 0.5, atol=0.01)
    np.testing.assert_allclose(uniforms.var(axis=0), 1 / 12, atol=0.003)
    assert np.abs(table - np.eye(6)).max() < 0.03


def test_a_simulation_may_stop_and_go_on() -> None:
    world = build_world(seed=4, learners=30, start=MONDAY)
    one, other = Simulation(world), Simulation(world)
    for _ in range(6):
        one.live_one_day()
    for _ in range(3):
        other.live_one_day()
    other.abilities(10**12)
    for _ in range(3):
        other.live_one_day()
    assert (one.abilities(10**9) == other.abilities(10**9)).all()
