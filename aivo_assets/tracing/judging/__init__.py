"""Which model serves: evaluation, the promotion verdict, the registry, and the champion's shadow.

Belongs here: comparing models on later answers, and keeping versions. Fitting belongs to `model/`; whether a model has
drifted since its promotion is watched by `aivo_assets.drift`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "evaluation": ["Evaluation", "Holdout", "evaluate", "hold_out"],
        "promotion": ["Contender", "Verdict", "decide"],
        "registry": ["Registry", "Serving"],
        "shadow": ["ShadowVerdict"],
    },
)
