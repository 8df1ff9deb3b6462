"""Cutting by time keeps every later part later; folds by learner keep a learner whole."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aivo_assets.errors import ModelError
from aivo_assets.settings import TrainingSettings
from aivo_assets.tracing.model.splits import learner_folds, split_by_time

START = datetime(2026, 3, 2, tzinfo=UTC)
SMALL = TrainingSettings(minimum_events=10, minimum_part_events=1)


def keys_at(seconds: list[int]) -> pl.DataFrame:
    times = [START + timedelta(seconds=second) for second in seconds]
    return pl.DataFrame({"occurred_at": times}, schema={"occurred_at": pl.Datetime("us", "UTC")})


def test_cuts_between_days_at_the_shares() -> None:
    keys = keys_at([day * 86_400 + hour * 3600 for day in range(20) for hour in range(10)])
    split = split_by_time(keys, SMALL)
    assert split.by == "day"
    assert split.calibrate_from == START + timedelta(days=16)
    assert split.evaluate_from == START + timedelta(days=18)
    assert (split.fit.size, split.calibrate.size, split.evaluate.size) == (160, 20, 20)
    assert split.until == START + timedelta(days=19, hours=9)


def test_cuts_within_a_day_where_days_are_too_coarse() -> None:
    split = split_by_time(keys_at(list(range(200))), SMALL)
    assert split.by == "time"
    assert (split.fit.size, split.calibrate.size, split.evaluate.size) == (160, 20, 20)


def test_a_day_that_holds_nearly_everything_is_cut_within() -> None:
    keys = keys_at(
        [*range(960), *(86_400 + second for second in range(20)), *(172_800 + second for second in range(20))]
    )
    split = split_by_time(keys, SMALL)
    assert split.by == "time"
    assert split.evaluate.size == 100


@given(
    st.lists(st.integers(0, 6 * 86_400), min_size=30, max_size=300).filter(lambda seconds: len(set(seconds)) > 20),
    st.randoms(use_true_random=False),
)
def test_every_row_is_in_one_part_and_later_parts_are_later(seconds: list[int], random: object) -> None:
    keys = keys_at(seconds)
    split = split_by_time(keys, SMALL)
    together = np.concatenate([split.fit, split.calibrate, split.evaluate])
    assert sorted(together.tolist()) == list(range(len(seconds)))
    at = np.array(seconds)
    assert at[split.fit].max() < at[split.calibrate].min()
    assert at[split.calibrate].max() < at[split.evaluate].min()
    assert keys["occurred_at"][split.evaluate].min() == split.evaluate_from


def test_too_few_events_are_refused() -> None:
    with pytest.raises(ModelError, match="There are 5 events to train on; the fewest that train a model are 10"):
        split_by_time(keys_at(list(range(5))), SMALL)


def test_events_that_all_happened_at_once_are_refused() -> None:
    with pytest.raises(ModelError, match="cannot be cut in time"):
        split_by_time(keys_at([7] * 50), SMALL)


def test_parts_below_the_minimum_are_refused() -> None:
    with pytest.raises(ModelError, match="at least 30 events each"):
        split_by_time(keys_at(list(range(200))), TrainingSettings(minimum_events=10, minimum_part_events=30))


def test_folds_are_the_same_for_ever() -> None:
    """Golden: dealt once, written down; a change would let learners cross folds between versions."""
    learners = pl.Series([f"learner-{number}" for number in range(8)])
    assert learner_folds(learners, folds=5, seed=0).tolist() == [3, 0, 3, 3, 2, 2, 2, 3]
    assert learner_folds(learners, folds=5, seed=1).tolist() != learner_folds(learners, folds=5, seed=0).tolist()


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=60), st.integers(2, 9), st.integers(0, 3))
def test_a_learner_is_in_one_fold_in_any_order_and_company(names: list[str], folds: int, seed: int) -> None:
    dealt = learner_folds(pl.Series(names, dtype=pl.String), folds=folds, seed=seed)
    assert ((dealt >= 0) & (dealt < folds)).all()
    alone = [learner_folds(pl.Series([name], dtype=pl.String), folds=folds, seed=seed)[0] for name in names]
    assert dealt.tolist() == alone


def test_folds_share_learners_evenly() -> None:
    dealt = learner_folds(pl.Series([f"{number:032x}" for number in range(5000)]), folds=5, seed=3)
    assert np.bincount(dealt).min() > 900
