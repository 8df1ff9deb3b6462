"""Recommendations of a shard from what the lake holds. Belongs here: what is read and told; nothing is decided.

What holds for all learners is read once; of what depends on the learner, one shard at a time is in memory.
"""

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path

import polars as pl

from aivo_assets import adaptive
from aivo_assets.adaptive.advice.confidence import Confidence
from aivo_assets.adaptive.advice.recommendations import Known, recommend
from aivo_assets.adaptive.advice.wording import Wording
from aivo_assets.adaptive.policy.prerequisites import SkillGraph, read_prerequisites, skill_graph
from aivo_assets.adaptive.schema import ITEM_BANK, OUTCOMES, RECOMMENDATIONS, SIGNALS
from aivo_assets.code_version import code_version
from aivo_assets.lake import Lake, Staged
from aivo_assets.privacy.overrides import OVERRIDES
from aivo_assets.settings import PolicySettings
from aivo_assets.tracing.students.model_store import mastery_in_force


@dataclass(frozen=True)
class Tally:
    """What is told of recommendations; those of several shards are added.

    Attributes:
        rows_in: Rows of signals, one a learner and skill.
        learners: Learners with a recommendation of rank 1.
        changed: Recommendations whose level or plan differs from the one before.
        overridden: Recommendations under a teacher's word.
        kinds: Kind to the number of recommendations of rank 1.
    """

    rows_in: int = 0
    learners: int = 0
    changed: int = 0
    overridden: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, signals: pl.DataFrame, made: pl.DataFrame) -> "Tally":
        """What is told of the `RECOMMENDATIONS` that were made of these `SIGNALS`."""
        first = made.filter(pl.col("rank") == 1)
        return cls(
            rows_in=signals.height,
            learners=first["learner"].n_unique(),
            changed=int(made["changed"].sum()),
            overridden=made["override"].count(),
            kinds=Counter(first["kind"].to_list()),
        )

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def known_to_all(lake: Lake, item_bank: pl.DataFrame, outcomes: pl.DataFrame | None, settings: PolicySettings) -> Known:
    """What is known beside the signals and is the same for every shard; without mastery.

    Args:
        lake: Where teachers' words are.
        item_bank: `ITEM_BANK` of one day; the skill graph is checked against its skills.
        outcomes: `OUTCOMES` of one day, if there are any.
        settings: Where the skill graph is, and how confidence is fitted.

    Raises:
        SettingsError: The skill graph that the settings name cannot be read.
    """
    graph = SkillGraph.none()
    if settings.prerequisites is not None:
        skills = item_bank["skill_ids"].explode(empty_as_null=True).drop_nulls().unique()
        graph = skill_graph(read_prerequisites(Path(settings.prerequisites)), skills)
    return Known(confidence=Confidence.fit(outcomes, settings), overrides=lake.scan(OVERRIDES).collect(), graph=graph)


def provenance(lake: Lake, *, day: date, wording: Wording) -> str:
    """Versions of the data and of the code as of a day, without which nobody could make the same again."""
    versions = {
        "signals": lake.version(SIGNALS, days=[day]),
        "item bank": lake.version(ITEM_BANK, until=day),
        "outcomes": lake.version(OUTCOMES, until=day),
        "overrides": lake.version(OVERRIDES),
        "code": code_version(Path(adaptive.__file__).parent),
    }
    return "; ".join([*(f"{name} {version[:12]}" for name, version in versions.items()), f"wording {wording.language}"])


@dataclass(frozen=True)
class RecommendTask:
    """What the work on every shard has in common.

    Attributes:
        lake: Where signals and student models are.
        item_bank: `ITEM_BANK` of one day.
        known: What `known_to_all` returns.
        day: Whose signals.
        settings: Thresholds and windows.
        wording: The words.
        made_by: What `provenance` returns.
    """

    lake: Lake
    item_bank: pl.DataFrame
    known: Known
    day: date
    settings: PolicySettings
    wording: Wording
    made_by: str


def stage_recommendations(task: RecommendTask, shard: int) -> tuple[Staged, Tally]:
    """Stage `RECOMMENDATIONS` of the learners of a shard; also says what is told of them."""
    made, tally = recommendations_of(task, shard)
    return task.lake.stage(RECOMMENDATIONS, made, day=task.day, shard=shard), tally


def recommendations_of(task: RecommendTask, shard: int) -> tuple[pl.DataFrame, Tally]:
    """`RECOMMENDATIONS` of the learners of a shard, and what is told of them."""
    signals = task.lake.scan(SIGNALS, days=[task.day], shards=[shard]).collect()
    known = replace(task.known, mastery=_mastery(task.lake, shard, signals, task.known.graph, task.day))
    made = recommend(
        signals,
        task.item_bank,
        settings=task.settings,
        wording=task.wording,
        made_by=task.made_by,
        known=known,
    )
    return made, Tally.of(signals, made)


def _mastery(lake: Lake, shard: int, signals: pl.DataFrame, graph: SkillGraph, day: date) -> pl.DataFrame | None:
    """Mastery of the learners who have signals, which only a skill graph asks for."""
    if graph.closure.is_empty():
        return None
    learners = signals["learner"].unique().implode()
    return mastery_in_force(lake, until=day, shards=[shard]).filter(pl.col("learner").is_in(learners)).collect()
