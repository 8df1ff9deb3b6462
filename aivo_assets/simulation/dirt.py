"""A few rows that went wrong on their way, for the quarantine to show. Belongs here: the kinds of dirt.

Whether a row goes wrong, and how, depends on the row alone: the same school has the same dirt however it is read.
"""

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

COLUMNS = 2  # uniform numbers that each row takes

# (kind, share of the dirt)
KINDS: tuple[tuple[str, float], ...] = (
    ("sent twice", 0.40),
    ("sent twice, differing", 0.08),
    ("correct is 2", 0.17),
    ("negative response time", 0.15),
    ("in the future", 0.10),
    ("no learner", 0.10),
)
CLOCK_AHEAD = timedelta(days=5 * 365)


def soil(frame: pl.DataFrame, uniforms: npt.NDArray[np.float64], share: float) -> pl.DataFrame:
    """Spoil a share of the rows.

    Args:
        frame: Columns of `Event`, n rows.
        uniforms: Float64 [n, COLUMNS], each row's own.
        share: Expected share of rows that go wrong.

    Returns:
        The frame with spoilt rows in place, and repeated rows right behind the row that they repeat.
    """
    edges = np.cumsum([part for _, part in KINDS])
    kind = np.minimum(np.searchsorted(edges, uniforms[:, 1]), len(KINDS) - 1)
    kinds = pl.Series("_dirt", [name for name, _ in KINDS]).gather(kind)
    marked = frame.with_columns(
        pl.when(pl.Series(uniforms[:, 0] < share)).then(kinds).alias("_dirt"),
        pl.int_range(pl.len()).alias("_place"),
    )
    dirt = pl.col("_dirt")
    spoilt = marked.with_columns(
        pl.when(dirt == "correct is 2").then(pl.lit(2, pl.Int8)).otherwise("correct").alias("correct"),
        pl.when(dirt == "negative response time")
        .then(-pl.col("response_time_ms") - 1)
        .otherwise("response_time_ms")
        .alias("response_time_ms"),
        pl.when(dirt == "in the future")
        .then(pl.col("occurred_at") + pl.lit(CLOCK_AHEAD))
        .otherwise("occurred_at")
        .alias("occurred_at"),
        pl.when(dirt == "no learner").then(None).otherwise("learner_id").alias("learner_id"),
    )
    twice = marked.filter(dirt.str.starts_with("sent twice")).with_columns(
        pl.when(dirt == "sent twice, differing")
        .then(pl.col("response_time_ms") + 1000)
        .otherwise("response_time_ms")
        .alias("response_time_ms")
    )
    return pl.concat([spoilt, twice]).sort("_place", maintain_order=True).drop("_dirt", "_place")
