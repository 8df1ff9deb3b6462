"""A stretch of time replayed: what arrives when, which tick comes next, what was decided, and the report.

What a tick, a run or a decision is stays in the definitions. Nothing here knows Dagster: `automation/replay/` drives
the definitions and hands over what came of it.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "feed": ["Feed", "gather"],
        "record": ["Record"],
    },
)
