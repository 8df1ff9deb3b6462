"""The best fitting items of each group are those that a sort would put first."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.adaptive.advice.best_fitting import best_fitting

_GROUPS = st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 4.0]), max_size=30), max_size=8)


@given(groups=_GROUPS, most=st.integers(1, 12), seed=st.integers(0, 99))
def test_they_are_those_that_a_sort_puts_first(groups: list[list[float]], most: int, seed: int) -> None:
    values = [value for group in groups for value in group]
    rows = pl.DataFrame(
        {
            "group": [number for number, group in enumerate(groups) for _ in group],
            "value": values,
            "number": np.random.default_rng(seed).permutation(len(values)),
        },
        schema={"group": pl.UInt32, "value": pl.Float64, "number": pl.UInt32},
    )
    group, value, number = (rows[name].to_numpy() for name in rows.columns)
    kept = rows.filter(best_fitting(group, value, number, most))
    sorted_first = rows.sort("group", "value", "number").group_by("group", maintain_order=True).head(most)
    assert kept.sort("group", "value", "number").equals(sorted_first)


def test_of_equals_the_lower_number_stays() -> None:
    group, value = np.zeros(4, np.uint32), np.array([0.5, 0.1, 0.5, 0.5])
    assert best_fitting(group, value, np.array([9, 8, 2, 7], np.uint32), 2).tolist() == [False, True, True, False]
