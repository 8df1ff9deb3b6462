"""Watching the models: how much each has lost since it became champion, and what to do about it.

The rooms in their order: `scores/` (how much was lost), `verdicts/` (what follows from it), `reports/` (what people
read). A retraining is started by `aivo_assets.automation`.
"""
