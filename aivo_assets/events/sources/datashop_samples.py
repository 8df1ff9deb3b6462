"""Transactions that a DataShop export holds more than once. Belongs here: which are the same; no event is made.

An export of several samples repeats a transaction once a sample, with another `Sample Name` and nothing else changed.
Counted twice, a hint would be two. An id that stands for two different transactions is an error of the file.
"""

import polars as pl

CLASH = "Transaction Id is used by another transaction with other content; the first one stays"
SAMPLE = "Sample Name"


def without_repeats(transactions: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Each transaction once.

    Args:
        transactions: Columns of the export as text, and `_row`, in the export's order. Those without a
            `Transaction Id` are told apart by all that they say, and by how often one sample says it.

    Returns:
        The transactions with `_clash` (Boolean: an earlier one has the same id and says something else), and for each
        repetition that was left out the `_row` of the transaction that it repeats.
    """
    content = [name for name in transactions.columns if name not in ("_row", SAMPLE)]
    samples = [SAMPLE] if SAMPLE in transactions.columns else []
    number = pl.int_range(pl.len())
    named = pl.col("Transaction Id").str.strip_chars() != "" if "Transaction Id" in content else pl.lit(value=False)
    counted = transactions.with_columns(
        _named=named, _nth=pl.when(named).then(0).otherwise(number.over([*content, *samples]))
    ).with_columns(_first=pl.col("_row").first().over([*content, "_nth"]))
    is_first = pl.col("_row") == pl.col("_first")
    id_again = number.over("Transaction Id") > 0 if "Transaction Id" in content else pl.lit(value=False)
    once = counted.filter(is_first).with_columns(_clash=pl.col("_named") & id_again)
    return once.drop("_named", "_nth", "_first"), counted.filter(~is_first)["_first"]
