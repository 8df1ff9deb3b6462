"""Which exercise comes next. Belongs here: the skill and level in force, and choosing items for the state of now.

Level, plan and skill are those of the recommendation in force: the table of rules has decided them with its safeguards
against flapping, and a teacher's pin is in it. What is decided here, at every answer anew, is which item of that level
fits the learner as they stand now: success nearest to the middle of the success zone, nothing that was just answered.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from aivo_assets.adaptive.schema import ITEM_BANK, RECOMMENDATIONS
from aivo_assets.errors import LakeError
from aivo_assets.lake import Dataset, Lake
from aivo_assets.lake.newest import newest_filled
from aivo_assets.live.predictions import predict
from aivo_assets.live.standing import LearnerNow
from aivo_assets.settings import Settings
from aivo_assets.tracing.students.student_models import Brain

_ASKED_OF: Final = 60
"""Items of a skill, the nearest to the level, that the champion is asked about."""
_FRESH_SECONDS: Final = 5.0
_MIDDLE: Final = 5
_IN_FORCE: Final = (
    "learner", "rank", "kind", "subject", "skill_id", "recommended_level", "override", "content_skill", "headline",
    "reasoning", "reasoning_learner", "reasoning_parent",
)  # fmt: skip


class UnknownSkillError(LakeError):
    """The item bank has no such skill, subject or item."""


@dataclass(frozen=True)
class NextAsked:
    """What an app asks for.

    Attributes:
        skill: Only this skill. None: the one that is recommended first.
        subject: Only this subject.
        count: Exercises at most.
        exclude: Items that are not wanted.
    """

    skill: str | None = None
    subject: str | None = None
    count: int = 1
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NextExercises:
    """What comes next.

    Attributes:
        exercises: item_id, subject, skill_ids, level, probability, lower, upper, answered_before; best first.
        kind: Kind of the recommendation in force; None where there is none for this skill.
        subject: Subject of the skill.
        skill: The skill to practise.
        level: The level to work at.
        review: Whether the skill was practised before and not for some time.
        reasons: By reader (teacher, learner, parent) why; empty without a recommendation.
        override: A teacher's word in force.
        advised_on: As-of day of the recommendation.
    """

    exercises: pl.DataFrame
    kind: str | None
    subject: str
    skill: str
    level: int
    review: bool
    reasons: dict[str, str]
    override: str | None
    advised_on: date | None


@dataclass
class Advice:
    """What is in force, kept in memory by the day: the item bank, and the recommendations of each learner.

    Attributes:
        lake: Where both are.
        clock: Seconds that only grow.
    """

    lake: Lake
    clock: Callable[[], float]
    _held: dict[str, tuple[str, date | None, pl.DataFrame]] = field(default_factory=dict, init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def bank(self) -> pl.DataFrame:
        """The newest item bank.

        Raises:
            LakeError: There is none.
        """
        bank = self._newest(ITEM_BANK, list(ITEM_BANK.schema), "item_id")[1]
        if bank.is_empty():
            raise LakeError("There is no item bank", fix="Run `aivo run` over days with answers first.")
        return bank

    def items(self, wanted: list[str]) -> pl.DataFrame:
        """item_id, subject and skill_ids of items of the bank, in the order asked.

        Raises:
            UnknownSkillError: The bank does not know one.
        """
        asked = pl.DataFrame({"item_id": wanted}, schema={"item_id": pl.String})
        bank = self.bank().select("item_id", "subject", "skill_ids")
        unknown = asked.join(bank, on="item_id", how="anti")["item_id"]
        if len(unknown):
            raise UnknownSkillError(
                f"{len(unknown)} of the items are not in the item bank, the first is {unknown[0]!r}",
                fix="It has the items that somebody answered before the champion was trained.",
            )
        return asked.join(bank, on="item_id", how="left", maintain_order="left")

    def of(self, learner: str) -> tuple[date | None, list[dict[str, Any]]]:
        """The newest recommendations of a learner by rank, and their day."""
        day, rows = self._newest(RECOMMENDATIONS, list(_IN_FORCE), "learner")
        first = int(rows["learner"].search_sorted(learner, side="left"))
        last = int(rows["learner"].search_sorted(learner, side="right"))
        return day, rows[first:last].sort("rank").to_dicts()

    def _newest(self, dataset: Dataset, columns: list[str], order: str) -> tuple[date | None, pl.DataFrame]:
        with self._lock:
            if self.clock() - self._looked_at > _FRESH_SECONDS:
                self._look()
            if dataset.path not in self._held:
                self._read(dataset, columns, order)
            _, day, rows = self._held[dataset.path]
        return day, rows

    def _look(self) -> None:
        """Forget what the lake has a newer version of."""
        for dataset in (ITEM_BANK, RECOMMENDATIONS):
            held = self._held.get(dataset.path)
            if held is not None and held[0] != self._version(dataset)[0]:
                del self._held[dataset.path]
        self._looked_at = self.clock()

    def _version(self, dataset: Dataset) -> tuple[str, date | None]:
        day = newest_filled(self.lake, dataset)
        manifest = None if day is None else self.lake.manifest(dataset, day=day)
        return ("" if manifest is None else f"{day} {manifest['version']}"), day

    def _read(self, dataset: Dataset, columns: list[str], order: str) -> None:
        version, day = self._version(dataset)
        rows = dataset.empty() if day is None else self.lake.scan(dataset, days=[day]).select(columns).collect()
        self._held[dataset.path] = (version, day, rows.select(columns).sort(order))


def next_exercises(
    asked: NextAsked, now: LearnerNow, brain: Brain, advice: Advice, settings: Settings, at: datetime
) -> NextExercises:
    """Choose the next exercises of a learner.

    Args:
        asked: What is wanted.
        now: Where the learner stands.
        brain: The champion.
        advice: Recommendations in force and item bank.
        settings: Of the platform: success zone, what counts as recent, days until a skill is reviewed.
        at: The present instant, UTC.

    Returns:
        The exercises, none where the skill has no item left.

    Raises:
        LakeError: There is no item bank, or it has no such skill or subject.
    """
    bank = advice.bank()
    of_skill = bank.explode("skill_ids", keep_nulls=False).rename({"skill_ids": "skill"})
    day, rows = advice.of(now.learner)
    chosen = _recommended(asked, rows)
    subject, skill, level = _place(asked, chosen, now, of_skill)
    wanted = of_skill.filter((pl.col("subject") == subject) & (pl.col("skill") == skill))["item_id"]
    taken = asked.exclude | _recent(now.states.items, settings.policy.recent_events)
    near = (
        bank.filter(pl.col("item_id").is_in(wanted.implode()) & ~pl.col("item_id").is_in(sorted(taken)))
        .with_columns(_far=(pl.col("level") - level).abs())
        .sort("_far", "level_certainty", "item_id", descending=[False, True, False])
        .head(_ASKED_OF)
    )
    tolerance = settings.policy.level_tolerance
    nearest = near.filter(pl.col("_far") <= max(tolerance, int(near["_far"].min() or 0)))  # type: ignore[arg-type]
    aim = sum(settings.policy.success_zone) / 2
    items = nearest.select("item_id", "subject", "skill_ids", "level", "level_certainty")
    answers = predict(now.learner, items, now.states, brain, settings.students, at)
    before = now.states.items["item_id"]
    return NextExercises(
        exercises=answers.sort((pl.col("probability") - aim).abs(), "item_id")
        .head(asked.count)
        .with_columns(answered_before=pl.col("item_id").is_in(before.implode()))
        .drop("level_certainty"),
        kind=None if chosen is None else str(chosen["kind"]),
        subject=subject,
        skill=skill,
        level=level,
        review=_is_review(now.states.skills, skill, at, settings.live.review_days),
        reasons={} if chosen is None else _reasons(chosen),
        override=None if chosen is None else chosen["override"],
        advised_on=day if chosen is not None else None,
    )


def _recommended(asked: NextAsked, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first recommendation that fits what is asked for."""
    for row in rows:
        if asked.skill in (None, row["skill_id"]) and asked.subject in (None, row["subject"]):
            return row
    return None


