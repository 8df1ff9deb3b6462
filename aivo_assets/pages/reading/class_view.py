"""A class as its teacher sees it. Belongs here: who needs help, the map of skills, groups, missed exercises; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Literal

import polars as pl

from aivo_assets.adaptive.schema import RECOMMENDATIONS, SIGNALS
from aivo_assets.kinds import BREAK, CHANGE_APPROACH, LEVEL_DOWN, LEVEL_UP, REMEDIATION
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import PolicySettings
from aivo_assets.tracing.students.model_store import mastery_in_force

HELP_KINDS: Final = (REMEDIATION, CHANGE_APPROACH, LEVEL_DOWN, BREAK)
"""Kinds that ask a teacher to do something for a learner who struggles, the most pressing first."""
PRIORITIES: Final = ("urgent", "high", "medium", "low")
STUCK_DAYS: Final = 7
"""So many days of the same advice, and a learner counts as stuck."""
DAYS_OF_ITEMS: Final = 14
FEWEST_ANSWERS: Final = 5  # of a class to an exercise, before it counts as often missed
MOST_ITEMS: Final = 8
SMALLEST_GROUP: Final = 2
MOST_GROUPS: Final = 4
ITEMS_OF_A_LESSON: Final = 4
Standing = Literal["secure", "growing", "weak", "unsure", "none"]


@dataclass(frozen=True)
class Cell:
    """A learner's mastery of a skill.

    Attributes:
        standing: How it stands, in a word; `unsure` where its band is too wide to say, `none` without any answer.
        mastery: In [0, 1], with the band around it.
    """

    standing: Standing
    mastery: float = 0.0
    lower: float = 0.0
    upper: float = 1.0


@dataclass(frozen=True)
class Group:
    """Learners of a class who need the same, and what a lesson for them is made of."""

    kind: str
    subject: str
    skill: str
    level: int
    learners: tuple[str, ...]
    items: tuple[str, ...]


@dataclass(frozen=True)
class MissedItem:
    """An exercise that a class often gets wrong."""

    item: str
    answers: int
    wrong: int
    learners: int


@dataclass(frozen=True)
class ClassView:
    """A class on its newest day.

    Attributes:
        day: Day up to whose end everything is known; None where nothing was recommended yet.
        newest_answer: The last day on which the class answered; None without answers.
        learners: All of the class.
        needs: Rows of `RECOMMENDATIONS` that ask for help, one a learner, the most pressing first.
        ready: One row a learner who may go up a level.
        skills: Skills by subject, in the order in which the map shows them.
        cells: By learner and (subject, skill).
        groups: Those with most learners first.
        missed: The exercises that are missed most.
    """

    day: date | None
    newest_answer: date | None
    learners: tuple[str, ...]
    subjects: tuple[str, ...]
    needs: tuple[dict[str, Any], ...] = ()
    ready: tuple[dict[str, Any], ...] = ()
    skills: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cells: dict[str, dict[tuple[str, str], Cell]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    missed: tuple[MissedItem, ...] = ()

    def of_subject(self, subject: str | None) -> "ClassView":
        """The same class with one subject's advice, skills and groups; all of them for None."""
        if subject is None:
            return self
        return ClassView(
            day=self.day,
            newest_answer=self.newest_answer,
            learners=self.learners,
            subjects=self.subjects,
            needs=tuple(row for row in self.needs if row["subject"] == subject),
            ready=tuple(row for row in self.ready if row["subject"] == subject),
            skills={name: skills for name, skills in self.skills.items() if name == subject},
            cells=self.cells,
            groups=tuple(group for group in self.groups if group.subject == subject),
            missed=self.missed,
        )

    def stuck(self) -> tuple[dict[str, Any], ...]:
        """Needs that have stood for a week or longer."""
        if self.day is None:
            return ()
        return tuple(row for row in self.needs if self.day - row["decided_on"] >= timedelta(days=STUCK_DAYS))


def read_class(
    lake: Lake, members: pl.DataFrame, *, day: date | None, newest_answer: date | None, settings: PolicySettings
) -> ClassView:
    """Read the rows of a class.

    Args:
        lake: Where they are.
        members: learner, shard of the class.
        day: The newest day with recommendations; None where there is none.
        newest_answer: The newest day with answers.
        settings: Thresholds by which mastery is called secure or weak.
    """
    learners = tuple(members["learner"].to_list())
    if day is None or not learners:
        return ClassView(day, newest_answer, learners, ())
    rows = advice_of(lake, members, day)
    mastery = _mastery(lake, members, day)
    subjects = tuple(sorted({*rows["subject"].to_list(), *mastery["subject"].to_list()}))
    return ClassView(
        day=day,
        newest_answer=newest_answer,
        learners=learners,
        subjects=subjects,
        needs=tuple(_one_each(rows.filter(pl.col("kind").is_in(HELP_KINDS)))),
        ready=tuple(_one_each(rows.filter(pl.col("kind") == LEVEL_UP))),
        skills=_skills(mastery),
        cells=_cells(mastery, settings),
        groups=_groups(rows),
        missed=_missed(lake, members, newest_answer),
    )


