"""The accuracy benchmark scores what it says it scores, and its audit finds what it was made to find."""

import json

import numpy as np
import polars as pl
import pytest

from aivo_assets.benchmarks.accuracy.accuracy import MAIN_BRAIN, Contest, fold_features, measure_accuracy, without
from aivo_assets.benchmarks.accuracy.audit import Said, audit, refuse_expanded_skills, refuse_foreign_statistics
from aivo_assets.benchmarks.accuracy.baselines import ABILITY_AND_DIFFICULTY, BEST_LR, CONSTANT, ITEM_DIFFICULTY
from aivo_assets.benchmarks.accuracy.peers import refuse_absent_peer
from aivo_assets.benchmarks.accuracy.report import ALL, AccuracyReport
from aivo_assets.benchmarks.partitions import Part, given_part, part_by_time, parts_by_learner
from aivo_assets.errors import ModelError, SettingsError, SourceError
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.schema import FeatureTable
from aivo_assets.tracing.fold.statistics import OutOfFold, Statistics, fit_statistics, out_of_fold
from aivo_assets_tests.benchmarks.practice import QUICK, practice

CONTEST = Contest(training=QUICK)


@pytest.fixture(scope="module")
def report() -> AccuracyReport:
    return measure_accuracy(list(parts_by_learner(practice(), folds=3, seed=0)), CONTEST)


def with_column(table: FeatureTable, values: np.ndarray) -> FeatureTable:
    """The table with something else in the place of the weekday."""
    changed = table.values.copy()
    changed[:, table.names.index("weekday")] = values
    return FeatureTable(table.keys, changed, table.schema)


def own_answer(events: pl.DataFrame, statistics: Statistics | OutOfFold, settings: FeatureSettings) -> FeatureTable:
    table = fold_features(events, statistics, settings)
    return with_column(table, table.target)


def next_answer(events: pl.DataFrame, statistics: Statistics | OutOfFold, settings: FeatureSettings) -> FeatureTable:
    table = fold_features(events, statistics, settings)
    later = table.keys.select(pl.col("correct").shift(-1).over("learner").fill_null(0).cast(pl.Float32))
    return with_column(table, later["correct"].to_numpy())


def session_score(events: pl.DataFrame, statistics: Statistics | OutOfFold, settings: FeatureSettings) -> FeatureTable:
    """A leak as they happen: the share of right answers of the whole day, not only of the day so far."""
    table = fold_features(events, statistics, settings)
    share = table.keys.select(pl.col("correct").cast(pl.Float32).mean().over("learner", "day"))
    return with_column(table, share["correct"].to_numpy())


def test_features_that_are_left_out_are_unknown_in_every_row_and_the_others_stay():
    events = practice()
    statistics = fit_statistics(events, FeatureSettings())
    whole, less = (fold(events, statistics, FeatureSettings()) for fold in (fold_features, without(["hour", "logit"])))
    blank = [name in ("hour", "logit") for name in whole.names]
    assert np.isnan(less.values[:, blank]).all()
    assert np.array_equal(less.values[:, ~np.array(blank)], whole.values[:, ~np.array(blank)], equal_nan=True)


def test_a_feature_that_does_not_exist_cannot_be_left_out():
    with pytest.raises(ModelError, match="No features: luck"):
        without(["luck"])


def test_every_test_row_is_predicted_once_and_all_folds_make_up_the_file(report):
    assert sum(part.test_events for part in report.parts) == practice().height
    assert [part.name for part in report.parts] == ["fold 0", "fold 1", "fold 2"]
    for part in report.parts:
        assert part.train_events + part.test_events == practice().height
        assert part.train_learners + part.test_learners == 60
        assert {model.scores.events for model in part.models} == {part.test_events}


def test_who_is_compared_and_in_which_order_they_come_out(report):
    log_loss = {model: found["log_loss"].mean for model, found in report.summary()[ALL].items()}
    assert list(log_loss) == [MAIN_BRAIN, CONSTANT, ITEM_DIFFICULTY, ABILITY_AND_DIFFICULTY, BEST_LR]
    assert log_loss[ABILITY_AND_DIFFICULTY] < log_loss[ITEM_DIFFICULTY] < log_loss[CONSTANT]
    assert log_loss[MAIN_BRAIN] < log_loss[ITEM_DIFFICULTY]


def test_cold_start_is_the_first_ten_events_of_each_test_learner(report):
    for part in report.parts:
        assert {model.slices["cold start"].events for model in part.models} == {10 * part.test_learners}


def test_means_and_spread_are_over_the_folds(report):
    values = [part.models[0].scores.log_loss for part in report.parts]
    spread = report.summary()[ALL][MAIN_BRAIN]["log_loss"]
    assert spread.mean == pytest.approx(np.mean(values))
    assert spread.sd == pytest.approx(np.std(values, ddof=1))


def test_the_text_and_the_json_hold_the_numbers(report):
    written = json.loads(report.to_json())
    auc = report.summary()[ALL][MAIN_BRAIN]["auc"].mean
    assert written["summary"][ALL][MAIN_BRAIN]["auc"]["mean"] == auc
    assert f"auc {auc:.4f}" in report.text()
    assert "audit passed" in report.text()


