"""Statistics as the kernel reads them. Belongs here: from frames by name to arrays by a batch's codes."""

import numpy as np
import polars as pl

from aivo_assets.arrays import Floats, Ints
from aivo_assets.tracing.fold.encoding import Encoded
from aivo_assets.tracing.fold.layout import FACTORS, REPEATS, SKILL_COLUMNS, Known, Population
from aivo_assets.tracing.fold.statistics import OutOfFold, Statistics

_TRANSITION = ["previous_surprise", "previous_surprise_wrong", "previous_surprise_right"]


def population_of(statistics: Statistics | OutOfFold, encoded: Encoded, item_names: pl.Series) -> Population:
    """Gather what the population says of a batch.

    Args:
        statistics: Of the population, or out of fold.
        encoded: The batch.
        item_names: Names of the items by code, those of the batch first, then what its learners answered last before.
    """
    if isinstance(statistics, OutOfFold):
        parts, fold_of = statistics.folds, statistics.fold_of(encoded.learners)
    else:
        parts, fold_of = (statistics,), np.zeros(len(encoded.learners), np.int32)
    moves = [_transitions(part, encoded.items, item_names) for part in parts]
    starts = np.cumsum([0, *(len(previous) for _, previous, _, _ in moves)])
    return Population(
        fold=fold_of,
        items=np.stack([np.vstack([_of_items(part, encoded.items), _typical(part)]) for part in parts]),
        skills=np.stack([_of_skills(part, encoded.skills) for part in parts]),
        spread=np.array([part.prior_sd for part in parts]),
        offsets=np.stack([offsets + start for (offsets, *_), start in zip(moves, starts[:-1], strict=True)]),
        previous=np.concatenate([previous for _, previous, _, _ in moves]),
        transitions=np.concatenate([rows for _, _, rows, _ in moves]),
        followed=np.stack([followed for *_, followed in moves]),
    )


def _of_items(statistics: Statistics, names: pl.Series) -> Floats:
    """Columns of `Known` by code; difficulty and sd are NaN and all else is zero or typical where nobody answered."""
    rows = names.alias("item_id").to_frame().join(statistics.items, on="item_id", how="left", maintain_order="left")
    out = np.zeros((len(names), len(Known)))
    out[:, : Known.factor_1] = rows.select(
        pl.col("difficulty", "difficulty_sd").fill_null(np.nan),
        pl.col("events").fill_null(0).log1p(),
        pl.col("log_response_time").fill_null(statistics.log_response_time),
    ).to_numpy()
    _write_lists(out, Known.factor_1, rows["factors"], FACTORS)
    _write_lists(out, Known.repeat_0, rows["repeat_surprise"], REPEATS)
    _write_lists(out, Known.repeat_log_0, rows["repeat_events"], REPEATS)
    logs = slice(Known.repeat_log_0, Known.repeat_log_0 + REPEATS)
    out[:, logs] = np.log1p(out[:, logs])
    out[:, Known.tendency] = rows["tendency"].fill_null(0.0).to_numpy()
    out[:, Known.discrimination] = rows["discrimination"].fill_null(0.0).to_numpy()
    return out


def _of_skills(statistics: Statistics, names: pl.Series) -> Floats:
    """Difficulty and sd (of the whole where nobody practised it), ln(1 + events), NaN, factors; by code."""
    rows = names.alias("skill_id").to_frame().join(statistics.skills, on="skill_id", how="left", maintain_order="left")
    out = np.zeros((len(names), SKILL_COLUMNS))
    out[:, : Known.factor_1] = rows.select(
        pl.col("difficulty").fill_null(statistics.difficulty),
        pl.col("difficulty_sd").fill_null(statistics.prior_sd),
        pl.col("events").fill_null(0).log1p(),
        pl.lit(np.nan).alias("unused"),
    ).to_numpy()
    _write_lists(out, Known.factor_1, rows["factors"], FACTORS)
    return out


def _write_lists(out: Floats, first: int, lists: pl.Series, width: int) -> None:
    """Write lists of `width` numbers to columns from `first` on; rows without one are left."""
    known = lists.is_not_null().to_numpy()
    if known.any():
        flat = lists.drop_nulls().explode(empty_as_null=False).to_numpy()
        out[known, first : first + width] = flat.reshape(-1, width)


def _typical(statistics: Statistics) -> Floats:
    """An item of which only the skills are known: medians over items, and the difficulty of its skills."""
    middle = statistics.items.select(
        pl.col("difficulty_sd").median(),
        pl.col("events").log1p().median(),
        pl.col("repeat_events").list.get(0).log1p().median().alias("first_tries"),
    ).row(0)
    out = np.zeros(len(Known))
    out[: Known.factor_1] = np.nan, middle[0], middle[1], statistics.log_response_time
    out[Known.repeat_log_0] = middle[2]
    return out


def _transitions(statistics: Statistics, items: pl.Series, names: pl.Series) -> tuple[Ints, np.ndarray, Floats, Floats]:
    """Offsets by item code, previous codes, rows of `Population.transitions`, and `followed` by code."""
    code = pl.DataFrame({"item_id": items, "_code": np.arange(len(items))})
    codes = pl.DataFrame({"previous": names, "_previous": np.arange(len(names), dtype=np.int32)})
    lists = ["previous", "previous_events", *_TRANSITION]
    flat = (
        statistics.items.lazy()
        .select("item_id", *lists)
        .join(code.lazy(), on="item_id", how="inner")
        .explode(lists, empty_as_null=False)
        .join(codes.lazy(), on="previous", how="inner")
        .sort("_code", "_previous")
        .collect()
    )
    offsets = np.searchsorted(flat["_code"].to_numpy(), np.arange(len(items) + 1)).astype(np.int64)
    rows = np.column_stack([flat.select(_TRANSITION).to_numpy(), flat["previous_events"].log1p().to_numpy()])
    known = (
        names.alias("item_id")
        .to_frame()
        .join(statistics.items.select("item_id", "events"), on="item_id", how="left", maintain_order="left")
    )
    followed = known["events"].fill_null(0).log1p().to_numpy()
    return offsets, flat["_previous"].to_numpy(), np.ascontiguousarray(rows, dtype=np.float64), followed
