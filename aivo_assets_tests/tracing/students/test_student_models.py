"""Student models: whose they are, how sure, and that levels have an order."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aivo_assets.errors import ModelError
from aivo_assets.settings import FeatureSettings, StudentSettings
from aivo_assets.tracing.fold.features import fold, query
from aivo_assets.tracing.fold.schema import SKILL_MASTERY, STUDENT_MODELS, FeatureTable
from aivo_assets.tracing.fold.states import LearnerStates
from aivo_assets.tracing.fold.statistics import Statistics, fit_statistics
from aivo_assets.tracing.students.intervals import Intervals, Knot
from aivo_assets.tracing.students.mastery import half_width, non_increasing, success, unmoderated
from aivo_assets.tracing.students.student_models import Brain, StudentModels, active_learners, build_student_models
from aivo_assets_tests.tracing.histories import events, school

FOLD = FeatureSettings()
SETTINGS = StudentSettings()
AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
LEVELS = pl.DataFrame(
    [
        {"subject": subject, "level": level, "difficulty": -2.5 + 0.5 * level}
        for subject in ("maths", "reading")
        for level in range(1, 11)
    ]
)


def filtered(table: FeatureTable) -> np.ndarray:
    """A main brain that believes the filter."""
    return 1.0 / (1.0 + np.exp(-table.column("logit").astype(np.float64)))


HISTORY = school(9, 40, 11)


@pytest.fixture(scope="module")
def statistics() -> Statistics:
    return fit_statistics(HISTORY, FOLD)


@pytest.fixture(scope="module")
def states(statistics: Statistics) -> LearnerStates:
    return fold(HISTORY, statistics, None, FOLD).states


@pytest.fixture(scope="module")
def brain(statistics: Statistics) -> Brain:
    return Brain(filtered, statistics, FOLD, "7")


@pytest.fixture(scope="module")
def models(states: LearnerStates, brain: Brain) -> StudentModels:
    return build_student_models(states, brain, LEVELS, AS_OF, SETTINGS, day=date(2024, 2, 29))


def test_every_learner_and_every_skill_he_practised_has_a_row_of_the_datasets_shape(models, states):
    assert dict(models.learners.schema) == dict(STUDENT_MODELS.schema)
    assert dict(models.skills.schema) == dict(SKILL_MASTERY.schema)
    assert models.learners["learner"].to_list() == states.learners["learner"].to_list()
    assert models.learners["events"].to_list() == [40] * 9
    each = HISTORY.with_columns(pl.col("skill_ids").list.unique()).explode("skill_ids")  # named twice it counts once
    practised = each.group_by("learner", skill_id="skill_ids").agg(
        pl.len().cast(pl.Int64).alias("opportunities"), pl.col("correct").cast(pl.Int64).sum().alias("wins")
    )
    found = models.skills.select("learner", "skill_id", "opportunities", "wins").sort("learner", "skill_id")
    assert found.equals(practised.sort("learner", "skill_id"))
    assert models.skills.null_count().select("mastery", "mastery_sd", "level_probabilities").row(0) == (0, 0, 0)


def test_level_probabilities_are_the_main_brains_answers_at_the_levels_difficulties(models, statistics, states):
    row = models.skills.row(17, named=True)
    queries = pl.DataFrame(
        {
            "learner": [row["learner"]] * 10,
            "subject": [row["subject"]] * 10,
            "skill_ids": [[row["skill_id"]]] * 10,
            "at": [AS_OF] * 10,
            "difficulty": LEVELS.filter(pl.col("subject") == row["subject"])["difficulty"],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )
    assert row["level_probabilities"] == pytest.approx(filtered(query(queries, statistics, states, FOLD)), rel=1e-6)
    assert row["level_probabilities"] == sorted(row["level_probabilities"], reverse=True)


def test_mastery_is_success_on_a_typical_item_of_the_skill(models, statistics, states):
    row = models.skills.row(5, named=True)
    queries = pl.DataFrame(
        {
            "learner": [row["learner"]],
            "subject": [row["subject"]],
            "skill_ids": [[row["skill_id"]]],
            "at": [AS_OF],
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )
    table = query(queries, statistics, states, FOLD)
    assert row["mastery"] == pytest.approx(float(table.column("mastery")[0]), abs=0.01)  # the probit approximation
    assert row["mastery_lower"] < row["mastery"] < row["mastery_upper"]
    learner = models.learners.filter(pl.col("learner") == row["learner"]).row(0, named=True)
    assert learner["ability"] == pytest.approx(float(table.column("ability")[0]))
    width = learner["ability_upper"] - learner["ability_lower"]
    assert width == pytest.approx(2 * 1.2815516 * learner["ability_sd"])  # 80 % of a normal distribution


def test_the_size_of_a_chunk_changes_nothing(models, states, brain):
    small = SETTINGS.model_copy(update={"rows_at_once": 30})
    again = build_student_models(states, brain, LEVELS, AS_OF, small, day=date(2024, 2, 29))
    assert again.skills.equals(models.skills)
    assert again.learners.equals(models.learners)


def test_a_learner_without_events_gets_the_answer_for_a_learner_of_whom_nothing_is_known(states, brain, statistics):
    roll = pl.DataFrame({"learner": ["l000", "new1", "new2"], "shard": [0, 3, 1]})
    settings = StudentSettings(starting_skills=2)
    built = build_student_models(states, brain, LEVELS, AS_OF, settings, day=date(2024, 2, 29), learners=roll)
    new = built.learners.filter(pl.col("learner").str.starts_with("new"))
    assert new.select("learner", "shard", "events", "ability", "ability_sd", "last_event_at").rows() == [
        ("new1", 3, 0, 0.0, 1.0, None),
        ("new2", 1, 0, 0.0, 1.0, None),
    ]
    one, two = (built.skills.filter(pl.col("learner") == name).drop("learner", "shard") for name in ("new1", "new2"))
    assert one.equals(two)
    most = statistics.skills.sort("events", descending=True).group_by("subject").head(2)
    assert sorted(one["skill_id"]) == sorted(most["skill_id"])
    stranger = pl.DataFrame(
        {"learner": ["?"], "subject": [one["subject"][0]], "skill_ids": [[one["skill_id"][0]]], "at": [AS_OF]},
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    ).with_columns(difficulty=pl.lit(-2.0))
    answer = filtered(query(stranger, statistics, LearnerStates.empty(), FOLD))
    assert one["level_probabilities"][0][0] == pytest.approx(answer[0], rel=1e-6)
    assert (
        built.skills.filter(pl.col("learner") == "l000").height
        == states.skills.filter(pl.col("learner") == "l000").height
    )


def test_of_nobody_at_all_there_are_no_models(brain):
    nothing = build_student_models(LearnerStates.empty(), brain, LEVELS, AS_OF, SETTINGS, day=date(2024, 2, 29))
    assert (nothing.learners.height, nothing.skills.height) == (0, 0)
    assert dict(nothing.skills.schema) == dict(SKILL_MASTERY.schema)


def test_a_subject_without_levels_is_refused(states, brain):
    with pytest.raises(ModelError, match="reading"):
        build_student_models(states, brain, LEVELS[:19], AS_OF, SETTINGS, day=date(2024, 2, 29))


def test_who_was_away_is_not_active_and_less_certain(states, brain, models):
    last = states.learners["last_event_at"].max()
    assert isinstance(last, datetime)
    assert active_learners(states, last + timedelta(days=27), SETTINGS).len() > 0
    assert active_learners(states, last + timedelta(days=29), SETTINGS).len() == 0
    later = build_student_models(states, brain, LEVELS, AS_OF + timedelta(days=9), SETTINGS, day=date(2024, 3, 9))
    assert (later.learners["ability_sd"] >= models.learners["ability_sd"]).all()
    grown = later.learners["ability_sd"] ** 2 - models.learners["ability_sd"] ** 2
    assert grown.to_list() == pytest.approx([9 * FOLD.ability_drift] * 9, rel=1e-2)


def test_better_answers_make_a_better_and_surer_model(statistics, brain):
    rows = [
        {"learner": name, "at": 60 * k, "item": "i9", "skills": ["s2"], "correct": right}
        for name, right in (("a", 1), ("b", 0))
        for k in range(15)
    ]
    states = fold(events(rows), statistics, None, FOLD).states
    built = build_student_models(states, brain, LEVELS, AS_OF.replace(month=1, day=2), SETTINGS, day=date(2024, 1, 1))
    able, weak = built.learners.rows(named=True)
    assert able["ability_lower"] > weak["ability_upper"]
    assert max(able["ability_sd"], weak["ability_sd"]) < 0.8
    strong, poor = built.skills.rows(named=True)
    assert strong["mastery_lower"] > poor["mastery_upper"]
    assert all(high > low for high, low in zip(strong["level_probabilities"], poor["level_probabilities"], strict=True))


def test_the_moments_of_success_are_those_of_a_simulation_and_its_band_covers():
    random = np.random.default_rng(0)
    mean, sd = np.array([0.0, 1.5, -3.0]), np.array([0.5, 1.5, 1.0])
    exact = success(mean, sd, 0.8)
    drawn = 1 / (1 + np.exp(-(mean + sd * random.normal(size=(400_000, 3)))))
    assert exact.mean == pytest.approx(drawn.mean(axis=0), abs=2e-3)
    assert exact.sd == pytest.approx(drawn.std(axis=0), abs=2e-3)
    assert ((exact.lower < drawn) & (drawn < exact.upper)).mean(axis=0) == pytest.approx([0.8] * 3, abs=3e-3)
    assert half_width(0.95) == pytest.approx(1.959964)
    assert unmoderated(np.array([1.0]), np.array([2.0]))[0] == pytest.approx(math.sqrt(1 + math.pi / 2))


probabilities = arrays(np.float64, st.tuples(st.integers(1, 5), st.just(10)), elements=st.floats(0, 1))


@given(probabilities)
def test_levels_are_put_in_order_and_nothing_else_changes(values):
    ordered = non_increasing(values)
    assert (np.diff(ordered, axis=1) <= 1e-12).all()
    assert ordered.mean(axis=1) == pytest.approx(values.mean(axis=1))  # a projection keeps the mean
    assert (ordered <= values.max(axis=1, keepdims=True) + 1e-12).all()
    assert non_increasing(ordered) == pytest.approx(ordered)


@given(probabilities)
def test_the_order_is_the_nearest_one(values):
    from sklearn.isotonic import isotonic_regression

    for row, nearest in zip(values, non_increasing(values), strict=True):
        assert nearest == pytest.approx(isotonic_regression(row, increasing=False), abs=1e-9)


def test_the_factors_of_the_intervals_widen_the_bands_and_move_no_middle(states, brain, models):
    def knot(factor: float) -> Knot:
        return Knot(band="1–5", events=3.0, factor=factor, raw=factor, log_error=0.1, blocks=100)

    wider = replace(brain, intervals=Intervals(ability=(knot(1.5),), mastery=(knot(2.0),)))
    built = build_student_models(states, wider, LEVELS, AS_OF, SETTINGS, day=date(2024, 2, 29))
    assert built.learners["ability"].equals(models.learners["ability"])
    assert (built.learners["ability_sd"] / models.learners["ability_sd"]).to_list() == pytest.approx([1.5] * 9)
    assert built.skills["level_probabilities"].equals(models.skills["level_probabilities"])

    def reach(rows: pl.DataFrame) -> np.ndarray:
        band = rows.select("mastery_lower", "mastery_upper").to_numpy()
        return np.diff(np.log(band / (1.0 - band)), axis=1)[:, 0]

    assert reach(built.skills) == pytest.approx(2.0 * reach(models.skills))
