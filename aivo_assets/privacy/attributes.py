"""Coarsening of learner attributes. Belongs here: age bands, grade bands and their hierarchies.

Which level a learner is published at is decided in `k_anonymity.py`. An attribute that the school does not know stays
null; an attribute that is known and hidden is "*".
"""

from datetime import date

import polars as pl

from aivo_assets.privacy.k_anonymity import Hierarchy
from aivo_assets.privacy.schema import SUPPRESSED

HIERARCHIES = (
    Hierarchy("age_band", levels=3),  # a band, twice as wide, four times as wide
    Hierarchy("grade", levels=2),  # as given, four grades together
    Hierarchy("gender", levels=1),
    Hierarchy("region", levels=1),
    Hierarchy("disability", levels=1),
)
"""The published quasi-identifiers, generalisation before suppression where two steps are worth the same."""

OLDEST = 120
_GRADES_TOGETHER = 4


def generalised_attributes(learners: pl.DataFrame, *, band_years: int, as_of: date) -> pl.DataFrame:
    """Every level of every attribute, as `k_anonymise` wants them.

    Args:
        learners: `birth_date` Date; `grade`, `gender`, `region`, `disability` String; n rows.
        band_years: Width of the narrowest age band.
        as_of: Day on which ages are taken.

    Returns:
        n rows, a String column `<attribute>@<level>` for each level of HIERARCHIES.
    """
    age = _age(pl.col("birth_date"), as_of)
    grade = _given("grade")
    return learners.select(
        *(_band(age, band_years * 2**level).alias(f"age_band@{level}") for level in range(3)),
        grade.alias("grade@0"),
        _grade_band(grade).alias("grade@1"),
        *(_given(name).alias(f"{name}@0") for name in ("gender", "region", "disability")),
    )


def _age(birth_date: pl.Expr, as_of: date) -> pl.Expr:
    """Completed years on `as_of`; null for a birth date that nobody alive can have."""
    month, day = birth_date.dt.month(), birth_date.dt.day()
    before_birthday = (month > as_of.month) | ((month == as_of.month) & (day > as_of.day))
    years = as_of.year - birth_date.dt.year() - before_birthday.cast(pl.Int32)
    return pl.when(years.is_between(0, OLDEST)).then(years)


def _band(age: pl.Expr, width: int) -> pl.Expr:
    """`9-11` for ages 9, 10 and 11; bands of twice the width contain whole narrower ones."""
    lower = age // width * width
    return pl.format("{}-{}", lower, lower + width - 1)


def _given(name: str) -> pl.Expr:
    """The attribute without surrounding space; blank, or the sign for hidden values, counts as not known."""
    stripped = pl.col(name).str.strip_chars()
    return pl.when(~stripped.is_in(["", SUPPRESSED])).then(stripped)


def _grade_band(grade: pl.Expr) -> pl.Expr:
    """`5-8` for grades 5 to 8, however they are written (`7`, `Grade 7`, `7b`); `other` where there is no number."""
    number = grade.str.extract(r"(\d{1,2})").cast(pl.Int32)
    lower = (number - 1).clip(lower_bound=0) // _GRADES_TOGETHER * _GRADES_TOGETHER + 1
    return (
        pl.when(number.is_not_null())
        .then(pl.format("{}-{}", lower, lower + _GRADES_TOGETHER - 1))
        .otherwise(pl.when(grade.is_not_null()).then(pl.lit("other")))
    )
