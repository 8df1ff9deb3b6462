"""Running the platform, without Dagster: `alerts/`, `jobs/` (names, causes, locks of runs) and `server/`.

What starts runs, and the rules' inputs, belong to `aivo_assets.automation`.
"""
