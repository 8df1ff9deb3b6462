"""Picks the few items of each group that fit best. Belongs here: the compiled selection; `content` says what fits."""

import numpy as np
from numpy.typing import NDArray

from aivo_assets.tracing.fold.compiled import compiled


@compiled
def best_fitting(
    group: NDArray[np.uint32], miss: NDArray[np.float64], item: NDArray[np.uint32], most: int
) -> NDArray[np.bool_]:
    """Which rows are among the `most` of their group with the least miss, and among equals the lowest item.

    A sort of all rows says the same and takes longer: of a hundred items a few are wanted.

    Args:
        group: [n], any numbers; rows of a group stand together.
        miss: [n], how far from fitting, not NaN.
        item: [n], number of the item, all different within a group.
        most: At least one.

    Returns:
        [n].
    """
    chosen = np.zeros(group.size, np.bool_)
    best = np.empty(most, np.int64)  # rows of the present group, the best so far in order
    held = 0
    for row in range(group.size):
        if row == 0 or group[row] != group[row - 1]:
            held = 0
        place = held
        while place > 0 and _before(miss, item, row, best[place - 1]):
            place -= 1
        if place == most:
            continue
        if held == most:
            chosen[best[most - 1]] = False
        else:
            held += 1
        for later in range(held - 1, place, -1):
            best[later] = best[later - 1]
        best[place] = row
        chosen[row] = True
    return chosen


@compiled
def _before(miss: NDArray[np.float64], item: NDArray[np.uint32], row: int, other: int) -> bool:
    return bool(miss[row] < miss[other] or (miss[row] == miss[other] and item[row] < item[other]))
