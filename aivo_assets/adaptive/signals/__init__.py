"""What a recommendation weighs: signals of a learner from their answers and student model. No decision here."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "signals": ["assignment_sizes", "compute_signals"],
    },
)
