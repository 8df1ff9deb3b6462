"""Walking down boosted trees, compiled. Belongs here: LightGBM's model text as arrays, and rows to logits; no fitting.

What LightGBM's own predictor says, to the last bit, for less: it takes each row through all trees, which no cache
holds. Here some rows are taken through one tree after the other, and rows that follow each other and differ in a few
columns only, as the same question at ten levels does, walk together until a node asks for one of those columns. Each
row adds up the same leaves in the same order.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from aivo_assets.arrays import Floats, Floats32, Ints, Ints32, Mask
from aivo_assets.errors import ModelError
from aivo_assets.tracing.fold.compiled import allocation_free, compiled

_T = TypeVar("_T", bound=np.generic)

# One record a node, so that a step reads one place. `threshold` is the largest float32 that is not above LightGBM's
# float64: no float32 lies between the two. Of a set it is the number of the set.
_NODE = np.dtype(
    [("feature", np.int16), ("kind", np.int16), ("threshold", np.float32), ("left", np.int32), ("right", np.int32)]
)
_UNKNOWN_RIGHT, _UNKNOWN_LEFT, _IN_SET = 0, 1, 2  # kinds: where NaN goes, or that categories in a set go left
# Bits of `decision_type`, and what counts as zero, in LightGBM 4 (include/LightGBM/tree.h and meta.h).
_CATEGORICAL, _DEFAULT_LEFT, _ZERO_IS_MISSING, _NAN_IS_MISSING = 1, 2, 4, 8
_STILL_ZERO = np.float32(1e-35)
_MOST_TOGETHER = 64  # rows in a group
_DIFFERING = 8  # rows walk together while at most one column in so many differs
_AT_ONCE = 128  # groups taken through one tree before the next


class Forest(NamedTuple):
    """All trees, one after the other.

    Attributes:
        root: Node of each tree, int32 [trees]; ~leaf where negative, as are a node's left and right.
        nodes: `_NODE` [nodes].
        leaf: What each leaf adds, float64 [leaves].
        set_start: Where the words of each set of categories begin, int32 [sets + 1].
        words: uint32, 32 categories each.
    """

    root: Ints32
    nodes: npt.NDArray[np.void]
    leaf: Floats
    set_start: Ints32
    words: npt.NDArray[np.uint32]


class Groups(NamedTuple):
    """Which rows walk together: those from start[g] to before start[g + 1], and the columns in which they differ."""

    start: Ints
    differs: Mask


def read_forest(text: str) -> Forest:
    """The trees of a model in LightGBM's own format.

    Raises:
        ModelError: The trees are of a kind that is not trained here.
    """
    head, *trees = text.split("\nend of trees", maxsplit=1)[0].split("\nTree=")
    if "\nnum_tree_per_iteration=1\n" not in head or any("\nis_linear=1" in tree for tree in trees):
        raise ModelError("The trees are linear, or of several outcomes", fix="Train the model again.")
    return _joined([_tree(dict(line.split("=", 1) for line in tree.split("\n") if "=" in line)) for tree in trees])


def logits(forest: Forest, values: Floats32, *, threads: int | None = None) -> Floats:
    """What the trees add up to for each row, float64 [n].

    Args:
        forest: The trees.
        values: Features, float32 [n, F]; F is more than any node's feature.
        threads: Threads; default as many as polars uses. Changes no bit.
    """
    values = np.require(_zeroed(values), requirements=["C", "W"])  # for others numba compiles everything once more
    groups = Groups(*_together(values, max(values.shape[1] // _DIFFERING, 1)))
    summed, count = np.zeros(len(values)), len(groups.start) - 1

    def add(part: tuple[int, int]) -> None:
        order, waiting = np.empty(_MOST_TOGETHER, np.int64), np.empty((_MOST_TOGETHER, 3), np.int64)
        _walk(forest, values, groups, part[0], part[1], summed, order, waiting)

    threads = threads or pl.thread_pool_size()
    if threads == 1 or count <= _AT_ONCE:
        add((0, count))
    else:
        cuts = [*range(0, count, max(count // (4 * threads), _AT_ONCE)), count]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(add, pairwise(cuts)))
    return summed


def _zeroed(values: Floats32) -> Floats32:
    """The features as LightGBM reads them: what is nearer to zero than 1e-35 is zero. A copy where something is."""
    return np.where(np.abs(values) <= _STILL_ZERO, np.float32(0.0), values) if _almost_zero(values) else values


def _tree(lines: dict[str, str]) -> Forest:
    """One tree, numbered from 0."""

    def numbers(name: str, dtype: type[_T]) -> npt.NDArray[_T]:
        return np.array(lines.get(name, "").split(), dtype)

    kind, threshold = numbers("decision_type", np.uint8), numbers("threshold", np.float64)
    in_set = (kind & _CATEGORICAL) > 0
    if (kind[~in_set] & _ZERO_IS_MISSING).any():
        raise ModelError("The trees take zero for unknown", fix="Train the model again.")
    unknown_left = np.where(kind & _NAN_IS_MISSING, (kind & _DEFAULT_LEFT) > 0, threshold >= 0.0)  # else NaN is 0.0
    nodes = np.empty(len(kind), _NODE)
    nodes["feature"] = numbers("split_feature", np.int16)
    nodes["kind"] = np.where(in_set, _IN_SET, np.where(unknown_left, _UNKNOWN_LEFT, _UNKNOWN_RIGHT))
    nodes["threshold"] = _not_above(threshold)
    nodes["left"], nodes["right"] = numbers("left_child", np.int32), numbers("right_child", np.int32)
    return Forest(
        root=np.array([0 if len(nodes) else -1], np.int32),
        nodes=nodes,
        leaf=numbers("leaf_value", np.float64),
        set_start=numbers("cat_boundaries", np.int32)[:-1],
        words=numbers("cat_threshold", np.uint32),
    )


def _not_above(threshold: Floats) -> Floats32:
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)


def _joined(trees: list[Forest]) -> Forest:
    """All trees, numbered on."""
    moved = []
    nodes = leaves = sets = words = 0
    for tree in trees:
        theirs = tree.nodes.copy()
        theirs["threshold"] += np.where(theirs["kind"] == _IN_SET, np.float32(sets), np.float32(0))
        for side in ("left", "right"):
            theirs[side] += np.where(theirs[side] < 0, -leaves, nodes)
        root = np.where(tree.root < 0, tree.root - leaves, tree.root + nodes)
        moved.append(tree._replace(root=root, nodes=theirs, set_start=tree.set_start + words))
        nodes, leaves = nodes + len(tree.nodes), leaves + len(tree.leaf)
        sets, words = sets + len(tree.set_start), words + len(tree.words)
    if sets >= 2**24:
        raise ModelError("The trees have more sets of categories than a float32 counts", fix="Train fewer trees.")
    return Forest(
        root=np.concatenate([tree.root for tree in moved]),
        nodes=np.concatenate([tree.nodes for tree in moved]),
        leaf=np.concatenate([tree.leaf for tree in moved]),
        set_start=np.concatenate([*(tree.set_start for tree in moved), np.array([words], np.int32)]),
        words=np.concatenate([tree.words for tree in moved]),
    )


@compiled
def _together(values: Floats32, most: int) -> tuple[Ints, Mask]:
    """First row of each group and the end [groups + 1], and the columns in which a group's rows differ [groups, F]."""
    rows, columns = values.shape
    start = np.empty(rows + 1, np.int64)
    differs = np.zeros((rows + 1, columns), np.bool_)
    group = -1
    for row in range(rows):
        joins = group >= 0 and row - start[group] < _MOST_TOGETHER
        if joins:
            first, count = start[group], 0
            for column in range(columns):
                value, second = values[row, column], values[first, column]
                other = not (value == second or (np.isnan(value) and np.isnan(second)))
                differs[group + 1, column] = differs[group, column] or other
                count += differs[group + 1, column]
            joins = count <= most
            if joins:
                differs[group] = differs[group + 1]
            differs[group + 1] = False
        if not joins:
            group += 1
            start[group] = row
    start[group + 1] = rows
    return start[: group + 2].copy(), differs[: group + 1].copy()


