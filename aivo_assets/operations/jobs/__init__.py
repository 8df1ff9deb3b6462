"""What is known of jobs without Dagster: names, causes, guards and locks of runs. No job is defined here."""

from aivo_assets.exports import public

__getattr__, __all__ = public(
    __name__,
    {
        "causes": ["Cause"],
        "names": ["EVERY_JOB", "TRAINING_JOBS", "WEEKLY_JOB"],
    },
)
