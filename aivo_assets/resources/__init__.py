"""What assets are given: plain objects built from settings. Dagster meets them here; the objects do not know it."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "clock": ["Clock", "FixedClock", "PlatformClock", "SystemClock"],
    },
)