@allocation_free
def _almost_zero(values: Floats32) -> bool:
    rows, columns = values.shape
    for row in range(rows):
        for column in range(columns):
            if values[row, column] != 0.0 and abs(values[row, column]) <= _STILL_ZERO:
                return True
    return False


@allocation_free
def _next(forest: Forest, node: np.int64, value: np.float32) -> np.int64:
    """Where a value goes at a node, as `Tree::NumericalDecision` and `Tree::CategoricalDecision` say."""
    here = forest.nodes[node]
    left, right = np.int64(here.left), np.int64(here.right)
    if here.kind == _IN_SET:
        chosen = np.int64(here.threshold)
        if not value > -1.0:  # NaN is not
            return right
        word = forest.set_start[chosen] + np.int64(value) // 32
        if word >= forest.set_start[chosen + 1]:
            return right
        return left if (forest.words[word] >> np.uint32(np.int64(value) % 32)) & np.uint32(1) else right
    # Two ways to say the same of a number, and to take what is unknown (NaN) to the right, or to the left.
    goes_left = value <= here.threshold if here.kind == _UNKNOWN_RIGHT else not value > here.threshold
    return left if goes_left else right


@allocation_free
def _walk(
    forest: Forest,
    values: Floats32,
    groups: Groups,
    begin: int,
    end: int,
    logits: Floats,
    order: Ints,
    waiting: Ints,
) -> None:
    """Add the leaves of all trees, in their order, to the logits of the rows of some groups."""
    for first in range(begin, end, _AT_ONCE):
        for tree in range(len(forest.root)):
            for group in range(first, min(first + _AT_ONCE, end)):
                row, stop, node = groups.start[group], groups.start[group + 1], np.int64(forest.root[tree])
                while node >= 0 and not groups.differs[group, forest.nodes[node].feature]:
                    node = _next(forest, node, values[row, forest.nodes[node].feature])
                if node < 0:
                    for each in range(row, stop):
                        logits[each] += forest.leaf[~node]
                else:
                    for place in range(stop - row):
                        order[place] = row + place
                    waiting[0, 0], waiting[0, 1], waiting[0, 2] = node, 0, stop - row
                    _part(forest, values, groups.differs[group], logits, order, waiting)


