"""Which of the seven kinds fits a learner. Belongs here: rules, levels, prerequisites and teachers' overrides.

Texts belong to `advice/`, the numbers that rules weigh to `signals/`, thresholds to `aivo_assets.settings`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "levels": ["item_bank", "subject_levels"],
        "policy": ["KINDS", "success_zone_policy"],
        "rules": ["Criterion", "Kind", "Policy", "Rule"],
    },
)
