"""Injected drift: each kind does what it says, from its first day to its last, and only there."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aivo_assets.errors import SettingsError
from aivo_assets.simulation import Disturbance, School, build_world, simulate
from aivo_assets_tests.simulation.conftest import MONDAY

FROM = MONDAY + timedelta(days=7)
LAST = MONDAY + timedelta(days=11)


def life(*disturbances: Disturbance, learners: int = 150) -> pl.DataFrame:
    return simulate(
        School(build_world(seed=8, learners=learners, start=MONDAY, disturbances=disturbances)), MONDAY, LAST
    )


def after(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("occurred_at").dt.date() >= FROM)


def share_right(frame: pl.DataFrame) -> float:
    return float(after(frame)["correct"].mean())  # type: ignore[arg-type]


ORDINARY = life()


@pytest.mark.parametrize(
    "disturbance",
    [
        Disturbance(FROM, difficulty=2.0),
        Disturbance(FROM, guessing=0.9),
        Disturbance(FROM, wrong_labels=0.5),
        Disturbance(FROM, response_time=3.0),
        Disturbance(FROM, learning=0.0),
    ],
    ids=["difficulty", "guessing", "wrong labels", "response time", "learning"],
)
def test_the_days_before_are_as_they_were(disturbance: Disturbance) -> None:
    before = pl.col("occurred_at").dt.date() < FROM
    changed = life(disturbance)
    assert_frame_equal(changed.filter(before), ORDINARY.filter(before), check_exact=True)
    assert not after(changed).equals(after(ORDINARY))


def test_harder_items_and_a_guessing_wave_lower_success() -> None:
    assert share_right(life(Disturbance(FROM, difficulty=2.0))) < share_right(ORDINARY) - 0.15
    guessed = after(life(Disturbance(FROM, guessing=0.9)))
    assert guessed["correct"].mean() < 0.35  # type: ignore[operator]
    assert guessed["response_time_ms"].median() < 3000  # type: ignore[operator]


def test_wrong_labels_turn_answers_round_and_leave_the_learners_alone() -> None:
    turned = life(Disturbance(FROM, wrong_labels=1.0))
    untouched = ["event_id", "learner_id", "occurred_at", "response_time_ms", "hint_count", "attempt_number"]
    # The teacher believes the labels and chooses other items: compare the first answer of the first day.
    first = after(ORDINARY).head(1), after(turned).head(1)
    assert_frame_equal(first[0].select(untouched), first[1].select(untouched))
    assert first[0]["correct"][0] == 1 - first[1]["correct"][0]


def test_response_times_are_stretched_and_nothing_else() -> None:
    slow = life(Disturbance(FROM, response_time=3.0))
    assert_frame_equal(slow.drop("response_time_ms"), ORDINARY.drop("response_time_ms"))
    ratio = after(slow)["response_time_ms"].to_numpy() / after(ORDINARY)["response_time_ms"].to_numpy()
    np.testing.assert_allclose(ratio, 3.0, rtol=0.01)


def test_without_learning_abilities_do_not_rise() -> None:
    place = School(build_world(seed=8, learners=40, start=MONDAY, disturbances=(Disturbance(MONDAY, learning=0.0),)))
    expected = place.world.roster.ability.ravel().astype(float)
    np.testing.assert_array_equal(place.truth(LAST)["ability"].to_numpy(), expected)


def test_one_subject_can_be_hit_alone_and_for_a_time() -> None:
    hit = life(Disturbance(FROM, FROM + timedelta(days=1), subject="science", response_time=2.0))
    changed = (hit["response_time_ms"] != ORDINARY["response_time_ms"]).to_numpy()
    assert set(hit.filter(changed)["subject"]) == {"science"}
    assert set(hit.filter(changed)["occurred_at"].dt.date()) == {FROM, FROM + timedelta(days=1)}


def test_a_subject_that_is_not_taught_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"'alchemy'.*\n.*mathematics, reading, science"):
        life(Disturbance(FROM, subject="alchemy", difficulty=1.0))