def _place(
    asked: NextAsked, chosen: dict[str, Any] | None, now: LearnerNow, of_skill: pl.DataFrame
) -> tuple[str, str, int]:
    """Subject, skill and level."""
    if chosen is not None:
        content = chosen["content_skill"] or chosen["skill_id"]
        skill = content if asked.skill is None else str(chosen["skill_id"])
        return str(chosen["subject"]), str(skill), int(chosen["recommended_level"])
    there = of_skill
    if asked.subject is not None:
        there = there.filter(pl.col("subject") == asked.subject)
    if asked.skill is not None:
        there = there.filter(pl.col("skill") == asked.skill)
    if there.is_empty():
        named = " and ".join(
            f"{what} {name!r}" for what, name in (("skill", asked.skill), ("subject", asked.subject)) if name
        )
        raise UnknownSkillError(
            f"The item bank knows no {named or 'skill'}", fix="`aivo lake show item_bank` lists them."
        )
    practised = now.states.skills.join(
        there.select(skill_id="skill", subject="subject").unique(), on=["skill_id", "subject"]
    )
    if not practised.is_empty():
        last = practised.sort("last_event_at", "skill_id").row(-1, named=True)
        return str(last["subject"]), str(last["skill_id"]), _MIDDLE
    most = there.group_by("subject", "skill").agg(pl.col("events").sum()).sort("events", "skill").row(-1, named=True)
    return str(most["subject"]), str(most["skill"]), _MIDDLE


def _recent(items: pl.DataFrame, most: int) -> set[str]:
    """The items that were answered last."""
    return set(items.sort("last_event_at")["item_id"].tail(most).to_list())


def _is_review(skills: pl.DataFrame, skill: str, at: datetime, days: int) -> bool:
    last = skills.filter(pl.col("skill_id") == skill)["last_event_at"].max()
    return isinstance(last, datetime) and (at - last).days >= days


def _reasons(row: dict[str, Any]) -> dict[str, str]:
    texts = {"teacher": row["reasoning"], "learner": row["reasoning_learner"], "parent": row["reasoning_parent"]}
    return {reader: str(text) for reader, text in texts.items() if text}
