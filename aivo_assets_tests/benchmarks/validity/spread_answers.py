"""Answers spread over learners and days, hand-made."""

import polars as pl

from aivo_assets_tests.benchmarks.practice import practice


def spread() -> pl.DataFrame:
    """Practice of 80 learners, twenty answers every third day of six weeks."""
    rows = practice(80, 280)
    place = pl.int_range(pl.len()).over("learner")
    at = pl.lit(rows["occurred_at"].min()) + pl.duration(days=(place // 20) * 3, minutes=place % 20)
    return rows.with_columns(occurred_at=at).with_columns(
        day=pl.col("occurred_at").dt.date(),
        sequence=(place % 20).cast(pl.Int32),
        gap_s=pl.when(place % 20 > 0).then(60).cast(pl.Int32),
    )
