"""Settings of retention: how long growing data is kept. What is removed can be made again, or was read already."""

from pydantic import Field

from aivo_assets.settings.group import Group


class RetentionSettings(Group):
    """What is kept, and for how long."""

    feature_sets: int = Field(
        2, ge=1, description="Trainings whose features are kept, the newest; those of others are folded when asked for."
    )
    derived_days: int = Field(
        400, ge=31, description="Days of models, recommendations, verdicts and reports that are kept; not of answers."
    )
    scored_days: int = Field(
        90, ge=31, description="Days of scored answers that are kept; drift looks at its window alone."
    )
    receipt_days: int = Field(400, ge=4, description="Days that the account of a landing is kept.")
    studies: int = Field(60, ge=1, description="Searches for hyper-parameters that are kept, the newest.")
    versions: int = Field(
        60, ge=2, description="Versions of the main brain that are kept, the newest, beside as many champions before."
    )
    warehouse_runs: int = Field(5, ge=1, description="Builds of the marts whose compiled SQL and results are kept.")
    check_days: int = Field(
        14, ge=1, description="Days after which only the last run of each check and day is kept, with its event log."
    )
    run_days: int = Field(400, ge=31, description="Days after which a run and its event log are removed.")
