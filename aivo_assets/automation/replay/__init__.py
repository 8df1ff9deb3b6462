"""The definitions replayed: ticks evaluated and runs made, in one process, with a clock of our own.

Belongs here: what must know Dagster. Which tick comes when, what arrives, the record and the report are
`aivo_assets.replay`, which knows nothing of it.
"""
