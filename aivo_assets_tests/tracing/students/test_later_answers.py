"""What was believed at a stop does not know what came after it, nor what this learner does elsewhere."""

import polars as pl
import pytest

from aivo_assets.settings import FeatureSettings, StudentSettings
from aivo_assets.tracing.fold.statistics import fit_statistics
from aivo_assets.tracing.students.later_answers import (
    BANDS,
    LATER_EVENTS,
    RAPID_MS,
    band_of,
    frozen_predictions,
    later_answers,
)
from aivo_assets_tests.benchmarks.practice import practice

FOLD = FeatureSettings()
HISTORY = practice(40, 60)
OTHERS, OURS = HISTORY.filter(pl.col("learner") < "l030"), HISTORY.filter(pl.col("learner") >= "l030")


@pytest.fixture(scope="module")
def later() -> pl.DataFrame:
    return later_answers(HISTORY, FOLD, StudentSettings(interval_folds=4))


def test_bands_of_events():
    seen = pl.DataFrame({"n": [0, 1, 5, 6, 20, 21, 100, 101]}).select(band_of(pl.col("n"))).to_series()
    assert seen.to_list() == [BANDS[k] for k in (0, 1, 1, 2, 2, 3, 3, 4)]


def test_every_learner_is_stopped_in_each_band_that_he_reaches(later):
    assert later["learner"].n_unique() == 40
    reached = later.select(band_of(pl.col("events"))).to_series().unique()
    assert set(reached) == set(BANDS[:4])  # nobody has more than 60 events
    sizes = later.group_by("learner", "stop").len()["len"]
    assert sizes.max() <= LATER_EVENTS


def test_only_practised_skills_count_but_for_somebody_new(later):
    assert later.filter((pl.col("opportunities") == 0) & (pl.col("events") > 0)).is_empty()
    assert later.filter(pl.col("events") == 0)["opportunities"].unique().to_list() == [0]


def test_what_was_believed_does_not_move_when_later_answers_turn_over():
    statistics = fit_statistics(OTHERS, FOLD)
    before = frozen_predictions(OURS, statistics, FOLD, seed=0)
    turned = OURS.with_columns(correct=1 - pl.col("correct"))
    after = frozen_predictions(turned, statistics, FOLD, seed=0)
    new = pl.col("events") == 0  # nothing is known, so no answer of his may show
    believed = ["mastery_logit", "mastery_variance", "ability_logit", "ability_variance"]
    assert before.filter(new).select(believed).equals(after.filter(new).select(believed))
    assert not before.filter(~new).select(believed).equals(after.filter(~new).select(believed))
    assert (before["correct"] + after["correct"]).unique().to_list() == [1.0]


def test_rapid_guesses_are_left_out_where_answers_are_timed():
    statistics = fit_statistics(OTHERS, FOLD)
    untimed = OURS.with_columns(response_time_ms=pl.lit(None, pl.Int64))
    every_third = pl.int_range(pl.len()) % 3 == 0
    seconds = pl.when(every_third).then(RAPID_MS - 1).otherwise(RAPID_MS)
    timed = OURS.with_columns(response_time_ms=seconds.cast(pl.Int64))
    kept = frozen_predictions(timed, statistics, FOLD, seed=0)
    everything = frozen_predictions(untimed, statistics, FOLD, seed=0)
    assert 0.5 * everything.height < kept.height < 0.8 * everything.height
    all_rapid = OURS.with_columns(response_time_ms=pl.lit(RAPID_MS - 1, pl.Int64))
    assert frozen_predictions(all_rapid, statistics, FOLD, seed=0).is_empty()


def test_no_fold_is_begun_beyond_the_learners_wanted():
    few = later_answers(HISTORY, FOLD, StudentSettings(interval_folds=4, interval_learners=1))
    assert 0 < few["learner"].n_unique() < 20


def test_equal_seeds_stop_at_equal_places():
    settings = StudentSettings(interval_folds=2)
    assert later_answers(HISTORY, FOLD, settings).equals(later_answers(HISTORY.sort("item_id"), FOLD, settings))
    other = later_answers(HISTORY, FOLD, StudentSettings(interval_folds=2, interval_seed=1))
    assert not other.equals(later_answers(HISTORY, FOLD, settings))