def advice_of(lake: Lake, members: pl.DataFrame, day: date) -> pl.DataFrame:
    """What these learners are recommended as of a day, with the signals behind it, by learner and rank."""
    shards, named = _named(members)
    advice = lake.scan(RECOMMENDATIONS, days=[day], shards=shards).filter(named)
    keys = ["learner", "subject", "skill_id"]
    held = [name for name in SIGNALS.schema if name not in RECOMMENDATIONS.schema]
    signals = lake.scan(SIGNALS, days=[day], shards=shards).filter(named).select(*keys, *held)
    return advice.join(signals, on=keys, how="left").sort("learner", "rank").collect()


def standing_of(lower: float, upper: float, answers: int, settings: PolicySettings) -> Standing:
    """How a skill stands: sure only where the whole band says so."""
    if answers == 0:
        return "none"
    if lower >= settings.success_zone[0]:
        return "secure"
    if upper < settings.success_zone[0]:
        return "weak"
    return "unsure" if upper - lower > _WIDE_BAND else "growing"


_WIDE_BAND: Final = 0.4  # of mastery: from weak to secure, nothing can be said


def _named(members: pl.DataFrame) -> tuple[list[int], pl.Expr]:
    return sorted(set(members["shard"].to_list())), pl.col("learner").is_in(members["learner"].to_list())


def _mastery(lake: Lake, members: pl.DataFrame, day: date) -> pl.DataFrame:
    shards, named = _named(members)
    columns = [
        "learner", "subject", "skill_id", "opportunities", "wins", "mastery", "mastery_lower", "mastery_upper",
    ]  # fmt: skip
    return mastery_in_force(lake, until=day, shards=shards).filter(named).select(columns).collect()


def _one_each(rows: pl.DataFrame) -> Iterable[dict[str, Any]]:
    """A row a learner: the most pressing, then what has stood longest."""
    order = {name: place for place, name in enumerate(PRIORITIES)}
    pressing = rows.with_columns(_pressing=pl.col("priority").replace_strict(order, default=len(order)))
    kinds = {name: place for place, name in enumerate(HELP_KINDS)}
    kinded = pressing.with_columns(_kind=pl.col("kind").replace_strict(kinds, default=len(kinds)))
    ordered = kinded.sort("_pressing", "_kind", "decided_on", "rank", "learner")
    return ordered.unique("learner", keep="first", maintain_order=True).drop("_pressing", "_kind").to_dicts()


def _skills(mastery: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    pairs = mastery.filter(pl.col("opportunities") > 0).select("subject", "skill_id").unique()
    parts = pairs.sort("subject", "skill_id").partition_by("subject", as_dict=True, maintain_order=True)
    return {str(subject): tuple(part["skill_id"].to_list()) for (subject,), part in parts.items()}


def _cells(mastery: pl.DataFrame, settings: PolicySettings) -> dict[str, dict[tuple[str, str], Cell]]:
    cells: dict[str, dict[tuple[str, str], Cell]] = {}
    for learner, subject, skill, answers, _, value, lower, upper in mastery.iter_rows():  # a class: hundreds of cells
        standing = standing_of(lower, upper, answers, settings)
        cells.setdefault(learner, {})[subject, skill] = Cell(standing, value, lower, upper)
    return cells


def _groups(rows: pl.DataFrame) -> tuple[Group, ...]:
    """Learners with the same kind of help in the same skill, at the level that most of them are to work at."""
    helped = rows.filter(pl.col("kind").is_in([REMEDIATION, CHANGE_APPROACH, LEVEL_DOWN]))
    keys = ["subject", "skill_id", "kind"]
    grouped = helped.group_by(keys).agg(
        pl.col("learner").sort(), pl.col("recommended_level").median().alias("level"), pl.col("content").explode()
    )
    large = grouped.filter(pl.col("learner").list.len() >= SMALLEST_GROUP)
    ordered = large.sort(pl.col("learner").list.len(), *keys, descending=[True, False, False, False])
    return tuple(
        Group(
            row["kind"], row["subject"], row["skill_id"], round(row["level"]), tuple(row["learner"]),
            _commonest(row["content"]),
        )
        for row in ordered.head(MOST_GROUPS).iter_rows(named=True)
    )  # fmt: skip


def _commonest(items: Sequence[str | None]) -> tuple[str, ...]:
    counted = (
        pl.Series("item", items, dtype=pl.String)
        .drop_nulls()
        .value_counts()
        .sort("count", "item", descending=[True, False])
    )
    return tuple(counted["item"].head(ITEMS_OF_A_LESSON).to_list())


def _missed(lake: Lake, members: pl.DataFrame, newest: date | None) -> tuple[MissedItem, ...]:
    if newest is None:
        return ()
    shards, named = _named(members)
    days = [newest - timedelta(days=back) for back in range(DAYS_OF_ITEMS)]
    answers = lake.scan(ANONYMISED_INTERACTIONS, days=days, shards=shards).filter(named)
    counted = (
        answers.group_by("item_id")
        .agg(answers=pl.len(), wrong=(pl.col("correct") == 0).sum(), learners=pl.col("learner").n_unique())
        .filter(pl.col("answers") >= FEWEST_ANSWERS, pl.col("wrong") > 0)
        .sort(pl.col("wrong") / pl.col("answers"), "wrong", "item_id", descending=[True, True, False])
        .head(MOST_ITEMS)
    )
    return tuple(MissedItem(*row) for row in counted.collect().iter_rows())
