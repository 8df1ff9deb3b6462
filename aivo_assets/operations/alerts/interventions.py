"""Learners who newly struggle, and the digest that tells their teachers. Belongs here: who, and what is said; pure.

A learner struggles in a skill where it is urgent to remediate or to go down a level. They newly struggle where their
own last recommendation, of whatever day, did not say so; a break, which passes, hides no struggle. Learners are named
by pseudonym only, which those who hold the key can link. Each is told of once a day at most, which the register
remembers; a digest is made from it, so that a crash neither loses nor doubles one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import polars as pl

from aivo_assets.kinds import LEVEL_DOWN, REMEDIATION
from aivo_assets.lake import Dataset
from aivo_assets.language import Language
from aivo_assets.operations.alerts.alert import Alert

KINDS: Final = (REMEDIATION, LEVEL_DOWN)

NOTIFIED = Dataset(
    "interventions/told",
    {
        "day": pl.Date,
        "digest": pl.Int32,
        "told_at": pl.Datetime("us", "UTC"),
        "class_": pl.String,
        "learner": pl.String,
        "subject": pl.String,
        "skill_id": pl.String,
        "kind": pl.String,
        "headline": pl.String,
        "reasoning": pl.String,
    },
    unit="day",
)
"""Whom a digest was about: a row a learner and UTC day."""

_PAIR: Final = ("learner", "subject", "skill_id")

NEEDED: Final = (
    "day", "learner", "rank", "subject", "skill_id", "kind", "passes", "priority", "headline", "reasoning",
)  # fmt: skip


def newly_struggling(now: pl.DataFrame, before: pl.DataFrame | None, notified: pl.DataFrame) -> pl.DataFrame:
    """Learners who struggle and did not by their own last recommendation.

    Args:
        now: Recommendations of the newest day, columns `NEEDED`.
        before: Those of earlier days, of learners who have any. A learner's newest day counts: a day may hold nothing,
            or not everybody. None where nobody has any, and then nobody is new.
        notified: Rows of `NOTIFIED` of the newest day.

    Returns:
        A row a learner, their most important struggle: the columns of `NEEDED`, ordered by learner.
    """
    struggles = struggling(now)
    if before is None:
        return struggles.clear()
    known = pl.concat([struggling(_last(before)).select("learner"), notified.select("learner")])
    new = struggles.join(known, on="learner", how="anti")
    return new.sort("learner", "rank").unique("learner", keep="first", maintain_order=True)


def struggling(recommended: pl.DataFrame) -> pl.DataFrame:
    """The recommendations that say that somebody struggles, columns `NEEDED`."""
    return recommended.select(NEEDED).filter(pl.col("kind").is_in(KINDS), pl.col("priority") == "urgent")


def _last(before: pl.DataFrame) -> pl.DataFrame:
    """The recommendations of each learner's newest day, and beneath a break what it said of the skill before."""
    newest = pl.col("day") == pl.col("day").max().over("learner")
    skills = before.filter(newest).select(_PAIR).unique()
    lasting = before.filter(~pl.col("passes").fill_null(value=False)).join(skills, on=list(_PAIR), how="semi")
    return lasting.filter(pl.col("day") == pl.col("day").max().over(*_PAIR))


def register(
    new: pl.DataFrame, classes: pl.DataFrame, notified: pl.DataFrame, *, now: datetime, most: int
) -> pl.DataFrame:
    """The register of a day with the next digest in it.

    Args:
        new: What `newly_struggling` returned.
        classes: Columns `learner` and `class_`: the class in which a learner works now.
        notified: Rows of `NOTIFIED` of the day so far.
        now: The present instant, UTC.
        most: Learners in one digest at most; the others are in the next.

    Returns:
        Rows of `NOTIFIED`.
    """
    number = 1 + notified.select(pl.col("digest").max().fill_null(0)).item()
    rows = (
        new.head(most)
        .join(classes.unique("learner"), on="learner", how="left", maintain_order="left")
        .with_columns(digest=pl.lit(number, pl.Int32), told_at=pl.lit(now).cast(pl.Datetime("us", "UTC")))
    )
    return pl.concat([notified, rows.select(list(NOTIFIED.schema))])


def digests(notified: pl.DataFrame, language: Language) -> list[Alert]:
    """The digests of a day, one alert each, from its register.

    Args:
        notified: Rows of `NOTIFIED` of one day.
        language: How dates are written.
    """
    return [_digest(part, language) for part in notified.sort("digest").partition_by("digest", maintain_order=True)]


def _digest(rows: pl.DataFrame, language: Language) -> Alert:
    first = rows.row(0, named=True)
    lines = []
    for of_class in rows.sort("class_", "learner").partition_by("class_", maintain_order=True):
        name = of_class["class_"][0]
        lines.append(f"Class {name}:" if name else "No class known:")
        lines += _lines(of_class.to_dicts())
    learners = "1 learner newly struggles" if rows.height == 1 else f"{rows.height} learners newly struggle"
    return Alert(
        title=f"{learners} ({language.date(first['day'])})",
        body="\n".join(lines),
        severity="warning",
        key=f"intervention:{first['day']}:{first['digest']}",
        context={"learners": rows.height, "day": str(first["day"])},
        occurred_at=first["told_at"],
        occurrence=str(first["digest"]),
    )


def _lines(rows: Iterable[dict[str, str | None]]) -> list[str]:
    """A line a learner: who, what to do, and why; the subject where the skill alone would leave it open."""
    return [
        " ".join(
            part for part in (f"- {row['learner']} ({row['subject']}):", row["headline"], row["reasoning"]) if part
        )
        for row in rows
    ]
