"""Watching the models: how far each has moved from what it was when it became champion, and what to do about it.

The rooms in their order: `scores/` (how much was lost), `verdicts/` (what follows from it), `reports/` (what people
read). A retraining is started by `aivo_assets.automation`.
"""
