"""k-anonymity: it always holds, and costs no more than it must in cases that can be followed by hand."""

import random
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from aivo_assets.privacy.attributes import HIERARCHIES, generalised_attributes
from aivo_assets.privacy.k_anonymity import SUPPRESSED, AnonymityReport, Hierarchy, k_anonymise
from aivo_assets_tests.privacy.raw_school import learners

NAMES = [hierarchy.column for hierarchy in HIERARCHIES]
AS_OF = date(2024, 3, 4)

PEOPLE = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "birth_date": st.none() | st.dates(date(2004, 1, 1), date(2018, 1, 1)),
            "grade": st.none() | st.sampled_from(["1", "Grade 2", "7b", "K", "", "*", "12"]) | st.text(max_size=2),
            "gender": st.none() | st.sampled_from(["f", "m", "x"]),
            "region": st.sampled_from(["north", "south", " south "]),
            "disability": st.sampled_from(["none", "dyslexia"]),
        },
    ),
    max_size=60,
)


def published(rows: list[dict[str, object]], k: int) -> tuple[pl.DataFrame, AnonymityReport]:
    return k_anonymise(generalised_attributes(learners(rows), band_years=3, as_of=AS_OF), HIERARCHIES, k=k)


@given(PEOPLE, st.integers(1, 8))
@settings(max_examples=80, deadline=None)
def test_every_published_combination_is_shared_by_k_or_suppressed(rows: list[dict[str, object]], k: int):
    out, report = published(rows, k)
    assert out.height == len(rows)
    sizes = out.group_by(NAMES).len()
    telling = sizes.filter(~pl.all_horizontal(pl.col(name).eq_missing(pl.lit(SUPPRESSED)) for name in NAMES))
    assert (telling["len"] >= k).all()
    assert report.achieved_k == (telling["len"].min() if telling.height else None)
    assert report.classes["learners"].sum() + report.suppressed_learners == len(rows)
    assert 0 <= report.loss <= 1


