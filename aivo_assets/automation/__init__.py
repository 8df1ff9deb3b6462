"""What starts work: partitions, jobs, schedules, sensors and checks. No learning and no columns here."""

import warnings

import dagster as dg

# Dagster calls backfill policies, pools and a few more beta; its version is pinned, so nothing changes under us.
for category in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=category)
