"""Which shard a learner is in. Belongs here: that function, and telling the number of shards from rows; no files."""

from typing import Final

import polars as pl

SHARDS_OF_A_NEW_LAKE: Final = 4
MOST_SHARDS: Final = 4096
_HEX_CHARACTERS = 8  # 32 bits of the pseudonym: uniform over any number of shards that a lake may have


def shard_of(learner: pl.Expr, shards: int) -> pl.Expr:
    """Shard of a learner, Int32 in [0, shards): a function of the pseudonym and of nothing else.

    Args:
        learner: Pseudonyms, hexadecimal.
        shards: How many shards the lake has.
    """
    return (_head(learner) % shards).cast(pl.Int32).alias("shard")


def shards_that_give(rows: pl.DataFrame) -> list[int]:
    """Every number of shards under which these learners are in these shards.

    Args:
        rows: Columns `learner` and `shard`. With a few dozen learners only one number is left, unless no more learners
            than that could tell two numbers apart.
    """
    distinct = rows.select(_head(pl.col("learner")).alias("head"), pl.col("shard").cast(pl.Int64)).unique()
    least = int(distinct["shard"].max() or 0) + 1  # type: ignore[arg-type]
    heads, shards = distinct["head"].to_numpy(), distinct["shard"].to_numpy()
    return [number for number in range(least, MOST_SHARDS + 1) if bool((heads % number == shards).all())]


def _head(learner: pl.Expr) -> pl.Expr:
    return learner.str.slice(0, _HEX_CHARACTERS).str.to_integer(base=16, dtype=pl.Int64)
