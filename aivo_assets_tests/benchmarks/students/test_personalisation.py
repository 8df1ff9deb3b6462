"""What knowing the learner buys is measured on equal rows, and a parameter that is there is found to be there."""

import json

import numpy as np
import pytest

from aivo_assets.benchmarks.partitions import parts_by_learner, some_learners
from aivo_assets.benchmarks.students.personal_parameters import follow
from aivo_assets.benchmarks.students.personalisation import (
    EMPTY,
    POPULATION,
    STATE,
    measure_personalisation,
    without_past,
)
from aivo_assets.benchmarks.students.personalisation_report import Compared, Difference, PersonalisationReport
from aivo_assets.settings import FeatureSettings
from aivo_assets.tracing.fold.features import fold
from aivo_assets.tracing.fold.statistics import fit_statistics, out_of_fold
from aivo_assets.tracing.judging.bootstrap import Interval
from aivo_assets_tests.benchmarks.practice import QUICK, practice

FOLD = FeatureSettings()


@pytest.fixture(scope="module")
def report() -> PersonalisationReport:
    parts = list(parts_by_learner(practice(90, 40), folds=3, seed=0))
    return measure_personalisation(parts, FOLD, QUICK)


def difference(lower: float, upper: float) -> Difference:
    interval = Interval(mean=(lower + upper) / 2, lower=lower, upper=upper, confidence=0.975, samples=100, learners=30)
    return Difference(events=300, loss=0.5, other=0.5, interval=interval)


def test_the_state_beats_the_population_and_a_first_event_gains_nothing(report):
    state = report.compared[0]
    assert (state.name, state.against) == (STATE, EMPTY)
    assert state.groups["all"]["all rows"].surely_better
    first = state.groups["events seen"]["0 events seen"]
    assert (first.interval.lower, first.interval.upper) == (0.0, 0.0)


def test_every_answer_is_scored_on_the_same_rows(report):
    for each in report.compared:
        assert each.groups["all"]["all rows"].events == 90 * 40
        assert sum(found.events for found in each.groups["events seen"].values()) == 90 * 40
    names = [(each.name, each.against) for each in report.compared]
    assert names[:2] == [(STATE, EMPTY), (STATE, POPULATION)]
    assert [name for name, _ in names[2:]] == ["state and offset", "state and pace of learning", "state and forgetting"]


def test_the_text_and_the_json_hold_the_numbers(report):
    written = json.loads(report.model_dump_json())
    loss = written["compared"][0]["groups"]["all"]["all rows"]["loss"]
    assert f"{loss:.4f}" in report.text()
    assert "events seen" in report.text()


def test_a_parameter_pays_where_it_is_surely_better_and_no_band_surely_worse():
    def compared(whole: Difference, band: Difference) -> Compared:
        groups = {"all": {"all rows": whole}, "events seen": {"0 events seen": band}}
        return Compared(name="a", against="b", note="", groups=groups)

    assert compared(difference(-0.2, -0.1), difference(-0.1, 0.1)).pays
    assert not compared(difference(-0.0004, -0.0002), difference(-0.1, 0.1)).pays
    assert not compared(difference(-0.2, 0.1), difference(-0.1, 0.1)).pays
    assert not compared(difference(-0.2, -0.1), difference(0.01, 0.1)).pays


def test_without_past_every_event_is_a_first_one_with_its_learners_statistics():
    events = practice(12, 10)
    of_others = out_of_fold(events, FOLD, folds=3, seed=0)
    table = without_past(events, of_others, FOLD)
    whole = fold(events, of_others, None, FOLD).features
    assert table.keys.select("event").equals(whole.keys.select("event"))
    assert not table.column("learner_opportunities").any()
    assert np.array_equal(table.column("item_difficulty"), whole.column("item_difficulty"))
    first = whole.column("learner_opportunities") == 0
    assert np.array_equal(table.values[first], whole.values[first], equal_nan=True)


def test_with_one_statistic_for_all_it_is_the_same():
    events = practice(6, 5)
    statistics = fit_statistics(events, FOLD)
    table, whole = without_past(events, statistics, FOLD), fold(events, statistics, None, FOLD).features
    assert table.keys.select("event").equals(whole.keys.select("event"))
    assert np.array_equal(table.column("item_difficulty"), whole.column("item_difficulty"))


def test_an_offset_follows_a_learner_from_his_own_past_only():
    learners = np.array([0, 0, 1], dtype=np.int64)
    right = np.array([1.0, 0.0, 1.0])
    said = follow(learners, np.ones(3), np.zeros(3), right, 1.0)
    moved = 1.0 * 0.5 / (1.0 + 0.25 * 1.0)  # prior variance x surprise / (1 + w x prior variance)
    assert said == pytest.approx([0.5, 1.0 / (1.0 + np.exp(-moved)), 0.5])
    turned = follow(learners, np.ones(3), np.zeros(3), 1.0 - right, 1.0)
    assert turned[0] == said[0]


def test_a_planted_offset_is_worth_something_and_a_spread_of_nothing_moves_nothing():
    random = np.random.default_rng(0)
    learners = np.repeat(np.arange(200), 50)
    logit = random.normal(size=learners.size)
    chance = 1.0 / (1.0 + np.exp(-(logit + random.normal(size=200)[learners])))
    right = (random.random(learners.size) < chance).astype(np.float64)

    def loss(variance: float) -> float:
        said = follow(learners, np.ones(learners.size), logit, right, variance)
        return float(-np.mean(right * np.log(said) + (1 - right) * np.log1p(-said)))

    assert loss(1.0) < loss(0.0) - 0.03
    still = follow(learners, np.ones(learners.size), logit, right, 0.0)
    assert still == pytest.approx(1.0 / (1.0 + np.exp(-logit)))


def test_some_learners_come_with_all_of_their_events_and_by_the_seed():
    events = practice(30, 8)
    some = some_learners(events, 10, seed=1)
    assert some["learner"].n_unique() == 10
    assert some.height == 80
    assert some.equals(some_learners(events, 10, seed=1))
    assert not some.equals(some_learners(events, 10, seed=2))
    assert some_learners(events, 31, seed=1).equals(events)


def test_groups_of_skills_are_large_enough_to_say_something(report):
    found = report.compared[0].groups["skill"]
    assert set(found) <= {f"s{k}" for k in (0, 1, 2, 3, 9)}
    assert found
    assert all(each.events >= 300 and each.interval.learners >= 20 for each in found.values())
