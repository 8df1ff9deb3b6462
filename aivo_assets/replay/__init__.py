"""A stretch of time replayed: the real definitions, driven tick by tick with a clock of our own, and what came of it.

Belongs here: which tick comes when, what arrives, what was decided, and the report. What a tick, a run or a decision is
stays in the definitions. Only `driver.py` and `sessions.py` know Dagster.
"""
