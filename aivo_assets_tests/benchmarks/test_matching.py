"""Matched differences and their intervals, where the truth is known."""

import numpy as np
import polars as pl
import pytest

from aivo_assets.benchmarks.matching import LEAST_LEARNERS, difference, mean_of
from aivo_assets.benchmarks.validity.fairness import fairness


def test_strata_weigh_by_the_rows_of_the_kind_by_hand() -> None:
    """Stratum 1: 0.5 - 0.0, twice of the kind; stratum 2: 1 - 1, once; stratum 3 has no control."""
    rows = pl.DataFrame(
        {
            "learner": list("abcdefg"),
            "kind": ["up", "up", "stay", "up", "stay", "stay", "up"],
            "level": [1, 1, 1, 2, 2, 2, 3],
            "y": [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0],
        }
    )
    found = difference(rows, "y", kind="up", control="stay", match=["level"])
    assert found.value == pytest.approx((2 * 0.5 + 1 * 0.0) / 3)
    assert (found.rows, found.learners, found.controls) == (3, 3, 3)
    assert not found.enough


@pytest.mark.parametrize(
    ("of_kind", "controls", "enough"),
    [(LEAST_LEARNERS, LEAST_LEARNERS, True), (LEAST_LEARNERS - 1, 200, False), (200, LEAST_LEARNERS - 1, False)],
)
def test_learners_count_on_both_sides_and_rows_do_not(of_kind: int, controls: int, enough: bool) -> None:
    learner = [*range(of_kind), *range(1000, 1000 + controls)] * 3  # three rows of each
    kind = (["up"] * of_kind + ["stay"] * controls) * 3
    rows = pl.DataFrame({"learner": learner, "kind": kind, "level": 1, "y": 1.0}).cast({"learner": pl.String})
    assert difference(rows, "y", kind="up", control="stay", match=["level"]).enough is enough


def test_matching_takes_away_what_the_level_explains() -> None:
    random = np.random.default_rng(1)
    level = random.integers(1, 6, 6000)
    kind = np.where(random.random(6000) < level / 8, "up", "stay")
    y = (random.random(6000) < 0.2 + 0.1 * level + 0.05 * (kind == "up")).astype(float)
    rows = pl.DataFrame({"learner": np.arange(6000).astype(str), "kind": kind, "level": level, "y": y})
    raw = difference(rows.with_columns(one=1), "y", kind="up", control="stay", match=["one"])
    matched = difference(rows, "y", kind="up", control="stay", match=["level"])
    assert matched.lower < 0.05 < matched.upper
    assert raw.lower > 0.08


def test_intervals_are_wide_where_few_learners_gave_many_rows() -> None:
    random = np.random.default_rng(2)
    own = random.random(20)
    few = pl.DataFrame({"learner": np.repeat(np.arange(20), 100).astype(str), "y": np.repeat(own, 100)})
    many = few.with_columns(learner=pl.int_range(pl.len()).cast(pl.String))
    wide, narrow = mean_of(few, "y"), mean_of(many, "y")
    assert wide.value == narrow.value
    assert wide.upper - wide.lower > 5 * (narrow.upper - narrow.lower)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    held = 0
    for seed in range(60):
        own = random.normal(0.3, 0.2, 80)
        rows = pl.DataFrame(
            {"learner": np.repeat(np.arange(80), 5).astype(str), "y": np.repeat(own, 5) + random.normal(0, 0.1, 400)}
        )
        found = mean_of(rows, "y", seed=seed)
        held += found.lower <= 0.3 <= found.upper
    assert 51 <= held <= 60  # 95 % of 60 is 57


def test_what_cannot_be_compared_says_so() -> None:
    rows = pl.DataFrame({"learner": ["a"], "kind": ["up"], "level": [1], "y": [1.0]})
    found = difference(rows, "y", kind="up", control="stay", match=["level"])
    assert (found.rows, str(found)) == (0, "–")


def test_a_group_that_is_promised_too_much_is_found_and_a_small_one_is_not_shown() -> None:
    random = np.random.default_rng(4)
    names = [f"l{place}" for place in range(400)]
    group = ["big" if place < 200 else "other" if place < 390 else "few" for place in range(400)]
    said = np.full(400, 0.7)
    held = random.random(400) < np.where(np.array(group) == "big", 0.7, 0.45)
    found = fairness(
        pl.DataFrame({"learner": names, "rank": 1, "kind": np.where(random.random(400) < 0.3, "level_up", "maintain")}),
        pl.DataFrame({"learner": names, "confidence": said, "held": held}),
        pl.DataFrame({"learner": names, "gender": group}),
    )
    assert [row.group for row in found] == ["big", "other"]
    big, other = found
    assert big.error.lower < 0 < big.error.upper
    assert other.error.lower > 0.1
    assert sum(rate.value for rate in big.rates.values()) == pytest.approx(1)
    assert LEAST_LEARNERS > 10
