"""From signals to recommendations. Belongs here: joining decision, outlook, content and words, and the ranking.

Columnar throughout: each rule's rows are worded as columns, never learner by learner.
"""

from typing import Final

import polars as pl

from aivo_assets.adaptive.content import add_content
from aivo_assets.adaptive.outlook import add_outlook
from aivo_assets.adaptive.policy import success_zone_policy
from aivo_assets.adaptive.rules import PRIORITIES, Policy
from aivo_assets.adaptive.schema import RECOMMENDATIONS
from aivo_assets.adaptive.wording import Wording
from aivo_assets.settings import PolicySettings

_KEYS: Final = ["learner", "subject", "skill_id"]


def recommend(
    signals: pl.DataFrame,
    item_bank: pl.DataFrame,
    *,
    settings: PolicySettings,
    wording: Wording,
    made_by: str,
    policy: Policy | None = None,
) -> pl.DataFrame:
    """Decide for every learner x skill, explain it, and rank each learner's recommendations.

    Args:
        signals: `SIGNALS`.
        item_bank: `ITEM_BANK` of the same day.
        settings: Thresholds and windows.
        wording: The words.
        made_by: What makes it (code, data versions), kept with every row. Never the time: equal inputs, equal rows.
        policy: The table of rules. Default: the success zone policy.

    Returns:
        `RECOMMENDATIONS`, ordered by learner and rank.

    Raises:
        SettingsError: The catalogue lacks a text of the policy, or names an unknown field.
    """
    chosen = success_zone_policy(settings) if policy is None else policy
    wording.refuse_gaps({rule.name: rule.kind.name for rule in chosen.rules})
    decided = add_content(add_outlook(chosen.decide(signals), settings), item_bank, settings)
    ranked = _rank(decided.with_columns(priority=_priority(settings)), chosen)
    return (
        pl.concat([_worded(ranked, chosen, wording), _no_rows()])
        .with_columns(policy=pl.lit(chosen.name), made_by=pl.lit(made_by), changed=_changed())
        .sort("learner", "rank")
        .select(pl.col(name).cast(dtype) for name, dtype in RECOMMENDATIONS.schema.items())
    )


def _worded(ranked: pl.DataFrame, policy: Policy, wording: Wording) -> pl.DataFrame:
    """Rows with evidence and texts, each rule's rows at once."""
    parts = [
        part.with_columns(**wording.rule(rule.name, rule.kind.name), evidence=rule.evidence).select(*_WORDED)
        for rule in policy.rules
        if (part := ranked.filter(pl.col("rule") == rule.name)).height
    ]
    return pl.concat(parts) if parts else _no_rows()


# What is decided, said and needed for `changed`; `policy`, `made_by` and `changed` are added for all rows at once.
_WORDED: Final = [
    *(name for name in RECOMMENDATIONS.schema if name not in ("policy", "made_by", "changed")),
    "previous_level",
    "previous_plan",
]


def _no_rows() -> pl.DataFrame:
    schema = {**RECOMMENDATIONS.schema, "previous_level": pl.Int8, "previous_plan": pl.String}
    return pl.DataFrame(schema={name: schema[name] for name in _WORDED})


def _priority(settings: PolicySettings) -> pl.Expr:
    """One step lower where the learner has since left the skill alone while working on others."""
    steps = dict(zip(PRIORITIES[1:], PRIORITIES[:-1], strict=True))
    last = pl.col("last_practised_on").max().over("learner")
    left = (last - pl.col("last_practised_on")).dt.total_days() > settings.stale_days
    return pl.when(left).then(pl.col("priority").replace(steps)).otherwise("priority")


def _rank(decided: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Rank within the learner: priority, then what was practised last, then order of the rules; ties by name."""
    weight = {name: position for position, name in enumerate(PRIORITIES)}
    order = {rule.name: position for position, rule in enumerate(policy.rules)}
    return (
        decided.with_columns(
            _weight=pl.col("priority").replace_strict(weight, return_dtype=pl.Int8),
            _order=pl.col("rule").replace_strict(order, return_dtype=pl.Int16),
        )
        .sort(
            "learner",
            "_weight",
            "last_practised_on",
            "latest",
            "_order",
            "attempts",
            *_KEYS[1:],
            descending=[False, True, True, True, False, True, False, False],
        )
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("learner"))
    )


def _changed() -> pl.Expr:
    """Level or plan other than before. A first recommendation changes something unless it leaves all as it was."""
    level = pl.col("recommended_level") != pl.coalesce("previous_level", "current_level")
    return level | (pl.col("plan") != pl.col("previous_plan").fill_null("practice"))
