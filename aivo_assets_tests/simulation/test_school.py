"""What the school hands over: valid events, a learner table worth protecting, content, dirt; and never the truth."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from aivo_assets.errors import SettingsError
from aivo_assets.events.schema import Event, Learner
from aivo_assets.settings import SimulatorSettings
from aivo_assets.simulation import School, build_world, simulate
from aivo_assets.simulation.dirt import CLOCK_AHEAD
from aivo_assets_tests.simulation.conftest import MONDAY, school

LAST = MONDAY + timedelta(days=11)
CLEAN = simulate(school(150), MONDAY, LAST)
DIRTY = simulate(school(150, dirt=0.05), MONDAY, LAST)


def test_clean_events_obey_the_schema() -> None:
    Event.validate(CLEAN)
    assert CLEAN["occurred_at"].is_sorted()


def test_events_name_their_surroundings() -> None:
    for column in ("school_id", "class_id", "teacher_id", "session_id", "response_time_ms", "hint_count"):
        assert CLEAN[column].null_count() == 0
    assert 0 < CLEAN["assignment_id"].null_count() < CLEAN.height
    assert 0 < CLEAN["focus"].null_count() < CLEAN.height
    one_class = CLEAN.group_by("learner_id").agg(pl.col("class_id").n_unique(), pl.col("school_id").n_unique())
    assert one_class["class_id"].max() == one_class["school_id"].max() == 1
    one_session = CLEAN.group_by("session_id").agg(pl.col("learner_id").n_unique(), pl.col("subject").n_unique())
    assert one_session["learner_id"].max() == one_session["subject"].max() == 1


def test_the_truth_is_not_among_the_columns() -> None:
    assert CLEAN.columns == Event.column_names()


def test_the_bank_has_hundreds_of_items_a_subject_some_with_two_skills() -> None:
    items = school().items()
    counts = items.group_by("subject").len()
    assert set(counts["subject"]) == {"mathematics", "reading", "science"}
    assert counts["len"].min() >= 300  # type: ignore[operator]
    assert 0.05 < (items["skill_ids"].list.len() == 2).mean() < 0.2  # type: ignore[operator]
    assert items["item_id"].n_unique() == items.height
    truth = school().world.curriculum.difficulty
    assert 0.7 < np.corrcoef(items["authored_difficulty"], truth)[0, 1] < 0.99


def test_the_skill_graph_has_no_circle_and_stays_within_a_subject() -> None:
    graph = school().skill_graph()
    before = {skill: set(group["prerequisite"]) for (skill,), group in graph.group_by("skill_id")}
    known: set[str] = set(school().items()["skill_ids"].explode()) - set(before)
    assert len(known) == 3
    while len(known) < 48:
        ready = {str(skill) for skill, needs in before.items() if needs <= known} - known
        assert ready, "a circle"
        known |= ready
    prefixes = graph.select(pl.col("skill_id", "prerequisite").str.split(".").list.first())
    assert (prefixes["skill_id"] == prefixes["prerequisite"]).all()


def test_the_truth_is_known_for_every_learner_and_skill() -> None:
    place = school(30)
    truth = place.truth(LAST)
    assert truth.columns == ["learner_id", "subject", "skill_id", "ability", "opportunities"]
    assert truth.height == 30 * 48
    assert set(truth["learner_id"]) == set(place.learners()["learner_id"])
    answered = simulate(place, MONDAY, LAST).explode("skill_ids").group_by("learner_id", skill_id="skill_ids").len()
    joined = truth.join(answered, on=["learner_id", "skill_id"], how="left")
    # A rapid guess is an answer from which nothing is learnt, so it is no opportunity.
    assert (joined["opportunities"] <= joined["len"].fill_null(0)).all()
    assert joined.select(pl.col("opportunities").sum() / pl.col("len").sum()).item() > 0.9


def test_the_learner_table_obeys_the_schema_and_is_worth_protecting() -> None:
    table = School.build(SimulatorSettings(learners=1500), MONDAY).learners()
    Learner.validate(table)
    assert table["email"].drop_nulls().is_unique().all()
    assert table["email"].null_count() > 0
    assert table["email"].drop_nulls().str.ends_with(".example").all()
    rare = table.group_by("grade", "gender", "region", "disability").len().filter(pl.col("len") < 5)
    assert rare["len"].sum() > 20
    years = table.select(
        age=(pl.lit(date(2026, 9, 1)) - pl.col("birth_date")).dt.total_days() / 365.25,
        grade=pl.col("grade").cast(pl.Int32),
    )
    assert years["age"].is_between(8.5, 15.5).all()
    assert years.select(pl.corr("age", "grade")).item() > 0.9


def test_learners_appear_when_they_enrol() -> None:
    place = School.build(SimulatorSettings(learners=1500), MONDAY)
    counts = [
        place.learners(datetime(2026, 9, 7, tzinfo=UTC) + timedelta(days=days)).height for days in (0, 10, 30, 61)
    ]
    assert counts == sorted(counts)
    assert counts[0] < counts[1] < counts[3] == 1500


def test_no_day_lies_before_the_first() -> None:
    with pytest.raises(SettingsError, match="began on 2026-09-07"):
        simulate(school(), MONDAY - timedelta(days=1), MONDAY)


def test_dirt_is_as_large_as_asked_and_leaves_the_rest_alone() -> None:
    good = DIRTY.filter(
        (pl.col("correct") <= 1)
        & (pl.col("response_time_ms") >= 0)
        & pl.col("learner_id").is_not_null()
        & (pl.col("occurred_at") < pl.lit(datetime(2030, 1, 1, tzinfo=UTC)))
    ).unique("event_id", keep="first", maintain_order=True)
    assert_frame_equal(good, CLEAN.filter(pl.col("event_id").is_in(good["event_id"].implode())))
    repeated = DIRTY.height - CLEAN.height
    dirty = repeated + CLEAN.height - good.height
    assert dirty / CLEAN.height == pytest.approx(0.05, abs=0.006)


def test_every_kind_of_dirt_occurs() -> None:
    assert DIRTY.filter(pl.col("correct") == 2).height > 10
    assert DIRTY.filter(pl.col("response_time_ms") < 0).height > 10
    assert DIRTY.filter(pl.col("learner_id").is_null()).height > 5
    ahead = DIRTY.filter(pl.col("occurred_at") > CLEAN["occurred_at"].max())
    assert ahead.height > 5
    assert (ahead["occurred_at"] - CLOCK_AHEAD).is_between(CLEAN["occurred_at"].min(), CLEAN["occurred_at"].max()).all()
    repeated = DIRTY.filter(pl.col("event_id").is_duplicated())
    exact = repeated.filter(repeated.is_duplicated())
    assert 10 < exact.height < repeated.height
    assert DIRTY["event_id"].n_unique() == CLEAN.height


def test_without_dirt_nothing_is_spoilt() -> None:
    world = build_world(seed=1, learners=150, start=MONDAY)
    assert_frame_equal(simulate(School(world, dirt=0.0), MONDAY, LAST), CLEAN)
