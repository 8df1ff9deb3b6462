"""From signals to recommendations. Belongs here: joining decision, outlook, content and words, and ranking.

Columnar throughout: each rule's rows are worded as columns, never learner by learner.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from aivo_assets.adaptive.advice.confidence import Confidence
from aivo_assets.adaptive.advice.content import add_content, richer_level
from aivo_assets.adaptive.advice.counterfactual import add_counterfactual, with_nearest
from aivo_assets.adaptive.advice.outlook import add_outlook
from aivo_assets.adaptive.advice.wording import Wording
from aivo_assets.adaptive.policy.evidence import entry, listed
from aivo_assets.adaptive.policy.overrides import PIN_RULE, REJECT_RULE, in_force, obey, words_as_evidence
from aivo_assets.adaptive.policy.policy import (
    ENRICHMENT,
    LEVEL_DOWN,
    LEVEL_UP,
    MAINTAIN,
    REMEDIATION,
    success_zone_policy,
)
from aivo_assets.adaptive.policy.prerequisites import SkillGraph, add_prerequisite
from aivo_assets.adaptive.policy.ranking import ranked
from aivo_assets.adaptive.policy.rules import Policy
from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.settings import PolicySettings

_MOVES: Final = (LEVEL_UP, MAINTAIN, LEVEL_DOWN)


@dataclass(frozen=True)
class Known:
    """What is known beside the signals; all of it may be missing.

    Attributes:
        confidence: Fitted on what became of earlier recommendations.
        overrides: `OVERRIDES`: what teachers said.
        graph: What a skill builds on.
        mastery: `SKILL_MASTERY` of the day, for the weakest prerequisite.
        policy: The table of rules; None: the success zone policy.
    """

    confidence: Confidence = field(default_factory=Confidence)
    overrides: pl.DataFrame | None = None
    graph: SkillGraph = field(default_factory=SkillGraph.none)
    mastery: pl.DataFrame | None = None
    policy: Policy | None = None


def recommend(
    signals: pl.DataFrame,
    item_bank: pl.DataFrame,
    *,
    settings: PolicySettings,
    wording: Wording,
    made_by: str,
    known: Known | None = None,
) -> pl.DataFrame:
    """Decide for every learner x skill, explain it, and rank each learner's recommendations.

    Args:
        signals: `SIGNALS` of one day.
        item_bank: `ITEM_BANK` of the same day.
        settings: Thresholds and windows.
        wording: The words.
        made_by: What makes it (code, data versions), kept with every row. Never the time: equal inputs, equal rows.
        known: What is known beside the signals.

    Returns:
        `RECOMMENDATIONS`, ordered by learner and rank.

    Raises:
        SettingsError: The catalogue lacks a text of the policy, or names an unknown field.

    Example:
        >>> from aivo_assets import recommend
        >>> from aivo_assets.adaptive.advice.wording import load_wording
        >>> from aivo_assets.settings import PolicySettings
        >>> settings = PolicySettings()
        >>> made = recommend(  # signals = lake.scan(SIGNALS, days=[day]).collect(), bank likewise of ITEM_BANK
        ...     signals, bank, settings=settings, wording=load_wording(settings), made_by="an example"
        ... )
        >>> made.select("learner", "skill_id", "kind", "current_level", "recommended_level").rows()
        [('ada', 'fractions', 'maintain', 5, 5)]
    """
    known = known or Known()
    chosen = success_zone_policy(settings) if known.policy is None else known.policy
    kinds = {rule.name: rule.kind.name for rule in chosen.rules}
    wording.refuse_gaps({**kinds, PIN_RULE: MAINTAIN.name, REJECT_RULE: MAINTAIN.name})
    decided = _decided(signals, chosen, known, settings)
    expected = known.confidence.add(add_outlook(decided, settings))
    placed = add_prerequisite(expected, known.graph, known.mastery, kind=REMEDIATION.name, settings=settings)
    filled = add_content(placed.with_columns(richer_level(settings, ENRICHMENT.name)), item_bank, settings)
    return (
        pl.concat([_worded(ranked(filled, chosen, settings), chosen, wording, settings), _no_rows()])
        .with_columns(policy=pl.lit(chosen.name), made_by=pl.lit(made_by), changed=_changed())
        .sort("learner", "rank")
        .select(pl.col(name).cast(dtype) for name, dtype in RECOMMENDATIONS.schema.items())
    )


def _decided(signals: pl.DataFrame, policy: Policy, known: Known, settings: PolicySettings) -> pl.DataFrame:
    """What the policy says, what would change its mind, and the teacher's word over it."""
    decided = add_counterfactual(policy.decide(signals), policy, settings)
    if known.overrides is None or signals.is_empty():
        words = in_force(None, as_of=_NO_DAY, settings=settings)
    else:
        words = in_force(known.overrides, as_of=signals["day"][0], settings=settings)
    return with_nearest(obey(decided, words, moves=_MOVES, settings=settings))


def _worded(rows: pl.DataFrame, policy: Policy, wording: Wording, settings: PolicySettings) -> pl.DataFrame:
    """Rows with evidence and texts, each rule's rows at once."""
    evidence, words = {rule.name: rule.evidence for rule in policy.rules}, words_as_evidence(settings)
    parts = [
        part.with_columns(
            **wording.rule(rule, kind),
            evidence=listed([*evidence[of_policy], *words, _prerequisite_evidence(settings)]),
        ).select(*_WORDED)
        for (rule, kind, of_policy), part in rows.partition_by(
            "rule", "kind", "policy_rule", as_dict=True, maintain_order=True
        ).items()
    ]
    return pl.concat(parts) if parts else _no_rows()


def _prerequisite_evidence(settings: PolicySettings) -> pl.Expr:
    """The weakest prerequisite's mastery, where it was chosen and is known."""
    zone = pl.lit(settings.success_zone[0])
    return entry("prerequisite_mastery", pl.col("prerequisite_mastery"), zone, pl.lit("<"))


# What is decided, said and needed for `changed`; `policy`, `made_by` and `changed` are added for all rows at once.
_WORDED: Final = [
    *(name for name in RECOMMENDATIONS.schema if name not in ("policy", "made_by", "changed")),
    "previous_level",
    "previous_plan",
]


_NO_DAY: Final = date(1970, 1, 1)  # of no signals: no teacher's word is in force


def _no_rows() -> pl.DataFrame:
    schema = {**RECOMMENDATIONS.schema, "previous_level": pl.Int8, "previous_plan": pl.String}
    return pl.DataFrame(schema={name: schema[name] for name in _WORDED})


def _changed() -> pl.Expr:
    """Level or plan other than before. A first recommendation changes something unless it leaves all as it was."""
    level = pl.col("recommended_level") != pl.coalesce("previous_level", "current_level")
    return level | (pl.col("plan") != pl.col("previous_plan").fill_null("practice"))