def test_the_audit_tried_real_rows(report):
    for part in report.parts:
        assert part.audit.flipped_rows == part.test_learners
        assert part.audit.rows_with_shuffled_future > part.test_learners
        assert part.audit.moved_rows > 0
        assert part.audit.statistics == 1 + QUICK.statistics_folds


@pytest.mark.parametrize("leak", [own_answer, next_answer, session_score])
def test_a_planted_leak_is_caught(leak):
    parts = list(parts_by_learner(practice(), folds=3, seed=0, only=0))
    with pytest.raises(ModelError, match="The leak audit failed: weekday changed with"):
        measure_accuracy(parts, Contest(training=QUICK, fold=leak, best_lr=False))


def test_a_leak_that_only_the_predictions_show_is_caught():
    (part,) = parts_by_learner(practice(20), folds=4, seed=0, only=1)
    settings = FeatureSettings()
    statistics, folds = fit_statistics(part.train, settings), out_of_fold(part.train, settings, folds=3, seed=0)

    def cheat(events: pl.DataFrame) -> Said:
        table = fold_features(events, statistics, settings)
        return Said(0.4 + 0.2 * table.target, table)

    with pytest.raises(ModelError, match="the prediction changed with the row's own answer"):
        audit(part, statistics, folds, cheat, seed=0)


def test_statistics_that_hold_a_test_learner_are_caught():
    events, settings = practice(20), FeatureSettings()
    (part,) = parts_by_learner(events, folds=4, seed=0, only=1)
    honest = fit_statistics(part.train, settings)
    folds = out_of_fold(part.train, settings, folds=3, seed=0)
    assert refuse_foreign_statistics(part.train, honest, folds) == 4
    with pytest.raises(ModelError, match="the statistics of test rows hold 800 events"):
        refuse_foreign_statistics(part.train, fit_statistics(events, settings), folds)
    everybody = OutOfFold((honest, *folds.folds[1:]), folds.seed, folds.skill_sets)
    with pytest.raises(ModelError, match="the statistics of training fold 0 hold"):
        refuse_foreign_statistics(part.train, honest, everybody)


def test_statistics_of_other_answers_in_the_same_number_are_caught():
    train, settings = practice(20), FeatureSettings()
    folds = out_of_fold(train, settings, folds=3, seed=0)
    turned = train.with_columns(correct=1 - pl.col("correct"))
    with pytest.raises(ModelError, match="the statistics of test rows"):
        refuse_foreign_statistics(train, fit_statistics(turned, settings), folds)


def test_a_file_with_a_row_for_each_skill_of_an_answer_is_refused():
    answers = practice(3).with_columns(sequence=2 * pl.col("sequence"))
    again = answers.filter(pl.col("skill_ids").list.len() > 1).with_columns(
        skill_ids=pl.lit(["s9"], pl.List(pl.String)), sequence=pl.col("sequence") + 1, gap_s=pl.lit(0, pl.Int32)
    )
    refuse_expanded_skills(answers)
    with pytest.raises(ModelError, match="rows repeat the answer before them with another skill"):
        refuse_expanded_skills(pl.concat([answers, again]))


def test_by_time_a_test_learner_has_his_past_and_nothing_later_trains():
    events = practice(30)
    part = part_by_time(events)
    assert part.train["occurred_at"].max() < part.test["occurred_at"].min()
    assert part.train.height + part.test.height == events.height
    (scored,) = measure_accuracy([part], Contest(training=QUICK)).parts
    assert scored.test_events == part.test.height
    assert all("cold start" not in model.slices for model in scored.models)


def test_a_given_test_file_must_hold_other_learners():
    train, test = practice(30), practice(10, first=30)
    part = given_part(train, test)
    assert (part.train.height, part.test.height) == (train.height, test.height)
    with pytest.raises(SourceError, match="5 learners are in both files, the first l025"):
        given_part(train, practice(10, first=25))


def test_items_that_training_does_not_know_are_scored_apart():
    events = practice(40)
    unknown = pl.when(pl.col("learner") >= "l030").then(pl.col("item_id").replace("i3", "new")).otherwise("item_id")
    events = events.with_columns(item_id=unknown)
    part = Part(
        "x", events.filter(pl.col("learner") < "l030"), events.clear(), events.filter(pl.col("learner") >= "l030")
    )
    (scored,) = measure_accuracy([part], Contest(training=QUICK)).parts
    asked = part.test.filter(pl.col("item_id") == "new").height
    assert asked > 0
    assert {model.slices["unseen items"].events for model in scored.models} == {asked}


def test_a_fold_that_is_not_there_and_a_peer_that_is_not_there_are_refused():
    with pytest.raises(SourceError, match="no fold 5 of 5"):
        list(parts_by_learner(practice(10), folds=5, seed=0, only=5))
    with pytest.raises(SettingsError, match="There is no peer 'dkt'"):
        refuse_absent_peer("dkt")
