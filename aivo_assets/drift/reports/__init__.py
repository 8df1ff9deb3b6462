"""What people read of drift: the report and its plots. Belongs here: the only use of Evidently and pandas."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "report": ["DriftReport", "render_report"],
    },
)
