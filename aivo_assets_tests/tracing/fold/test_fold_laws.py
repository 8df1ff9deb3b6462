"""Laws of the fold, for any history: where it may be cut, what it may not depend on."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aivo_assets.errors import LakeError, ModelError
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import FeatureTable, fold, query
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics, out_of_fold
from aivo_assets.tracing.students.state_changes import late_learners, new_events
from aivo_assets_tests.tracing.histories import histories, school

SETTINGS = FeatureSettings()
FEW = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    """Statistics of another school, that knows some of the items only."""
    return fit_statistics(school(20, 20, 99).filter(pl.col("item_id") != "i7"), SETTINGS)


def same(one: FeatureTable, other: FeatureTable) -> bool:
    return one.keys.equals(other.keys) and np.array_equal(one.values, other.values, equal_nan=True)


def joined(one: FeatureTable, other: FeatureTable) -> FeatureTable:
    """Both tables' rows in the order of the fold."""
    keys = pl.concat([one.keys, other.keys]).with_row_index("row").sort("learner", "day", "sequence")
    values = np.concatenate([one.values, other.values])[keys["row"].to_numpy()]
    return FeatureTable(keys.drop("row"), values, one.schema)


def rows_of(table: FeatureTable, keys: pl.DataFrame) -> np.ndarray:
    """Values of the rows with these events, in the table's order."""
    return table.values[table.keys["event"].is_in(keys["event"].implode()).to_numpy()]


@FEW
@given(histories(), st.randoms(use_true_random=False))
def test_a_history_may_be_cut_anywhere(statistics, history, random):
    cut = {learner: random.randrange(0, 30) for learner in history["learner"].unique().sort()}
    place = pl.int_range(pl.len()).over("learner", order_by=["day", "sequence"])
    early = place < pl.col("learner").replace_strict(cut, return_dtype=pl.Int64)
    first, second = history.filter(early), history.filter(~early)

    whole = fold(history, statistics, None, SETTINGS)
    before = fold(first, statistics, None, SETTINGS)
    after = fold(second, statistics, before.states, SETTINGS)

    assert after.states.equals(whole.states)
    assert same(joined(before.features, after.features), whole.features)


@FEW
@given(histories(), st.integers(0, 2**16))
def test_the_order_of_rows_and_the_number_of_threads_change_nothing(statistics, history, seed):
    whole = fold(history, statistics, None, SETTINGS, threads=1)
    shuffled = fold(history.sample(fraction=1.0, shuffle=True, seed=seed), statistics, None, SETTINGS, threads=3)
    assert same(shuffled.features, whole.features)
    assert shuffled.states.equals(whole.states)


@FEW
@given(histories())
def test_a_learner_alone_gets_what_he_gets_among_others(statistics, history):
    whole = fold(history, statistics, None, SETTINGS)
    for learner in history["learner"].unique():
        alone = fold(history.filter(pl.col("learner") == learner), statistics, None, SETTINGS)
        assert same(alone.features, whole.features.take((whole.features.keys["learner"] == learner).to_numpy()))
        assert alone.states.equals(whole.states.of(pl.Series([learner])))


@FEW
@given(histories(), st.integers(0, 24), st.integers(0, 2**16))
def test_what_happens_later_does_not_move_the_features_of_the_past(statistics, history, at, seed):
    place = pl.int_range(pl.len()).over("learner", order_by=["day", "sequence"])
    past, future = history.filter(place <= at), history.filter(place > at)
    random = np.random.default_rng(seed)
    content = ["item_id", "skill_ids", "subject", "correct", "response_time_ms", "hint_count"]
    shuffled = future.with_columns(future.select(content)[random.permutation(future.height)])
    whole = fold(history, statistics, None, SETTINGS).features
    other = fold(pl.concat([past, shuffled]), statistics, None, SETTINGS).features
    assert np.array_equal(rows_of(whole, past), rows_of(other, past), equal_nan=True)


@FEW
@given(histories(), st.data())
def test_an_answer_does_not_move_its_own_features_but_moves_later_ones(statistics, history, data):
    event = data.draw(st.sampled_from(history["event"].to_list()))
    chosen = pl.col("event") == event
    other = history.with_columns(
        correct=pl.when(chosen).then(1 - pl.col("correct")).otherwise("correct").cast(pl.Int8),
        response_time_ms=pl.when(chosen).then(77).otherwise("response_time_ms"),
        hint_count=pl.when(chosen).then(5).otherwise("hint_count").cast(pl.Int32),
    )
    was, now = (fold(frame, statistics, None, SETTINGS) for frame in (history, other))
    assert np.array_equal(
        rows_of(was.features, history.filter(chosen)), rows_of(now.features, history.filter(chosen)), equal_nan=True
    )
    assert not was.states.equals(now.states)


