"""The search finds what helps learners it has not seen, on the rows that may fit a model and on no others."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aivo_assets.settings import TrainingSettings, TuningSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.model.search.hyperparameters import (
    HYPERPARAMETERS,
    SPACE,
    Answer,
    Budget,
    inputs_of,
    search,
    to_frame,
    tuned,
    values_of,
)
from aivo_assets.tracing.model.search.studies import BEST_SO_FAR, SETTINGS
from aivo_assets.tracing.model.training import TrainingSet
from aivo_assets_tests.tracing.synthetic_school import QUICK, school

DAY = date(2026, 2, 28)
POOR = QUICK.model_copy(update={"learning_rate": 0.02, "max_iterations": 6, "min_samples_leaf": 1000, "max_leaves": 8})
TUNING = TuningSettings(most_rows=4000)


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    made = school(days=24)
    return TrainingSet(made.table, made.split, made.statistics)


def find(
    training: TrainingSet, home: Path, *, day: date = DAY, trials: int = 4, settings: TrainingSettings = POOR,
    tuning: TuningSettings = TUNING,
) -> Answer:  # fmt: skip
    inputs = inputs_of(settings, tuning, data="v1", code="c1")
    return search(training, settings, tuning, Budget(trials, 120), home=home, day=day, inputs=inputs)


def test_it_finds_better_parameters_than_poor_settings(training: TrainingSet, tmp_path: Path) -> None:
    answer = find(training, tmp_path)
    assert answer.score is not None
    assert answer.settings_score is not None
    assert answer.score < answer.settings_score < 1
    assert answer.values != values_of(POOR)
    assert "of 4 finished trials" in answer.reason


def test_the_same_state_of_studies_and_trials_give_the_same_answer(training: TrainingSet, tmp_path: Path) -> None:
    one, two = (find(training, tmp_path / place) for place in ("one", "two"))
    assert (one.values, one.score, one.studied) == (two.values, two.score, two.studied)


def test_where_nothing_better_is_found_the_best_so_far_is_the_answer(training: TrainingSet, tmp_path: Path) -> None:
    first = find(training, tmp_path)
    second = find(training, tmp_path, day=DAY + timedelta(days=1), trials=1)
    assert second.origin == BEST_SO_FAR
    assert second.values == first.values
    assert second.score == first.score


def test_rows_that_calibrate_or_evaluate_take_no_part(training: TrainingSet, tmp_path: Path) -> None:
    later = np.concatenate([training.split.calibrate, training.split.evaluate])
    correct, values = training.table.keys["correct"].to_numpy().copy(), training.table.values.copy()
    correct[later], values[later] = 1 - correct[later], np.nan
    keys = training.table.keys.with_columns(pl.Series("correct", correct, dtype=pl.Int8))
    spoilt = TrainingSet(FeatureTable(keys, values, training.table.schema), training.split, training.statistics)
    one, two = find(training, tmp_path / "one", trials=2), find(spoilt, tmp_path / "two", trials=2)
    assert (one.values, one.score) == (two.values, two.score)


def test_rows_that_fit_do_take_part(training: TrainingSet, tmp_path: Path) -> None:
    correct = training.table.keys["correct"].to_numpy().copy()
    correct[training.split.fit[::3]] ^= 1
    keys = training.table.keys.with_columns(pl.Series("correct", correct, dtype=pl.Int8))
    noisy = TrainingSet(
        FeatureTable(keys, training.table.values, training.table.schema), training.split, training.statistics
    )
    one, two = find(training, tmp_path / "one", trials=1), find(noisy, tmp_path / "two", trials=1)
    assert one.score is not None
    assert two.score is not None
    assert one.score < two.score


def test_beyond_the_budget_of_rows_learners_are_left_out_whole(training: TrainingSet, tmp_path: Path) -> None:
    answer = find(training, tmp_path, trials=1, tuning=TuningSettings(most_rows=2000))
    keys = training.table.keys[training.split.fit]
    assert answer.sample.rows <= 2000 < keys.height
    assert keys.filter(answer.sample.mask(keys)).height == answer.sample.rows
    assert f"drawn from {keys['learner'].n_unique()}" in answer.reason


def test_switched_off_it_takes_the_settings_and_keeps_nothing(training: TrainingSet, tmp_path: Path) -> None:
    answer = find(training, tmp_path, trials=0)
    assert (answer.values, answer.origin, answer.score) == (values_of(POOR), SETTINGS, None)
    assert list(tmp_path.iterdir()) == []


def test_with_too_few_learners_it_takes_the_settings(training: TrainingSet, tmp_path: Path) -> None:
    few = school(learners=12, days=90)
    answer = find(TrainingSet(few.table, few.split, few.statistics), tmp_path)
    assert (answer.origin, answer.reason) == (SETTINGS, "Fewer than 20 learners: the settings are taken.")


def test_settings_outside_the_space_are_tried_all_the_same(training: TrainingSet, tmp_path: Path) -> None:
    by_hand = POOR.model_copy(update={"learning_rate": 0.9, "l2_regularization": 0.001})
    assert find(training, tmp_path, trials=1, settings=by_hand).values == values_of(by_hand)


def test_no_l2_at_all_is_tried_as_the_least_the_space_knows(training: TrainingSet, tmp_path: Path) -> None:
    answer = find(training, tmp_path, trials=1, settings=POOR.model_copy(update={"l2_regularization": 0.0}))
    assert answer.values == values_of(POOR) | {"l2_regularization": 0.01}


def test_what_was_found_takes_the_place_of_the_settings(training: TrainingSet, tmp_path: Path) -> None:
    answer = find(training, tmp_path, trials=2)
    frame = to_frame(answer, POOR, day=DAY)
    assert dict(frame.schema) == dict(HYPERPARAMETERS.schema)
    settings = tuned(POOR, frame)
    assert values_of(settings) == answer.values
    assert isinstance(settings.max_leaves, int)
    others = {dimension.name for dimension in SPACE}
    assert settings.model_dump(exclude=others) == POOR.model_dump(exclude=others)
    assert tuned(POOR, HYPERPARAMETERS.empty()) == POOR


def test_inputs_are_all_but_the_budget() -> None:
    same = {"data": "v1", "code": "c1"}
    base = inputs_of(POOR, TUNING, **same)
    assert inputs_of(POOR, TUNING.model_copy(update={"trials": 9, "weekly_seconds": 1.0}), **same) == base
    assert inputs_of(QUICK, TUNING, **same) != base
    assert inputs_of(POOR, TuningSettings(), **same) != base
    assert inputs_of(POOR, TUNING, data="v2", code="c1") != base
    assert inputs_of(POOR, TUNING, data="v1", code="c2") != base


def test_a_search_stands_for_every_smaller_one() -> None:
    assert Budget(30, 900).covers(Budget(3, 30))
    assert Budget(3, 30).covers(Budget(3, 30))
    assert not Budget(3, 30).covers(Budget(30, 30))
    assert not Budget(3, 30).covers(Budget(3, 900))
