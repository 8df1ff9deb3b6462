"""Settings of retention: how long growing data is kept. What is removed can be made again, or was read already."""

from typing import Literal

from pydantic import Field

from aivo_assets.settings.group import Group
from aivo_assets.settings.kinds import Cron


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
    raw_days: int | None = Field(
        None, ge=31, description="Days that raw answers are kept; what was made of them stays. Default: without end."
    )
    names_days: int | None = Field(
        None, ge=31, description="Days after a learner's last answer until their name goes. Default: without end."
    )
    quarantine_days: int = Field(400, ge=4, description="Days that rows set aside are kept.")
    cron: Cron = Field("30 4 * * *", description="When raw answers, names and the quarantine are looked through.")


class ForgetSettings(Group):
    """How learners are forgotten."""

    path: str | None = Field(
        None, description="Table of requests (CSV or Parquet with learner_id and reason) that is read by the schedule."
    )
    cron: Cron = Field("*/15 * * * *", description="When requests to forget are gone on with.")
    readers_seconds: int = Field(
        900, ge=0, description="Seconds after which no reader holds an old file; then it is removed and searched for."
    )
    retrain: Literal["next", "at_once"] = Field(
        "next", description="When the champion is trained without them: with the next training, or at once."
    )
