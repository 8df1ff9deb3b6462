"""Evidence joined as columns."""

import polars as pl

from aivo_assets.adaptive.policy.evidence import entry, listed


def test_what_is_not_known_is_left_out_and_the_rest_keeps_its_order() -> None:
    rows = pl.DataFrame({"first": [1.0, None, None], "second": [None, 2.0, None], "third": [3, 4, None]})
    entries = [entry(name, pl.col(name), pl.lit(5), pl.lit("<")) for name in rows.columns]
    found = rows.select(evidence=listed(entries))["evidence"].to_list()
    assert [[(each["signal"], each["value"]) for each in row] for row in found] == [
        [("first", 1.0), ("third", 3.0)],
        [("second", 2.0), ("third", 4.0)],
        [],
    ]
    assert found[0][0] == {"signal": "first", "value": 1.0, "threshold": 5.0, "direction": "<"}


def test_no_rows_have_no_evidence() -> None:
    rows = pl.DataFrame(schema={"first": pl.Float64})
    assert rows.select(evidence=listed([entry("first", pl.col("first"), pl.lit(5), pl.lit("<"))])).height == 0
