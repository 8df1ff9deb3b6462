"""Boosted trees: fitting with LightGBM, and a fast walk over fitted trees.

Belongs here: from feature values to logits. Which rows fit, and what a probability is, is said by `model/`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "ensemble": ["Ensemble", "fit_ensemble"],
        "trees": ["Trees"],
    },
)