@given(PEOPLE, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_learner_is_published_alike_wherever_the_row_stands(rows: list[dict[str, object]], shuffler: random.Random):
    table = generalised_attributes(learners(rows), band_years=3, as_of=AS_OF)
    order = list(range(table.height))
    shuffler.shuffle(order)
    out, report = k_anonymise(table, HIERARCHIES, k=3)
    shuffled, report_of_shuffled = k_anonymise(table[order], HIERARCHIES, k=3)
    assert_frame_equal(shuffled, out[order])
    assert report == report_of_shuffled


@given(PEOPLE)
@settings(max_examples=30, deadline=None)
def test_k_of_one_loses_nothing(rows: list[dict[str, object]]):
    out, report = published(rows, 1)
    assert report.loss == 0.0
    assert_frame_equal(
        out,
        generalised_attributes(learners(rows), band_years=3, as_of=AS_OF).select(
            pl.col(f"{name}@0").alias(name) for name in NAMES
        ),
    )


def test_large_groups_are_left_alone_and_only_the_odd_one_out_is_coarsened():
    rows = [{"gender": "f", "region": "north"}] * 5 + [{"gender": "m", "region": "north"}]
    out, report = published(rows, 5)
    assert out.select("gender", "region").rows() == [("f", "north")] * 5 + [("*", "*")]
    assert report.achieved_k == 5
    assert report.suppressed_learners == 1
    assert report.suppressed_cells == {"age_band": 0, "grade": 0, "gender": 1, "region": 1, "disability": 0}
    assert report.loss == pytest.approx(2 / 12)


def test_ages_are_widened_before_anything_is_suppressed():
    # Ages 9-11 and 6-8 are in one band of six years, 6-11: together they are four.
    rows = [{"birth_date": date(2014, 1, 1), "gender": "f"}] * 2 + [{"birth_date": date(2017, 1, 1), "gender": "f"}] * 2
    out, report = published(rows, 4)
    assert out["age_band"].to_list() == ["6-11"] * 4
    assert out["gender"].to_list() == ["f"] * 4
    assert report.generalised_cells["age_band"] == 4
    assert sum(report.suppressed_cells.values()) == 0
    assert report.loss == pytest.approx(4 / 3 / 8)


def test_grades_become_bands_before_they_are_suppressed():
    out, report = published([{"grade": grade} for grade in ("5", "Grade 6", "7b", "8")], 4)
    assert out["grade"].to_list() == ["5-8"] * 4
    assert report.generalised_cells["grade"] == 4


def test_the_attribute_that_tells_most_apart_is_the_one_suppressed():
    rows = [{"gender": gender, "region": region} for gender in "fm" for region in ("a", "b", "c", "d")]
    out, _ = published(rows, 4)
    assert out["gender"].to_list() == ["f"] * 4 + ["m"] * 4
    assert out["region"].to_list() == ["*"] * 8


def test_what_is_not_known_is_a_group_of_its_own_and_costs_nothing_to_hide():
    out, report = published([{"gender": None}] * 4 + [{"gender": "f"}] * 5, 5)
    assert out["gender"].to_list() == ["*"] * 4 + ["f"] * 5
    assert report.loss == 0.0


def test_a_table_without_attributes_is_published_as_unknown():
    out, report = published([{}] * 6, 5)
    assert out.unique().rows() == [(None,) * 5]
    assert report.achieved_k == 6


def test_an_empty_table_is_anonymous():
    out, report = published([], 5)
    assert out.is_empty()
    assert (report.achieved_k, report.learners, report.loss) == (None, 0, 0.0)


def test_age_is_taken_in_completed_years_on_the_given_day():
    born = [date(2012, 3, 4), date(2012, 3, 5), date(2024, 3, 5), date(1900, 1, 1), date(2012, 2, 29)]
    table = generalised_attributes(learners([{"birth_date": day} for day in born]), band_years=1, as_of=AS_OF)
    assert table["age_band@0"].to_list() == ["12-12", "11-11", None, None, "12-12"]


@pytest.mark.parametrize(
    ("grade", "band"),
    [("1", "1-4"), ("4", "1-4"), ("Grade 5", "5-8"), ("8th", "5-8"), ("12", "9-12"), ("0", "1-4"), ("K", "other")],
)
def test_grade_bands_hold_four_grades(grade: str, band: str):
    table = generalised_attributes(learners([{"grade": grade}]), band_years=3, as_of=AS_OF)
    assert table["grade@1"].to_list() == [band]


def test_every_coarser_level_is_a_function_of_the_finer_one():
    ages = [{"birth_date": date(2024 - age, 1, 1)} for age in range(100)]
    table = generalised_attributes(learners(ages), band_years=3, as_of=AS_OF)
    for fine, coarse in (("age_band@0", "age_band@1"), ("age_band@1", "age_band@2")):
        assert table.group_by(fine).agg(pl.col(coarse).n_unique())[coarse].max() == 1


def test_a_school_keeps_most_of_what_it_knows():
    draw = random.Random(3)
    rows = [
        {
            "birth_date": date(2018 - (grade := draw.randint(3, 9)), draw.randint(1, 12), 10),
            "grade": str(grade),
            "gender": draw.choice(["f", "m"]),
            "region": draw.choice(["north", "south", "west"]),
            "disability": draw.choices(["none", "dyslexia"], [0.93, 0.07])[0],
        }
        for _ in range(1500)
    ]
    _, report = published(rows, 5)
    assert report.achieved_k is not None
    assert report.achieved_k >= 5
    assert report.loss < 0.05
    assert report.suppressed_learners < 15


def test_any_hierarchies_will_do():
    table = pl.DataFrame({"city@0": ["a", "b", "c"], "city@1": ["x", "x", "y"]})
    out, _ = k_anonymise(table, (Hierarchy("city", levels=2),), k=2)
    assert out["city"].to_list() == ["x", "x", "*"]
