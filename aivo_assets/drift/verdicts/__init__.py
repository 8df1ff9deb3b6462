"""What follows from scores: drifted or not, and whether a training is needed. Nothing is measured or trained here."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "checks": ["check_models"],
        "verdict": ["judge"],
    },
)
