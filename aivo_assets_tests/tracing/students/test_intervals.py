"""The width of the bands: a planted error is found again, and nothing else is taken for one."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from aivo_assets.lake import Lake
from aivo_assets.tracing.students.intervals import INTERVALS, Blocks, Intervals, Knot, fit_intervals
from aivo_assets.tracing.students.later_answers import LATER_ANSWERS

SD, ITEM_SD = 0.6, 0.4


def school(
    *, wide: float, learners: int = 1000, skills: int = 3, answers: int = 4, offset: float = 0.0,
    item_noise: float = ITEM_SD, seed: int = 0,
) -> pl.DataFrame:  # fmt: skip
    """Later answers of learners whose logit errs by N(0, (wide x SD)²), and that of each skill by N(0, offset²)."""
    random = np.random.default_rng(seed)
    learner, skill, _ = (axis.ravel() for axis in np.indices((learners, skills, answers)))
    error = wide * SD * random.normal(size=learners)[learner]
    error += offset * random.normal(size=(learners, skills))[learner, skill]
    believed = random.normal(0.3, 0.8, learner.size)
    logit = believed + error + item_noise * random.normal(size=learner.size)
    right = random.random(learner.size) < 1.0 / (1.0 + np.exp(-logit))
    whole = {
        "learner": pl.Series(learner).cast(pl.String),
        "stop": pl.repeat(0, learner.size, eager=True),
        "events": pl.repeat(50, learner.size, eager=True),
        "skills": pl.repeat(skills, learner.size, eager=True),
        "skill_id": pl.Series(skill).cast(pl.String),
        "opportunities": pl.repeat(10, learner.size, eager=True),
        "correct": pl.Series(right).cast(pl.Float64),
        **{f"{about}_logit": pl.Series(believed) for about in ("mastery", "ability")},
        **{f"{about}_variance": pl.repeat(SD**2, learner.size, eager=True) for about in ("mastery", "ability")},
        "item_variance": pl.repeat(ITEM_SD**2, learner.size, eager=True),
    }
    return pl.DataFrame(whole).select(pl.col(name).cast(dtype) for name, dtype in LATER_ANSWERS.items())


@pytest.mark.parametrize("wide", [0.6, 1.0, 1.6])
def test_a_planted_width_is_found(wide):
    later = school(wide=wide)
    for about in ("mastery", "ability"):
        factor, error = Blocks(later, about).solve()
        assert factor == pytest.approx(wide, abs=0.12)
        assert abs(np.log(factor / wide)) < 4 * error


def test_items_that_are_harder_than_known_are_no_error_of_the_learner():
    factor, _ = Blocks(school(wide=1.0, item_noise=1.0), "mastery").solve()
    assert factor == pytest.approx(1.0, abs=0.15)


def test_ability_is_a_mean_over_skills_so_that_what_is_one_skills_own_counts_a_kth():
    later = school(wide=1.0, offset=SD, skills=4, learners=2500)
    mastery, _ = Blocks(later, "mastery").solve()
    ability, _ = Blocks(later, "ability").solve()
    assert mastery == pytest.approx(np.sqrt(2.0), abs=0.12)
    assert ability == pytest.approx(np.sqrt(1.25), abs=0.12)


def test_each_band_has_its_factor_and_too_few_learners_have_none():
    wide = school(wide=1.5).with_columns(opportunities=pl.lit(3, pl.Int64))
    narrow = school(wide=0.7, seed=1).with_columns(learner=pl.format("n{}", "learner"))
    few = school(wide=1.0, learners=5).with_columns(
        learner=pl.format("f{}", "learner"), opportunities=pl.lit(500, pl.Int64)
    )
    fitted = fit_intervals(pl.concat([wide, narrow, few])).mastery
    assert [knot.band for knot in fitted] == ["1–5", "6–20"]
    assert [knot.factor for knot in fitted] == pytest.approx([1.5, 0.7], abs=0.15)
    assert [knot.events for knot in fitted] == pytest.approx([3.0, 10.0])


def test_an_unsure_band_is_drawn_to_the_others():
    sure = [school(wide=1.0, seed=k).with_columns(opportunities=pl.lit(n, pl.Int64)) for k, n in enumerate((3, 10))]
    unsure = school(wide=3.0, learners=12, seed=3).with_columns(opportunities=pl.lit(40, pl.Int64))
    parts = [
        part.with_columns(learner=pl.format("{}-{}", pl.lit(k), "learner")) for k, part in enumerate([*sure, unsure])
    ]
    knot = fit_intervals(pl.concat(parts)).mastery[-1]
    assert knot.log_error > 0.1
    assert abs(np.log(knot.factor)) < abs(np.log(knot.raw))


def test_the_factor_is_straight_between_knots_in_the_logarithm_and_level_beyond():
    knots = tuple(
        Knot(band=band, events=events, factor=factor, raw=factor, log_error=0.1, blocks=100)
        for band, events, factor in (("1–5", 3.0, 0.5), ("6–20", 15.0, 2.0))
    )
    found = Intervals(mastery=knots).factor("mastery", np.array([0, 3, 7, 15, 900]))
    assert found == pytest.approx([0.5, 0.5, 1.0, 2.0, 2.0])  # ln 8 lies midway between ln 4 and ln 16


def test_without_knots_the_filters_own_width_is_taken():
    assert Intervals().factor("ability", np.array([0, 7, 500])).tolist() == [1.0, 1.0, 1.0]
    assert fit_intervals(school(wide=1.0, learners=3)) == Intervals()
    assert fit_intervals(pl.DataFrame(schema=LATER_ANSWERS)) == Intervals()


def test_the_factors_come_back_from_the_lake(tmp_path):
    fitted, day, lake = fit_intervals(school(wide=1.2, learners=200)), date(2026, 3, 1), Lake(tmp_path, shards=1)
    lake.write(INTERVALS, fitted.to_frame(day), day=day)
    assert Intervals.from_frame(lake.scan(INTERVALS).collect()) == fitted
    lake.write(INTERVALS, Intervals().to_frame(day), day=day)
    assert Intervals.from_frame(lake.scan(INTERVALS).collect()) == Intervals.from_frame(None) == Intervals()