@allocation_free
def _part(forest: Forest, values: Floats32, differs: Mask, logits: Floats, order: Ints, waiting: Ints) -> None:
    """The rest of a group's way through a tree, from the node on at which its rows may part.

    Args:
        forest: The trees.
        values: Features.
        differs: Columns in which the group's rows differ.
        logits: Of all rows.
        order: The group's rows; sorted so that those which stay together stand together.
        waiting: Node, first place and last place + 1 in the order, of those who wait: first of all, the group.
    """
    waits = 1
    while waits:
        waits -= 1
        node, first, last = waiting[waits, 0], waiting[waits, 1], waiting[waits, 2]
        while node >= 0:
            column = forest.nodes[node].feature
            if last - first == 1 or not differs[column]:
                node = _next(forest, node, values[order[first], column])
                continue
            left, right = np.int64(forest.nodes[node].left), np.int64(forest.nodes[node].right)
            start, stop = first, last
            while start < stop:
                each = order[start]
                if _next(forest, node, values[each, column]) == left:
                    start += 1
                else:
                    stop -= 1
                    order[start], order[stop] = order[stop], each
            if first < start < last:
                waiting[waits, 0], waiting[waits, 1], waiting[waits, 2] = right, start, last
                waits += 1
                last = start
            node = left if start > first else right
        for place in range(first, last):
            logits[order[place]] += forest.leaf[~node]
