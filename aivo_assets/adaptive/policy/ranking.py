"""Which of a learner's recommendations comes first. Belongs here: priority and rank; what is recommended is decided."""

from typing import Final

import polars as pl

from aivo_assets.adaptive.policy.overrides import PIN_RULE, REJECT_RULE
from aivo_assets.adaptive.policy.rules import PRIORITIES, Policy
from aivo_assets.settings import PolicySettings


def ranked(decided: pl.DataFrame, policy: Policy, settings: PolicySettings) -> pl.DataFrame:
    """Rank the recommendations of each learner.

    By priority, then by what was practised last, then by the order of the rules; ties by name. The priority of a skill
    that the learner has left alone for longer than `stale_days` while working on others is one step lower.

    Args:
        decided: What `Policy.decide` returns, perhaps with a teacher's word over it.
        policy: The policy that decided.
        settings: When a skill counts as left alone.

    Returns:
        The same rows with priority as it counts and rank (Int32, from 1), ordered by learner and rank.
    """
    weight = {name: position for position, name in enumerate(PRIORITIES)}
    names = [PIN_RULE, *(rule.name for rule in policy.rules), REJECT_RULE]
    order = {name: position for position, name in enumerate(names)}
    return (
        decided.with_columns(priority=_priority(settings))
        .with_columns(
            _weight=pl.col("priority").replace_strict(weight, return_dtype=pl.Int8),
            _order=pl.col("rule").replace_strict(order, return_dtype=pl.Int16),
        )
        .sort(_ORDER.keys(), descending=list(_ORDER.values()))
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("learner"))
        .drop("_weight", "_order")
    )


_ORDER: Final = {  # column: whether the greatest comes first
    "learner": False,
    "_weight": True,
    "last_practised_on": True,
    "latest": True,
    "_order": False,
    "attempts": True,
    "subject": False,
    "skill_id": False,
}


def _priority(settings: PolicySettings) -> pl.Expr:
    """One step lower where the learner has since left the skill alone while working on others."""
    steps = dict(zip(PRIORITIES[1:], PRIORITIES[:-1], strict=True))
    last = pl.col("last_practised_on").max().over("learner")
    left = (last - pl.col("last_practised_on")).dt.total_days() > settings.stale_days
    return pl.when(left).then(pl.col("priority").replace(steps)).otherwise("priority")
