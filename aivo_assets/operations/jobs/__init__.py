"""What is known of jobs without Dagster: names, causes, guards and locks of runs."""
