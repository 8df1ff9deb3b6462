"""Learners who newly struggle, and the digest for their teachers. Belongs here: who, and the words; pure functions.

A learner struggles in a skill where it is urgent to remediate or to go down a level. They newly struggle where they did
not the last time. Learners are named by pseudonym only, which those who hold the key can link. Each is mentioned once a
day at most; the register remembers it, and digests are made from it, so that a crash neither loses nor doubles one.
"""

from datetime import datetime
from typing import Final

import polars as pl

from aivo_assets.kinds import LEVEL_DOWN, REMEDIATION
from aivo_assets.lake import Dataset
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
        "reasoning": pl.String,
    },
    unit="day",
)
"""Learners whom a digest mentioned: one row per learner and UTC day."""

NEEDED: Final = ("day", "learner", "rank", "subject", "skill_id", "kind", "priority", "reasoning")


def newly_struggling(now: pl.DataFrame, before: pl.DataFrame | None, notified: pl.DataFrame) -> pl.DataFrame:
    """Learners who struggle and did not the last time.

    Args:
        now: Recommendations of the newest day, columns `NEEDED`.
        before: Those of the day before that has any; None where there is none, and then nobody is new.
        notified: Rows of `NOTIFIED` of the newest day.

    Returns:
        A row a learner, with the most important struggle: the columns of `NEEDED`, ordered by learner.
    """
    struggling = _struggling(now)
    if before is None:
        return struggling.clear()
    known = pl.concat([_struggling(before).select("learner"), notified.select("learner")])
    new = struggling.join(known, on="learner", how="anti")
    return new.sort("learner", "rank").unique("learner", keep="first", maintain_order=True)


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


def digests(notified: pl.DataFrame) -> list[Alert]:
    """The digests of a day, one alert each, from its register."""
    return [_digest(part) for part in notified.sort("digest").partition_by("digest", maintain_order=True)]


def _digest(rows: pl.DataFrame) -> Alert:
    first = rows.row(0, named=True)
    lines = []
    for of_class in rows.sort("class_", "learner").partition_by("class_", maintain_order=True):
        name = of_class["class_"][0]
        lines.append(f"Class {name}:" if name else "No class known:")
        lines += [
            f"- learner {row['learner']}, {row['subject']}, {row['skill_id']}: {row['kind']}. {row['reasoning']}"
            for row in of_class.to_dicts()
        ]
    learners = "1 learner newly struggles" if rows.height == 1 else f"{rows.height} learners newly struggle"
    return Alert(
        title=f"{learners} ({first['day']})",
        body="\n".join(lines),
        severity="warning",
        key=f"intervention:{first['day']}:{first['digest']}",
        context={"learners": rows.height, "day": str(first["day"])},
        occurred_at=first["told_at"],
        occurrence=str(first["digest"]),
    )


def _struggling(recommended: pl.DataFrame) -> pl.DataFrame:
    return recommended.select(NEEDED).filter(pl.col("kind").is_in(KINDS), pl.col("priority") == "urgent")
