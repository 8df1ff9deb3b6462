"""Whether stored recommendations cover whom they should, told from what is stored."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from aivo_assets.adaptive.advice.coverage import coverage, learners_before
from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.newest import newest_filled

MONDAY, TUESDAY, FRIDAY = date(2026, 5, 4), date(2026, 5, 5), date(2026, 5, 8)
ACTIVE = [("ida", 1, 3), ("noor", 1, 3), ("sam", 1, 3)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path), shards=2)


def store(lake: Lake, dataset: Dataset, day: date, rows: list[tuple[str, int, int]]) -> None:
    """Learner, rank and recommended level of each row; a dataset takes those that it has."""
    made = pl.DataFrame(rows, schema=["learner", "rank", "recommended_level"], orient="row")
    whole = made.with_columns(day=pl.lit(day), shard=pl.int_range(pl.len()) % 2)
    lake.write(
        dataset,
        whole.select(
            (pl.col(name) if name in whole.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in dataset.schema.items()
        ),
        day=day,
    )


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([("ida", 1, 5), ("noor", 1, 1), ("noor", 2, 10), ("sam", 1, 5)], {}),
        ([("ida", 1, 5), ("noor", 1, 5), ("sam", 2, 5)], {"without": 1}),
        ([("ida", 1, 5), ("ida", 1, 5), ("noor", 1, 5), ("sam", 1, 5)], {"twice": 1}),
        ([("ida", 1, 0), ("noor", 1, 11), ("sam", 1, 5)], {"outside": 2}),
        ([], {"without": 3}),
    ],
)
def test_one_for_each_means_one_of_rank_1_for_everybody_and_levels_that_exist(
    rows: list[tuple[str, int, int]], wrong: dict[str, int], lake: Lake
) -> None:
    store(lake, SIGNALS, MONDAY, ACTIVE)
    store(lake, RECOMMENDATIONS, MONDAY, rows)
    found = coverage(lake, MONDAY)
    assert {name: getattr(found, name) for name in ("without", "twice", "outside") if getattr(found, name)} == wrong
    assert found.one_each == (not wrong)
    assert found.recommended == len({learner for learner, rank, _ in rows if rank == 1})


def test_the_day_before_is_the_newest_that_holds_something(lake: Lake) -> None:
    assert learners_before(lake, FRIDAY) is None
    store(lake, RECOMMENDATIONS, MONDAY, ACTIVE[:2])
    store(lake, RECOMMENDATIONS, TUESDAY, [])
    assert learners_before(lake, FRIDAY) == (MONDAY, 2)
    assert learners_before(lake, MONDAY) is None
    assert newest_filled(lake, RECOMMENDATIONS) == MONDAY