@FEW
@given(histories())
def test_a_query_is_answered_with_the_features_of_the_next_real_event(statistics, history):
    """The clock of an event on a day already begun is exact, so the query asks at that very second."""
    place = pl.int_range(pl.len()).over("learner", order_by=["day", "sequence"])
    last = place == pl.len().over("learner") - 1
    past, following = history.filter(~last), history.filter(last)
    states = fold(past, statistics, None, SETTINGS).states
    real = fold(following, statistics, states, SETTINGS)
    clock = real.states.learners.select("learner", at="last_event_at")
    queries = real.features.keys.join(clock, on="learner").join(following.select("event", "skill_ids"), on="event")
    asked = query(queries.select("learner", "subject", "skill_ids", "item_id", "at"), statistics, states, SETTINGS)
    assert np.array_equal(asked.values, real.features.values, equal_nan=True)


def test_queries_keep_their_order_and_change_no_state(statistics):
    history = school(3, 10, 1)
    states = fold(history, statistics, None, SETTINGS).states
    queries = history.sample(fraction=1.0, shuffle=True, seed=3).select(
        "learner", "subject", "skill_ids", at=pl.lit(history["occurred_at"].max()), difficulty=pl.lit(0.5)
    )
    asked = query(queries, statistics, states, SETTINGS)
    again = query(queries.reverse(), statistics, states, SETTINGS)
    assert asked.keys.equals(queries)
    assert np.array_equal(asked.values, again.values[::-1], equal_nan=True)
    assert set(asked.column("item_difficulty")) == {0.5}
    assert states.equals(fold(history, statistics, None, SETTINGS).states)


def test_out_of_fold_features_use_the_statistics_of_the_learners_fold(statistics):
    history = school(12, 15, 5)
    folds = out_of_fold(history, SETTINGS, folds=3, seed=1)
    whole = fold(history, folds, None, SETTINGS).features
    names = history["learner"].unique().sort()
    for learner, k in zip(names, folds.fold_of(names), strict=True):
        alone = fold(history.filter(pl.col("learner") == learner), folds.folds[k], None, SETTINGS).features
        mine = whole.take((whole.keys["learner"] == learner).to_numpy())
        assert np.array_equal(mine.values, alone.values, equal_nan=True)


def test_the_fold_of_nothing_is_nothing_and_leaves_the_states(statistics):
    history = school(3, 5, 2)
    states = fold(history, statistics, None, SETTINGS).states
    nothing = fold(history.clear(), statistics, states, SETTINGS)
    assert nothing.features.height == 0
    assert nothing.states.equals(states)
    assert fold(history.clear(), statistics, None, SETTINGS).states.equals(LearnerStates.empty())


def test_a_state_of_other_statistics_or_settings_is_refused(statistics):
    history = school(3, 6, 2)
    first, second = (
        history.filter(pl.col("day") == history["day"].min()),
        history.filter(pl.col("day") > history["day"].min()),
    )
    states = fold(first, statistics, None, SETTINGS).states
    with pytest.raises(ModelError, match="were folded by"):
        fold(second, fit_statistics(first, SETTINGS), states, SETTINGS)
    with pytest.raises(ModelError, match="were folded by"):
        fold(second, statistics, states, FeatureSettings(session_gap_minutes=5))


def test_two_events_in_one_place_and_an_event_without_skill_are_refused(statistics):
    history = school(2, 4, 2)
    with pytest.raises(LakeError, match="share a place"):
        fold(pl.concat([history, history]), statistics, None, SETTINGS)
    with pytest.raises(LakeError, match="has no skill"):
        fold(history.with_columns(skill_ids=pl.lit([], pl.List(pl.String))), statistics, None, SETTINGS)


def late(history: pl.DataFrame, row: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The history without one event, as it was known first, and as it stands once that event has come late."""
    missed = history.row(row, named=True)["event"]
    place = pl.int_range(pl.len()).over("learner", "day", order_by="sequence").cast(pl.Int32)
    return history.filter(pl.col("event") != missed).with_columns(sequence=place), history


@FEW
@given(histories().filter(lambda history: history.height > 1), st.data())
def test_whoever_has_a_late_event_is_found_and_nobody_else(statistics, history, data):
    known, complete = late(history, data.draw(st.integers(0, history.height - 1)))
    states = fold(known, statistics, None, SETTINGS).states
    event = complete.join(known, on="event", how="anti")
    learner = event["learner"][0]
    after = new_events(complete.filter(pl.col("learner") == learner), states)
    in_order = after["event"].to_list() == event["event"].to_list()  # it was the learner's last, or his only one

    found = late_learners(complete.filter(pl.col("day") == event["day"][0]), states)

    assert found.to_list() == ([] if in_order else [learner])
    others = complete.filter(pl.col("learner") != learner)
    assert new_events(others, states).is_empty()


def test_folding_a_late_event_is_refused_and_rebuilding_that_learner_mends_it(statistics):
    known, complete = late(school(4, 12, 8), 14)
    states = fold(known, statistics, None, SETTINGS).states
    arrived = complete.join(known, on="event", how="anti")
    with pytest.raises(ModelError, match="before or at the last one folded"):
        fold(arrived, statistics, states, SETTINGS)
    found = late_learners(complete, states)
    rebuilt = fold(complete.filter(pl.col("learner").is_in(found.implode())), statistics, None, SETTINGS).states
    mended = LearnerStates.concat([states.without(found), rebuilt])
    assert mended.equals(fold(complete, statistics, None, SETTINGS).states)
