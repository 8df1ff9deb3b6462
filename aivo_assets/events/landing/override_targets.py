"""Whom and what a teacher's word is about. Belongs here: which learners and skills are known, and a skill's subject.

A word about somebody who never answered and is not enrolled, or about a skill that no answer practises, could never be
obeyed: it is refused while the teacher is there. What is known is what the raw zone holds.
"""

from typing import Final

import polars as pl

from aivo_assets.events.schema import RAW_INTERACTIONS, RAW_LEARNERS
from aivo_assets.lake import Lake

UNKNOWN_LEARNER: Final = "no answer and no learner table names this learner"
UNKNOWN_SKILL: Final = "no answer practises this skill"
OTHER_SUBJECT: Final = "the skill is not one of this subject"
SEVERAL_SUBJECTS: Final = "the skill is one of several subjects: name the subject as well"


def known_learners(lake: Lake, among: pl.Series | None = None) -> pl.Series:
    """Identifiers that answers or the learner table name, as the source has them, ascending.

    Args:
        lake: Whose raw zone.
        among: Only these. Default: all.
    """
    tables = [lake.scan(dataset).select("learner_id") for dataset in (RAW_INTERACTIONS, RAW_LEARNERS)]
    if among is not None:
        tables = [table.filter(pl.col("learner_id").is_in(among.implode())) for table in tables]
    return pl.concat(tables).unique().sort("learner_id").collect(engine="streaming")["learner_id"]


def known_skills(lake: Lake) -> pl.DataFrame:
    """Every skill that an answer practises: subject, skill_id; ascending by skill."""
    practised = lake.scan(RAW_INTERACTIONS).select("subject", "skill_ids").unique()
    return _exploded(practised).unique().sort("skill_id", "subject").collect(engine="streaming")


def with_subjects(rows: pl.DataFrame, lake: Lake) -> pl.DataFrame:
    """What is known of the learners and skills of some rows.

    Args:
        rows: learner_id, subject, skill_id (String; null where nothing was said), in any order.
        lake: Whose raw zone.

    Returns:
        The rows in their order, with the subject where it was left out and follows from the skill: it is of one
        subject only, or the learner practised it in one only; `_known` (Boolean: the learner is), and `_subjects`
        (List[String]: of the skill, ascending; null where the skill is unknown).
    """
    known = known_learners(lake, rows["learner_id"].drop_nulls().unique())
    subjects = known_skills(lake).group_by("skill_id").agg(_subjects=pl.col("subject").sort())
    named = pl.col("learner_id").is_in(rows["learner_id"].drop_nulls().unique().implode())
    own = _exploded(lake.scan(RAW_INTERACTIONS).filter(named).select("learner_id", "subject", "skill_ids")).unique()
    owned = own.group_by("learner_id", "skill_id").agg(_own=pl.col("subject")).collect(engine="streaming")
    only = [pl.when(pl.col(name).list.len() == 1).then(pl.col(name).list.first()) for name in ("_subjects", "_own")]
    return (
        rows.join(subjects, on="skill_id", how="left", maintain_order="left")
        .join(owned, on=["learner_id", "skill_id"], how="left", maintain_order="left")
        .with_columns(
            subject=pl.coalesce("subject", *only),
            _known=pl.col("learner_id").is_in(known.implode()).fill_null(value=False),
        )
        .with_columns(_practised=pl.col("_own").list.contains(pl.col("subject")).fill_null(value=False))
        .drop("_own")
    )


def target_problems() -> tuple[tuple[str, pl.Expr, str], ...]:
    """Why a row of `with_subjects` cannot be obeyed: column, whether it is so, reason."""
    subject, subjects = pl.col("subject"), pl.col("_subjects")
    return (
        ("learner_id", pl.col("learner_id").is_not_null() & ~pl.col("_known"), UNKNOWN_LEARNER),
        ("skill_id", pl.col("skill_id").is_not_null() & subjects.is_null(), UNKNOWN_SKILL),
        ("subject", subject.is_null() & (subjects.list.len() > 1), SEVERAL_SUBJECTS),
        ("subject", subject.is_not_null() & ~subjects.list.contains(subject), OTHER_SUBJECT),
    )


def _exploded(answers: pl.LazyFrame) -> pl.LazyFrame:
    """A row a skill; `skill_ids` becomes `skill_id`."""
    return answers.rename({"skill_ids": "skill_id"}).explode("skill_id", empty_as_null=True).drop_nulls("skill_id")
