"""k-anonymity: no published combination is shared by fewer than k learners. Belongs here: which rows are coarsened.

Rows that share every published value form an equivalence class. Classes of at least k are published as they are; the
rows of smaller ones are coarsened together, step by step, and leave as soon as their class is large enough (bottom-up
greedy local recoding after Xu et al., "Utility-based anonymization using local recoding", KDD 2006, with their loss:
a step of a hierarchy with s steps costs 1/s of the attribute). What never fits is suppressed whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from aivo_assets.privacy.schema import SUPPRESSED

_WITHIN = "_within"


@dataclass(frozen=True)
class Hierarchy:
    """The ways to publish one attribute, from fine to coarse; suppression is the last and always there.

    Attributes:
        column: Published name.
        levels: How many levels there are before suppression; they are the columns `<column>@0` … of the table.
    """

    column: str
    levels: int

    def at(self, level: int) -> pl.Expr:
        """The attribute at a level; `levels` itself is suppression."""
        return pl.lit(SUPPRESSED) if level == self.levels else pl.col(f"{self.column}@{level}")


@dataclass(frozen=True)
class AnonymityReport:
    """What was reached and what it cost.

    Attributes:
        k: What was asked for.
        achieved_k: Smallest equivalence class that publishes anything; None where nothing is published.
        learners: Rows of the table.
        suppressed_learners: Rows whose every attribute is suppressed; they publish nothing and form no class.
        suppressed_cells: Known values that were suppressed, by column.
        generalised_cells: Known values that were coarsened but not suppressed, by column.
        loss: Share of the known values' detail that was lost, 0 (nothing) to 1 (all).
        classes: Published columns and `learners` (UInt32), one row an equivalence class, largest first. Where they
            are counted within something, alike rows of two such places are two classes.
    """

    k: int
    achieved_k: int | None
    learners: int
    suppressed_learners: int
    suppressed_cells: dict[str, int]
    generalised_cells: dict[str, int]
    loss: float
    classes: pl.DataFrame = field(compare=False, repr=False)


class _Step(NamedTuple):
    hierarchy: Hierarchy
    table: pl.DataFrame
    rescued: int
    distinct: int

    def worth(self, position: int) -> tuple[float, float, int, int]:
        """More rows rescued per loss, then less loss, then more distinct values, then the order of the hierarchies."""
        return (self.rescued * self.hierarchy.levels, self.hierarchy.levels, self.distinct, -position)


def k_anonymise(
    table: pl.DataFrame, hierarchies: Sequence[Hierarchy], *, k: int, within: pl.Series | None = None
) -> tuple[pl.DataFrame, AnonymityReport]:
    """Coarsen and suppress until every published combination is shared by at least k rows.

    Args:
        table: n rows; String columns `<column>@<level>` for every hierarchy. Equal values at a level must be equal at
            every coarser one. Null is not known: a value like any other, except that it costs nothing to suppress.
        hierarchies: The published columns. Equally good steps are taken in this order.
        k: Smallest class.
        within: What else can be joined to each row and is published as it is (n values): only rows that are alike in
            it too are counted as alike.

    Returns:
        n rows in the order of `table` with the published columns, and the report. Same table, same result.
    """
    names = [hierarchy.column for hierarchy in hierarchies]
    levels = dict.fromkeys(names, 0)
    state = table.with_columns(
        *(hierarchy.at(0).alias(hierarchy.column) for hierarchy in hierarchies),
        *(pl.lit(0, dtype=pl.Int8).alias(_level_of(name)) for name in names),
        pl.lit(None, dtype=pl.String).alias(_WITHIN) if within is None else within.alias(_WITHIN),
    )
    state = _marked(state, names, k)
    while state["_small"].any():
        best = _best_step(state, hierarchies, levels, k)
        levels[best.hierarchy.column] += 1
        state = best.table
    return state.select(names), _report(state, hierarchies, k)


def _best_step(state: pl.DataFrame, hierarchies: Sequence[Hierarchy], levels: dict[str, int], k: int) -> _Step:
    """The next coarsening of the rows in small classes: that which rescues most of them for the least loss."""
    names = [hierarchy.column for hierarchy in hierarchies]
    small = int(state["_small"].sum())
    steps = []
    for hierarchy in hierarchies:
        level = levels[hierarchy.column] + 1
        if level > hierarchy.levels:
            continue
        distinct = state.filter("_small")[hierarchy.column].n_unique()
        stepped = state.with_columns(
            pl.when("_small").then(hierarchy.at(level)).otherwise(pl.col(hierarchy.column)).alias(hierarchy.column),
            pl.when("_small")
            .then(pl.lit(level, dtype=pl.Int8))
            .otherwise(pl.col(_level_of(hierarchy.column)))
            .alias(_level_of(hierarchy.column)),
        )
        marked = _marked(stepped, names, k)
        steps.append(_Step(hierarchy, marked, small - int(marked["_small"].sum()), distinct))
    return max(enumerate(steps), key=lambda numbered: numbered[1].worth(numbered[0]))[1]


def _marked(state: pl.DataFrame, names: list[str], k: int) -> pl.DataFrame:
    """Mark as `_small` the rows that publish something and share it with fewer than k rows."""
    silent = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(SUPPRESSED)) for name in names)
    return state.with_columns(_small=(pl.len().over([*names, _WITHIN]) < k) & ~silent)


def _level_of(column: str) -> str:
    return f"{column}@published"


def _report(state: pl.DataFrame, hierarchies: Sequence[Hierarchy], k: int) -> AnonymityReport:
    names = [hierarchy.column for hierarchy in hierarchies]
    classes = (
        state.filter(~pl.all_horizontal(pl.col(name).eq_missing(pl.lit(SUPPRESSED)) for name in names))
        .group_by([*names, _WITHIN])
        .agg(learners=pl.len())
        .sort(["learners", *names, _WITHIN], descending=[True, *(False for _ in names), False])
        .drop(_WITHIN)
    )
    known = {h.column: pl.col(f"{h.column}@0").is_not_null() for h in hierarchies}
    level = {h.column: pl.col(_level_of(h.column)) for h in hierarchies}
    counted = state.select(
        *((known[h.column] & (level[h.column] == h.levels)).sum().alias(f"suppressed {h.column}") for h in hierarchies),
        *(
            (known[h.column] & level[h.column].is_between(1, h.levels - 1)).sum().alias(f"generalised {h.column}")
            for h in hierarchies
        ),
        lost=pl.sum_horizontal((known[h.column] * level[h.column] / h.levels).sum() for h in hierarchies),
        known=pl.sum_horizontal(known[h.column].sum() for h in hierarchies),
    ).row(0, named=True)
    return AnonymityReport(
        k=k,
        achieved_k=classes["learners"].min() if classes.height else None,  # type: ignore[arg-type]
        learners=state.height,
        suppressed_learners=state.height - int(classes["learners"].sum()),
        suppressed_cells={name: counted[f"suppressed {name}"] for name in names},
        generalised_cells={name: counted[f"generalised {name}"] for name in names},
        loss=counted["lost"] / counted["known"] if counted["known"] else 0.0,
        classes=classes,
    )
