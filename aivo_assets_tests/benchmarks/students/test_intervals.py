"""Cover is counted as it is said to be: against known truths, and against counts whose distribution is known."""

import numpy as np
import polars as pl
import pytest

from aivo_assets.benchmarks.students.block_cover import measure_blocks, stands_at
from aivo_assets.benchmarks.students.intervals import measure_schools, summarise
from aivo_assets.benchmarks.students.true_skills import KnownSchool, live
from aivo_assets.settings import FeatureSettings, StudentSettings
from aivo_assets.tracing.students.later_answers import LATER_ANSWERS
from aivo_assets_tests.benchmarks.practice import practice


@pytest.fixture(scope="module")
def school() -> KnownSchool:
    return live(learners=60, days=4, seed=1)


def answers(right: list[int], *, blocks: int = 1, variance: float = 0.0) -> pl.DataFrame:
    """Later answers, each of an even chance, of `blocks` learners."""
    n = len(right) * blocks
    plain = {
        "learner": np.repeat(np.arange(blocks), len(right)).astype(str), "stop": 0, "events": 5, "skills": 1,
        "skill_id": "s", "opportunities": 5, "correct": right * blocks,
        "mastery_logit": 0.0, "mastery_variance": variance, "ability_logit": 0.0, "ability_variance": 1.0,
        "item_variance": 0.0,
    }  # fmt: skip
    whole = pl.DataFrame({name: value if not np.isscalar(value) else [value] * n for name, value in plain.items()})
    return whole.select(pl.col(name).cast(dtype) for name, dtype in LATER_ANSWERS.items())


def test_a_count_stands_between_the_steps_of_its_distribution():
    one_of_two = answers([1, 0])  # P(0) = ¼, P(1) = ½
    for drawn, stands in ((0.0, 0.25), (0.5, 0.5), (1.0, 0.75)):
        found = stands_at(one_of_two, np.ones(2), np.array([0]), np.array([drawn]))
        assert found == pytest.approx([stands])


def test_an_unsure_learner_makes_extreme_counts_likelier():
    all_right = answers([1, 1, 1, 1], variance=2.0)
    starts, middle = np.array([0]), np.array([0.5])
    sure = stands_at(all_right, np.zeros(4), starts, middle)
    unsure = stands_at(all_right, np.ones(4), starts, middle)
    assert sure == pytest.approx([1.0 - 0.5 / 16])
    assert unsure < sure


def test_counts_that_come_as_predicted_are_spread_evenly():
    random = np.random.default_rng(0)
    many = answers([1, 0, 1], blocks=4000).with_columns(
        correct=pl.Series((random.random(12_000) < 0.5).astype(np.float64))
    )
    stands = stands_at(many, np.ones(12_000), np.arange(0, 12_000, 3), random.random(4000))
    assert np.mean((stands > 0.1) & (stands < 0.9)) == pytest.approx(0.8, abs=0.02)


def test_a_look_knows_the_events_before_it_and_everybody_is_looked_at_before_the_first_day(school):
    looks = school.looks.unique("look", keep="first")
    assert looks.filter(pl.col("answered") == 0).height >= 60
    assert school.looks["truth"].is_between(0.0, 1.0).all()
    total = school.events.group_by("learner").len()
    last = looks.group_by("learner").agg(pl.col("answered").max()).join(total, on="learner")
    assert (last["answered"] == last["len"]).all()
    for row in looks.filter(pl.col("answered") > 0).sort("look").head(20).iter_rows(named=True):
        his = school.events.filter(pl.col("learner") == row["learner"]).sort("day", "sequence")
        assert his["occurred_at"][row["answered"] - 1] <= row["at"]


def test_practice_raises_true_mastery_on_the_whole(school):
    by_learner = school.looks.filter(pl.col("own")).group_by("learner", "look", maintain_order=True).agg(
        pl.col("truth").mean(), pl.col("answered").first()
    )  # fmt: skip
    before = by_learner.filter(pl.col("answered") == 0)["truth"].mean()
    after = by_learner.filter(pl.col("answered") == pl.col("answered").max().over("learner"))["truth"].mean()
    assert after > before


def test_the_report_counts_every_band_once(school):
    report = measure_schools([school], FeatureSettings(), StudentSettings(interval_folds=2))
    by = {(each.about, each.by) for each in report.covers}
    assert ("ability", "events of the learner") in by
    assert ("mastery", "events on the skill") in by
    assert all(0.0 <= each.cover <= 1.0 and each.cases >= each.learners for each in report.covers)
    assert "mastery by events on the skill" in report.text()


def test_cover_and_its_error_by_hand():
    rows = pl.DataFrame(
        {
            "about": "ability", "seed": 0, "learner": ["a", "a", "b", "c"], "events of the learner": "0",
            "events on the skill": pl.Series([None] * 4, dtype=pl.String),
            "since the last answer": pl.Series([None] * 4, dtype=pl.String),
            "held": [True, True, False, True], "before": [True, False, False, False],
        }
    )  # fmt: skip
    (cover,) = summarise(rows)
    assert (cover.cases, cover.learners, cover.cover, cover.before) == (4, 3, 0.75, 0.25)
    # deviations held − 0.75 n: 0.5, −0.75, 0.25; sqrt(3/2 · 0.875) / 4
    assert cover.error == pytest.approx(np.sqrt(1.5 * 0.875) / 4)


def test_blocks_of_any_file_are_checked_on_other_learners():
    report = measure_blocks(practice(80, 60), FeatureSettings(), StudentSettings(interval_folds=2))
    assert sum(each.blocks for each in report.covers) > 100
    for each in report.covers:
        assert each.certain <= each.before + 0.05
    assert "no width" in report.text()
