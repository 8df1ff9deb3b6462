"""Alerts: when people are told, of what, and how it reaches them.

Belongs here: rules from facts to an alert, folding of repeats, the outbox and its channels. Where the facts come from
is `automation/alerting.py`.
"""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "alert": ["Alert", "Delivery", "Notifier"],
        "channels": ["Channel", "build_channels"],
        "outbox": ["Outbox", "build_outbox"],
    },
)
