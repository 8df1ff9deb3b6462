"""The model card: what a version is for, how good it is, for whom, in plain words.

Belongs here: the card's figures, plots and sentences. How a document becomes HTML is `aivo_assets.documents`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "model_card": ["build_card", "documents"],
    },
)
