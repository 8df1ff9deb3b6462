"""Evidence as columns: a number against a threshold, and several of them as a list. Belongs here: no rule, no words."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from aivo_assets.adaptive.schema import EVIDENCE

OTHERWISE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
"""A direction and the one that is true where it is not."""


def entry(signal: str, value: pl.Expr, threshold: pl.Expr, direction: pl.Expr) -> pl.Expr:
    """One statement, a struct of `EVIDENCE`."""
    return pl.struct(
        signal=pl.lit(signal),
        value=value.cast(pl.Float64),
        threshold=threshold.cast(pl.Float64),
        direction=direction,
    ).cast(EVIDENCE)


def listed(entries: Iterable[pl.Expr]) -> pl.Expr:
    """The statements of each row whose value is known, as a list of `EVIDENCE`, in their order.

    Args:
        entries: At least one.
    """
    # As an array: polars 2.1 joins structs as lists tens of times slower.
    # It calls `concat_arr` unstable: another version may need another way.
    return pl.concat_arr(list(entries)).arr.to_list().list.filter(pl.element().struct.field("value").is_not_null())
